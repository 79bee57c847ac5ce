//! The only way this crate waits and the only clock it reads, so that a test can move time.

use std::time::{Duration, Instant, UNIX_EPOCH};

use futures::future::BoxFuture;

/// A clock that can also wake somebody up.
pub trait Time: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;

    /// Microseconds since the Unix epoch: the throughput window is counted in these. A clock that
    /// only knows milliseconds may keep this default.
    fn now_us(&self) -> i64 {
        self.now_ms() * 1000
    }

    /// Completes once `now_ms()` has reached `ms`; at once when it already has. The future may be
    /// dropped unfinished, and often is: the engine asks again after every event.
    fn sleep_until(&self, ms: i64) -> BoxFuture<'static, ()>;
}

/// The machine's clock. It reads the wall once and counts on monotonically from there, because a
/// clock that steps back would let a window admit too many.
pub struct SystemTime {
    wall_us: i64,
    since: Instant,
}

impl SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the simulator's time comes from"
    )]
    pub fn new() -> Self {
        let wall = std::time::SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            wall_us: i64::try_from(wall.as_micros()).unwrap_or(i64::MAX),
            since: Instant::now(),
        }
    }
}

impl Default for SystemTime {
    fn default() -> Self {
        Self::new()
    }
}

impl Time for SystemTime {
    fn now_ms(&self) -> i64 {
        self.now_us() / 1000
    }

    fn now_us(&self) -> i64 {
        let passed = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.wall_us.saturating_add(passed)
    }

    fn sleep_until(&self, ms: i64) -> BoxFuture<'static, ()> {
        let wait = ms.saturating_mul(1000).saturating_sub(self.now_us());
        let wait = Duration::from_micros(u64::try_from(wait).unwrap_or(0));
        Box::pin(tokio::time::sleep(wait))
    }
}
