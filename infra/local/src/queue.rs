//! A durable queue in one SQLite file, with the semantics of SQS.
//!
//! It is not a broker: one process holds the file, and a second one must not open it. At least once,
//! visibility time-outs, delays, receive counts, dead letters after too many receives, FIFO groups,
//! and on standard queues fairness between groups.
//!
//! Invariants. An answer means that the change is committed. A message is handed out under one
//! receipt at a time, and an older receipt does nothing. When the process starts, whatever a dead
//! one held is visible again. SQS differs in two harmless ways: it parks a message at the receive
//! that would be one too many, and this queue as soon as the last one ends; and it looks for
//! duplicates on FIFO queues, which this one leaves to the idempotent handlers.

mod requests;
mod shelf;
mod state;
mod store;
mod turns;
mod twice;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use app::Error;
use app::ports::{Clock, Outgoing, Queue};
use app::task::QueueName;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::template;
pub use requests::{Requests, Tally};
pub use twice::Twice;
use writer::{Board, Command, Writer};

/// The longest delay of a message (SQS: message timers).
const MAX_DELAY: Duration = Duration::from_secs(900);

/// The longest body (SQS: 1 MiB).
const MAX_BODY: usize = 1024 * 1024;

/// Where messages are kept.
#[derive(Debug, Clone)]
pub enum Place {
    Memory,
    File(PathBuf),
}

/// One delivery of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub queue: QueueName,
    pub id: i64,
    pub receipt: Receipt,
    pub group: String,
    pub body: String,
    /// 1 at the first delivery.
    pub receive_count: u32,
}

/// The right to settle one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    id: i64,
    nonce: u32,
}

/// How many messages are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub ready: usize,
    /// Waiting for their time, either since they were sent or since a retry.
    pub delayed: usize,
    pub in_flight: usize,
    /// In the dead-letter queue.
    pub dead: usize,
}

impl Stats {
    /// Whether nothing is left to be done, now or later.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.ready + self.delayed + self.in_flight == 0
    }
}

/// All queues of the process. Clones share them; the last one closes the file.
#[derive(Clone)]
pub struct LocalQueue(Arc<Parts>);

struct Parts {
    writer: Writer,
    boards: HashMap<QueueName, Arc<Board>>,
    clock: Arc<dyn Clock>,
    requests: Requests,
}

impl LocalQueue {
    /// Opens the queues of the template.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn open(
        place: &Place,
        queues: &[template::Queue],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let store = store::Store::open(place)
            .map_err(|error| failed("the queue file cannot be opened", error))?;
        let boards: HashMap<_, _> = queues
            .iter()
            .map(|queue| (queue.name, Arc::default()))
            .collect();
        let writer = Writer::start(store, queues, boards.clone(), Arc::clone(&clock))
            .map_err(|error| failed("the queue file cannot be read", error))?;
        Ok(Self(Arc::new(Parts {
            writer,
            boards,
            clock,
            requests: Requests::default(),
        })))
    }

    /// What SQS would have been asked so far.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// Up to `max` messages, which stay invisible to others for the queue's visibility time-out.
    ///
    /// # Errors
    /// The file cannot be written; nothing was received.
    pub async fn receive(&self, queue: QueueName, max: usize) -> Result<Vec<Received>, Error> {
        let received = self.ask(|reply| Command::Receive { queue, max, reply });
        let received = received.await?;
        self.0.requests.received(queue, &received);
        Ok(received)
    }

    /// Deletes a message that was handled. `false`: the receipt is stale, and the message lives on.
    ///
    /// # Errors
    /// The file cannot be written; the message will be delivered again.
    pub async fn delete(&self, message: &Received) -> Result<bool, Error> {
        let (queue, receipt) = (message.queue, message.receipt);
        self.ask(|reply| Command::Delete {
            queue,
            receipt,
            reply,
        })
        .await
    }

    /// Gives a message back, to be delivered again after a while.
    ///
    /// # Errors
    /// The file cannot be written; the message comes back at its visibility time-out.
    pub async fn retry(&self, message: &Received, after: Duration) -> Result<bool, Error> {
        let (queue, receipt) = (message.queue, message.receipt);
        self.0.requests.given_back(queue);
        self.ask(|reply| Command::Retry {
            queue,
            receipt,
            after,
            reply,
        })
        .await
    }

    /// Keeps a message invisible for another while, counted from now.
    ///
    /// # Errors
    /// The file cannot be written; the time-out is what it was.
    pub async fn change_visibility(
        &self,
        message: &Received,
        timeout: Duration,
    ) -> Result<bool, Error> {
        let (queue, receipt) = (message.queue, message.receipt);
        self.ask(|reply| Command::Extend {
            queue,
            receipt,
            timeout,
            reply,
        })
        .await
    }

    /// Resolves when the queue may have a message to receive. Somebody else may be faster.
    pub async fn wait(&self, queue: QueueName) {
        let Some(board) = self.0.boards.get(&queue) else {
            return std::future::pending().await;
        };
        loop {
            // Registered before looking, or a message that arrives in between wakes nobody.
            let changed = board.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match board.next() {
                Some(due) if due <= self.0.clock.now() => return,
                Some(due) => {
                    tokio::select! {
                        () = &mut changed => {}
                        () = self.0.clock.sleep_until(due) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// # Errors
    /// The queues are closed.
    pub async fn stats(&self, queue: QueueName) -> Result<Stats, Error> {
        self.ask(|reply| Command::Stats { queue, reply }).await
    }

    /// When the next message becomes visible, in whichever queue; an instant that has passed means
    /// that one is ready. For whoever moves the clock.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.0
            .boards
            .values()
            .filter_map(|board| board.next())
            .min()
    }

    /// Takes every message of a dead-letter queue back, as if it were new. How many there were.
    ///
    /// # Errors
    /// The file cannot be written; nothing was moved.
    pub async fn redrive(&self, queue: QueueName) -> Result<usize, Error> {
        self.ask(|reply| Command::Redrive { queue, reply }).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.0.writer.send(command(reply));
        match answer.await {
            Ok(result) => result.map_err(|error| failed("the queue file cannot be written", error)),
            Err(_) => Err(Error::broken("the queue is closed")),
        }
    }
}

impl Queue for LocalQueue {
    fn send(&self, messages: Vec<Outgoing>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            for message in &messages {
                if message.delay > MAX_DELAY {
                    return Err(Error::broken(
                        "a message is delayed by more than 15 minutes",
                    ));
                }
                if message.body.len() > MAX_BODY {
                    return Err(Error::broken("a message is longer than 1 MiB"));
                }
                if !self.0.boards.contains_key(&message.queue) {
                    return Err(Error::broken(
                        "a message is for a queue that the template does not have",
                    ));
                }
            }
            self.0.requests.sent(&messages);
            self.ask(|reply| Command::Send { messages, reply }).await
        })
    }
}

/// A failure of SQLite. It is cloned because one failed commit answers many callers.
type Failure = Arc<rusqlite::Error>;

fn failed(context: &'static str, error: impl Into<Failure>) -> Error {
    Error::unavailable(context, error.into())
}
