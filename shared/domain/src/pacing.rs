//! How fast a phone number may send, as arithmetic on microseconds.
//!
//! A number's pacer is one stored instant: the next free slot. A sender reserves a block of
//! consecutive slots by moving that instant, then launches one message at each. A slot that was
//! missed is dropped, never caught up, because Meta counts arrivals in a sliding second.

/// Messages a second that Meta allows a number (Meta: throughput).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Limit(pub u32);

/// The share of the limit that is aimed at. The rest absorbs the jitter between a slot and the
/// arrival at Meta: at 80 a second, 81 arrivals span 1,018 ms, so 18 ms of jitter are harmless.
const TARGET: f64 = 0.982;

/// A sender holds at most this much of the future, so that a newcomer never waits longer for a turn.
const BLOCK_US: i64 = 250_000;

/// A slot that is reached later than this is dropped.
pub const TOLERANCE_US: i64 = 8_000;

impl Limit {
    /// Microseconds between two slots.
    #[must_use]
    pub fn interval_us(self) -> i64 {
        (1_000_000.0 / (f64::from(self.0.max(1)) * TARGET)).ceil() as i64
    }

    /// The most slots that one reservation may take: a quarter of a second's worth, at least one.
    #[must_use]
    pub fn block(self) -> usize {
        (BLOCK_US / self.interval_us()).max(1) as usize
    }
}

/// Consecutive slots that one sender owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    start_us: i64,
    interval_us: i64,
    count: usize,
}

impl Block {
    /// `count` slots whose first is at `start_us`.
    #[must_use]
    pub fn new(limit: Limit, start_us: i64, count: usize) -> Self {
        Self {
            start_us,
            interval_us: limit.interval_us(),
            count,
        }
    }

    /// The instants of the slots, in microseconds since the epoch.
    pub fn slots(&self) -> impl Iterator<Item = i64> + Send + use<> {
        let (start, interval) = (self.start_us, self.interval_us);
        (0..self.count as i64).map(move |n| start + n * interval)
    }

    /// The first instant after the block: what the next reservation starts from.
    #[must_use]
    pub fn end_us(&self) -> i64 {
        self.start_us + self.interval_us * self.count as i64
    }
}

/// Whether a slot can still be used now.
#[must_use]
pub fn usable(slot_us: i64, now_us: i64) -> bool {
    now_us <= slot_us + TOLERANCE_US
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_second_ever_holds_more_slots_than_the_limit(
            rate in proptest::sample::select(vec![20_u32, 80, 250, 1000]),
            counts in proptest::collection::vec(1_usize..60, 1..60),
            gaps in proptest::collection::vec(0_i64..50_000, 60),
        ) {
            let limit = Limit(rate);
            let mut next = 0;
            let mut slots = Vec::new();
            for (count, gap) in counts.iter().zip(gaps) {
                let block = Block::new(limit, next + gap, *count);
                slots.extend(block.slots());
                next = block.end_us();
            }
            for (first, slot) in slots.iter().enumerate() {
                let within = slots[first..].iter().take_while(|other| **other < slot + 1_000_000).count();
                prop_assert!(within <= rate as usize, "{within} slots in one second");
            }
        }
    }

    #[test]
    fn the_target_uses_the_limit_to_at_least_98_percent() {
        for rate in [20, 80, 1000] {
            let per_second = 1_000_000.0 / Limit(rate).interval_us() as f64;
            assert!(per_second > f64::from(rate) * 0.98, "{per_second}");
        }
    }

    #[test]
    fn a_block_never_reaches_further_than_a_quarter_second() {
        assert_eq!(Limit(80).block(), 19);
        assert_eq!(Limit(1).block(), 1);
        assert!(Limit(1000).block() as i64 * Limit(1000).interval_us() <= BLOCK_US);
    }

    #[test]
    fn a_missed_slot_is_not_usable() {
        assert!(usable(1_000_000, 1_000_000 + TOLERANCE_US));
        assert!(!usable(1_000_000, 1_000_001 + TOLERANCE_US));
    }
}
