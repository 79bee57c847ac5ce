//! What is going on inside, for a harness that must know when the simulator is at rest.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::core::lock;
use crate::time::Time;

/// A look at the simulator. It is at rest when both `running` figures are zero: whatever is left
/// then waits for time to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Requests being worked on, without those that wait for an instant that has not come.
    pub requests_running: usize,
    /// Requests that wait for an instant that has not come, such as the end of the answer latency.
    pub requests_waiting: usize,
    /// Webhook calls that are open, or due now and about to be opened.
    pub deliveries_running: usize,
    /// Statuses and inbound messages that the callback has not yet confirmed, and answers of people
    /// that are still to come.
    pub undelivered: usize,
}

/// Counts the requests inside. A request whose waking instant has come counts as running again
/// even before it was scheduled, otherwise a harness would see rest where there is none.
#[derive(Default)]
pub(crate) struct Requests {
    inside: Arc<AtomicUsize>,
    waiting: Mutex<BTreeSet<(i64, u64)>>,
    next: AtomicU64,
}

impl Requests {
    pub(crate) fn enter(&self) -> Entered {
        self.inside.fetch_add(1, Ordering::SeqCst);
        Entered(Arc::clone(&self.inside))
    }

    /// Waits for `until_ms`. Dropping the future, as a lost connection does, leaves no trace.
    pub(crate) async fn wait(&self, time: &dyn Time, until_ms: i64) {
        if time.now_ms() >= until_ms {
            return;
        }
        let place = (until_ms, self.next.fetch_add(1, Ordering::Relaxed));
        lock(&self.waiting).insert(place);
        let _place = Place(self, place);
        while time.now_ms() < until_ms {
            time.sleep_until(until_ms).await;
        }
    }

    /// How many requests run, and how many wait.
    pub(crate) fn count(&self, now_ms: i64) -> (usize, usize) {
        let waiting = lock(&self.waiting);
        let asleep = waiting.range((now_ms + 1, 0)..).count();
        let inside = self.inside.load(Ordering::SeqCst);
        (inside.saturating_sub(asleep), asleep)
    }
}

/// A request that is inside until this is dropped.
pub(crate) struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Place<'a>(&'a Requests, (i64, u64));

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(&self.0.waiting).remove(&self.1);
    }
}
