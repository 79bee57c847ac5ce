//! Rate limits as arithmetic.
//!
//! A bucket is one instant: when it will be full again. Whoever takes one moves the instant by the time
//! that one needs to grow back, and the bucket is empty when the instant is too far ahead. So an idle
//! bucket needs no upkeep, and losing it means a full one.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// So many at once, and one more after each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    interval: SignedDuration,
}

impl Rate {
    /// `count` for each `period` in the long run, and `burst` of them at once. Zero counts as one.
    #[must_use]
    pub fn new(count: u32, period: SignedDuration, burst: u32) -> Self {
        Self {
            burst: burst.max(1),
            interval: period / i32::try_from(count.max(1)).unwrap_or(i32::MAX),
        }
    }

    /// How many can be taken now.
    #[must_use]
    pub fn left(self, full_at: Timestamp, now: Timestamp) -> u32 {
        let growing = full_at.duration_since(now).max(SignedDuration::ZERO);
        let room = self.interval * self.size() - growing;
        let left = room.as_micros() / self.interval.as_micros().max(1);
        u32::try_from(left.max(0)).unwrap_or(u32::MAX)
    }

    /// When the bucket is full again, after so many were taken.
    #[must_use]
    pub fn after(self, full_at: Timestamp, now: Timestamp, taken: u32) -> Timestamp {
        let taken = i32::try_from(taken).unwrap_or(i32::MAX);
        full_at.max(now) + self.interval * taken
    }

    /// How long until the next one can be taken.
    #[must_use]
    pub fn wait(self, full_at: Timestamp, now: Timestamp) -> Duration {
        let free_at = full_at - self.interval * (self.size() - 1);
        Duration::try_from(free_at.duration_since(now)).unwrap_or_default()
    }

    /// How many grow back in this time, at least one.
    #[must_use]
    pub fn within(self, time: SignedDuration) -> u32 {
        let many = time.as_micros() / self.interval.as_micros().max(1);
        u32::try_from(many.max(1)).unwrap_or(u32::MAX)
    }

    fn size(self) -> i32 {
        i32::try_from(self.burst).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn minute() -> Rate {
        Rate::new(60, SignedDuration::from_mins(1), 5)
    }

    #[test]
    fn an_idle_bucket_gives_its_burst_and_then_one_each_interval() {
        let rate = minute();
        let now = at(0);
        assert_eq!(rate.left(at(-100), now), 5);
        let full_at = rate.after(at(-100), now, 5);
        assert_eq!(rate.left(full_at, now), 0);
        assert_eq!(rate.wait(full_at, now), Duration::from_secs(1));
        assert_eq!(rate.left(full_at, at(1)), 1);
        assert_eq!(rate.left(full_at, at(60)), 5);
    }

    #[test]
    fn in_the_long_run_no_more_is_given_than_the_rate() {
        let rate = minute();
        let (mut full_at, mut given) = (at(0), 0);
        for second in 0..600 {
            for _ in 0..3 {
                if rate.left(full_at, at(second)) > 0 {
                    full_at = rate.after(full_at, at(second), 1);
                    given += 1;
                }
            }
        }
        assert!((600..=605).contains(&given), "{given}");
    }

    #[test]
    fn what_grows_back_in_a_while_is_at_least_one() {
        assert_eq!(minute().within(SignedDuration::from_secs(2)), 2);
        assert_eq!(minute().within(SignedDuration::from_millis(2)), 1);
    }
}
