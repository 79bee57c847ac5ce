//! The one thread that changes the queues.
//!
//! It takes every command that is waiting, applies them in one transaction and answers after the
//! commit, so a thousand callers cost one commit. When the file refuses, every caller of that
//! transaction is told, and memory is read anew from the file, which is the truth.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use app::ports::{Clock, Outgoing};
use app::task::QueueName;
use jiff::Timestamp;
use tokio::sync::{Notify, futures::Notified, oneshot};

use super::state::State;
use super::store::Store;
use super::{Failure, Receipt, Received, Stats};
use crate::template;

/// How many commands one transaction takes at most, so that the first does not wait for ever.
const GROUP: usize = 1024;

pub(super) type Reply<T> = oneshot::Sender<Result<T, Failure>>;

pub(super) enum Command {
    Send {
        messages: Vec<Outgoing>,
        reply: Reply<()>,
    },
    Receive {
        queue: QueueName,
        max: usize,
        reply: Reply<Vec<Received>>,
    },
    Delete {
        queue: QueueName,
        receipt: Receipt,
        reply: Reply<bool>,
    },
    Retry {
        queue: QueueName,
        receipt: Receipt,
        after: Duration,
        reply: Reply<bool>,
    },
    Extend {
        queue: QueueName,
        receipt: Receipt,
        timeout: Duration,
        reply: Reply<bool>,
    },
    Redrive {
        queue: QueueName,
        reply: Reply<usize>,
    },
    Stats {
        queue: QueueName,
        reply: Reply<Stats>,
    },
}

/// What those who wait may see of a queue without asking the thread.
#[derive(Default)]
pub(super) struct Board {
    next: Mutex<Option<Timestamp>>,
    notify: Notify,
}

impl Board {
    pub(super) fn next(&self) -> Option<Timestamp> {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changed(&self) -> Notified<'_> {
        self.notify.notified()
    }

    fn post(&self, next: Option<Timestamp>) {
        let old = std::mem::replace(
            &mut *self.next.lock().unwrap_or_else(PoisonError::into_inner),
            next,
        );
        if old != next || next == Some(Timestamp::MIN) {
            self.notify.notify_waiters();
        }
    }
}

pub(super) struct Writer {
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        store: Store,
        queues: &[template::Queue],
        boards: HashMap<QueueName, Arc<Board>>,
        clock: Arc<dyn Clock>,
    ) -> rusqlite::Result<Self> {
        let released = store.release_in_flight()?;
        if released > 0 {
            tracing::info!(
                messages = released,
                "messages that were in flight when the process ended are back"
            );
        }
        let mut state = State::load(store, queues, clock)?;
        post(&state, &boards);
        let (commands, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("queue".to_owned())
            .spawn(move || run(&mut state, &boards, &receiver))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(Self {
            commands: Some(commands),
            thread: Some(thread),
        })
    }

    /// A command after the thread's end drops its reply, and the caller sees that.
    pub(super) fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            drop(commands.send(command));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends with its channel, and the file is closed when it has.
        self.commands = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the queue's thread panicked");
        }
    }
}

/// Sends one answer, once the commit is known.
type Answer = Box<dyn FnOnce(Result<(), Failure>)>;

fn run(state: &mut State, boards: &HashMap<QueueName, Arc<Board>>, commands: &Receiver<Command>) {
    while let Ok(first) = commands.recv() {
        let group: Vec<Command> = std::iter::once(first)
            .chain(commands.try_iter())
            .take(GROUP)
            .collect();
        let mut answers = Vec::with_capacity(group.len());
        let result = transact(state, group, &mut answers).map_err(Failure::new);
        if let Err(error) = &result {
            tracing::error!(%error, "the queue file refused a transaction");
            state.recover();
        }
        // The board first: who hears an answer may look at it.
        post(state, boards);
        for answer in answers {
            answer(result.clone());
        }
    }
    state.close();
}

fn post(state: &State, boards: &HashMap<QueueName, Arc<Board>>) {
    for (queue, board) in boards {
        board.post(state.next(*queue));
    }
}

/// After a failure no further command is run, but every caller gets an answer.
fn transact(
    state: &mut State,
    commands: Vec<Command>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    let mut outcome = state.begin();
    for command in commands {
        let run = outcome.is_ok();
        let (answer, result) = apply(state, command, run);
        answers.push(answer);
        outcome = outcome.and(result);
    }
    outcome.and_then(|()| state.commit())
}

fn apply(state: &mut State, command: Command, run: bool) -> (Answer, rusqlite::Result<()>) {
    match command {
        Command::Send { messages, reply } => prepare(reply, run.then(|| state.send(&messages))),
        Command::Receive { queue, max, reply } => {
            prepare(reply, run.then(|| state.receive(queue, max)))
        }
        Command::Delete {
            queue,
            receipt,
            reply,
        } => prepare(reply, run.then(|| state.delete(queue, receipt))),
        Command::Retry {
            queue,
            receipt,
            after,
            reply,
        } => prepare(reply, run.then(|| state.retry(queue, receipt, after))),
        Command::Extend {
            queue,
            receipt,
            timeout,
            reply,
        } => prepare(reply, run.then(|| state.extend(queue, receipt, timeout))),
        Command::Redrive { queue, reply } => prepare(reply, run.then(|| state.redrive(queue))),
        Command::Stats { queue, reply } => prepare(reply, run.then(|| Ok(state.stats(queue)))),
    }
}

/// Splits a result into what the caller hears after the commit, and what the transaction hears now.
fn prepare<T: 'static>(
    reply: Reply<T>,
    result: Option<rusqlite::Result<T>>,
) -> (Answer, rusqlite::Result<()>) {
    let (value, outcome) = match result {
        Some(Ok(value)) => (Some(value), Ok(())),
        Some(Err(error)) => (None, Err(error)),
        None => (None, Ok(())),
    };
    let answer: Answer = Box::new(move |committed| {
        // A missing value means that the transaction failed, so there is always something to say.
        let answer = match value {
            Some(value) => committed.map(|()| value),
            None => match committed {
                Err(error) => Err(error),
                Ok(()) => return,
            },
        };
        // Nobody may listen any more: a message that was received then comes back by itself.
        drop(reply.send(answer));
    });
    (answer, outcome)
}
