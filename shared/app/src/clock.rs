//! The machine's time, for every process that is not a test.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::ports::Clock;

/// The wall clock, and tokio's timer to wait with: a sleep ends up to a millisecond late, because
/// the timer counts in milliseconds, and never early.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock port")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Looks again after each sleep: the wall clock may have been set back meanwhile.
            while let Ok(remaining) = Duration::try_from(instant.duration_since(Self.now())) {
                if remaining.is_zero() {
                    return;
                }
                tokio::time::sleep(remaining).await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleep_ends_at_its_instant_and_not_before() {
        let until = SystemClock.now() + Duration::from_micros(2_500);
        SystemClock.sleep_until(until).await;
        assert!(SystemClock.now() >= until);
    }

    #[tokio::test]
    async fn a_sleep_until_the_past_ends_at_once() {
        let past = SystemClock.now() - Duration::from_secs(3600);
        tokio::time::timeout(Duration::from_secs(1), SystemClock.sleep_until(past))
            .await
            .unwrap();
    }
}
