//! A queue that delivers everything twice, as SQS may: the second delivery comes a little later, while
//! the first is worked on or after it was deleted.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use app::Error;
use app::ports::{Outgoing, Queue};
use futures::future::BoxFuture;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{LocalQueue, MAX_DELAY};

/// How much later the second delivery comes: at once, in the midst of the work, or long after it.
const LATER_MS: [std::ops::Range<u64>; 3] = [0..50, 50..2_000, 2_000..30_000];

pub struct Twice {
    queue: LocalQueue,
    chance: Mutex<StdRng>,
}

impl Twice {
    /// The seed decides how late each second delivery is.
    #[must_use]
    pub fn new(queue: LocalQueue, seed: u64) -> Self {
        Self {
            queue,
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }

    fn again(&self, message: &Outgoing) -> Outgoing {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        let range = LATER_MS[chance.random_range(0..LATER_MS.len())].clone();
        let later = Duration::from_millis(chance.random_range(range));
        Outgoing {
            delay: (message.delay + later).min(MAX_DELAY),
            ..message.clone()
        }
    }
}

impl Queue for Twice {
    fn send(&self, messages: Vec<Outgoing>) -> BoxFuture<'_, Result<(), Error>> {
        let again: Vec<_> = messages.iter().map(|message| self.again(message)).collect();
        self.queue.send(messages.into_iter().chain(again).collect())
    }
}
