//! A clock that stands still until it is moved, and knows for which instants somebody waits. The
//! application and the simulator share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use app::ports::Clock;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::oneshot;

pub(crate) const START: i64 = 1_795_000_000;

#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    waiting: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    next: u64,
}

/// Forgets a sleep that was dropped before its instant.
struct Sleep {
    clock: TestClock,
    place: (Timestamp, u64),
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.0.lock().unwrap().waiting.remove(&self.place);
    }
}

impl TestClock {
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_second(START).unwrap();
        Self(Arc::new(Mutex::new(State {
            now,
            waiting: BTreeMap::new(),
            next: 0,
        })))
    }

    /// The first instant that somebody waits for.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.0
            .lock()
            .unwrap()
            .waiting
            .keys()
            .next()
            .map(|(instant, _)| *instant)
    }

    /// Moves time forward, never back, and wakes whoever waited for it.
    pub(crate) fn advance_to(&self, instant: Timestamp) {
        let mut state = self.0.lock().unwrap();
        state.now = state.now.max(instant);
        let now = state.now;
        let later = state.waiting.split_off(&(now, u64::MAX));
        for (_, waiter) in std::mem::replace(&mut state.waiting, later) {
            // A sleeper that was dropped meanwhile needs no waking.
            let _ = waiter.send(());
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().now
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        let mut state = self.0.lock().unwrap();
        if instant <= state.now {
            return Box::pin(async {});
        }
        let place = (instant, state.next);
        state.next += 1;
        let (waker, woken) = oneshot::channel();
        state.waiting.insert(place, waker);
        let sleep = Sleep {
            clock: self.clone(),
            place,
        };
        Box::pin(async move {
            let _sleep = sleep;
            let _ = woken.await;
        })
    }
}

impl simulator::Time for TestClock {
    fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }

    fn now_us(&self) -> i64 {
        self.now().as_microsecond()
    }

    fn sleep_until(&self, ms: i64) -> BoxFuture<'static, ()> {
        match Timestamp::from_millisecond(ms) {
            Ok(instant) => Clock::sleep_until(self, instant),
            // Beyond the calendar: never, as far as a test is concerned.
            Err(_) => Box::pin(std::future::pending()),
        }
    }
}
