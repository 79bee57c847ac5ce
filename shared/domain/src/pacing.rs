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

/// The share that a fast number aims at. A thousand messages a second keep a sender busy, so that they
/// scatter more: at 1,000 a second this leaves 53 ms.
const TARGET_FAST: f64 = 0.95;

/// From this limit on a number is fast.
const FAST: u32 = 500;

/// How much longer an agent's slot is than a campaign's. Agents' messages come in bursts, and a burst
/// is work for whoever sends: what arrives late during one finds its room in the next second here.
/// Fifty messages at 80 a second leave another 50 ms.
const CHAT_SLOT: f64 = 1.08;

/// A campaign holds at most this much of the future. Agents' messages take the slots right after it,
/// so this is how long a saturated number keeps a person who answers waiting.
pub const HORIZON_US: i64 = 125_000;

/// A slot that is reached later than this is dropped.
pub const TOLERANCE_US: i64 = 8_000;

impl Limit {
    /// Microseconds between two slots.
    #[must_use]
    pub fn interval_us(self) -> i64 {
        self.interval_beside_us(0.0)
    }

    /// Microseconds that an agent's message takes.
    #[must_use]
    pub fn chat_interval_us(self) -> i64 {
        (self.interval_us() as f64 * CHAT_SLOT).ceil() as i64
    }

    /// Microseconds between two slots when this many a second are left free for inbound messages. A
    /// fifth of the limit always stays for sending.
    #[must_use]
    pub fn interval_beside_us(self, spare: f64) -> i64 {
        let share = if self.0 < FAST { TARGET } else { TARGET_FAST };
        let target = f64::from(self.0.max(1)) * share;
        (1_000_000.0 / (target - spare.max(0.0)).max(target / 5.0)).ceil() as i64
    }

    /// The most slots that one reservation may take: what the horizon holds, at least one.
    #[must_use]
    pub fn block(self) -> usize {
        (HORIZON_US / self.interval_us()).max(1) as usize
    }
}

/// How many messages a second come in, as far as the past few seconds tell. Meta counts them against
/// the number's limit at the instant they are sent (Meta: throughput), and we learn of them later.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Inbound {
    per_second: f64,
    at_us: i64,
}

/// The memory of [`Inbound`]: after this time a message weighs a third.
const MEMORY_US: f64 = 5_000_000.0;

/// Below this rate nobody is writing any more.
const QUIET: f64 = 0.02;

impl Inbound {
    /// The estimate after `count` more messages.
    #[must_use]
    pub fn after(self, count: usize, now_us: i64) -> Self {
        Self {
            per_second: self.rate(now_us) + count as f64 * 1_000_000.0 / MEMORY_US,
            at_us: self.at_us.max(now_us),
        }
    }

    /// Slots a second to leave free for messages that are on their way in and not known yet. Arrivals
    /// scatter by the root of their rate, and the first announces others.
    #[must_use]
    pub fn spare(self, now_us: i64) -> f64 {
        let rate = self.rate(now_us);
        if rate < QUIET {
            0.0
        } else {
            3.0 + 2.2 * rate.sqrt()
        }
    }

    fn rate(self, now_us: i64) -> f64 {
        let passed = (now_us - self.at_us).max(0) as f64;
        self.per_second * (-passed / MEMORY_US).exp()
    }
}

/// How far sending moves back when `count` messages came in: a slot for each, and at once what is to
/// be left free from now on, because the present second is full already.
#[must_use]
pub fn debit_us(limit: Limit, before: Inbound, after: Inbound, count: usize, now_us: i64) -> i64 {
    let more = (after.spare(now_us) - before.spare(now_us)).max(0.0);
    ((count as f64 + more) * limit.interval_us() as f64).ceil() as i64
}

/// How long a number rests after Meta called it too fast: longer each time it happens again soon.
#[must_use]
pub fn rest_us(times: u32) -> i64 {
    1_000_000 << times.min(4)
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
    pub fn new(interval_us: i64, start_us: i64, count: usize) -> Self {
        Self {
            start_us,
            interval_us,
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
                let block = Block::new(limit.interval_us(), next + gap, *count);
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
    fn the_target_uses_the_limit_to_at_least_98_percent_and_a_fast_one_to_94() {
        for (rate, share) in [(20, 0.98), (80, 0.98), (1000, 0.94)] {
            let per_second = 1_000_000.0 / Limit(rate).interval_us() as f64;
            assert!(per_second > f64::from(rate) * share, "{per_second}");
        }
    }

    #[test]
    fn a_block_never_reaches_further_than_the_horizon() {
        assert_eq!(Limit(80).block(), 9);
        assert_eq!(Limit(1).block(), 1);
        assert!(Limit(1000).block() as i64 * Limit(1000).interval_us() <= HORIZON_US);
    }

    #[test]
    fn the_first_inbound_message_leaves_room_for_others_and_silence_gives_it_back() {
        let quiet = Inbound::default();
        assert!(quiet.spare(1_000_000) < f64::EPSILON);
        let one = quiet.after(1, 1_000_000);
        assert!(one.spare(1_000_000) > 3.0);
        assert!(one.spare(20_000_000) < f64::EPSILON);
        let debit = debit_us(Limit(80), quiet, one, 1, 1_000_000);
        assert!(debit >= 4 * Limit(80).interval_us(), "{debit}");
    }

    #[test]
    fn a_steady_stream_is_estimated_and_its_scatter_is_left_free() {
        let mut inbound = Inbound::default();
        for message in 0..400 {
            inbound = inbound.after(1, message * 125_000);
        }
        let now = 399 * 125_000;
        let spare = inbound.spare(now);
        assert!((8.0..11.0).contains(&spare), "{spare} for eight a second");
        let interval = Limit(80).interval_beside_us(spare);
        assert!(interval > Limit(80).interval_us());
    }

    #[test]
    fn inbound_messages_never_stop_the_sending() {
        let flood = Inbound::default().after(100_000, 0);
        let interval = Limit(80).interval_beside_us(flood.spare(0));
        assert!(interval <= 5 * Limit(80).interval_us() + 5);
    }

    #[test]
    fn a_number_rests_longer_when_it_is_called_too_fast_again() {
        assert_eq!(
            (rest_us(0), rest_us(1), rest_us(9)),
            (1_000_000, 2_000_000, 16_000_000)
        );
    }

    #[test]
    fn a_missed_slot_is_not_usable() {
        assert!(usable(1_000_000, 1_000_000 + TOLERANCE_US));
        assert!(!usable(1_000_000, 1_000_001 + TOLERANCE_US));
    }
}
