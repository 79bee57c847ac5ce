//! What has not been delivered yet, in the places it can be: not due, being put together, ready,
//! open, or waiting for another try. It orders; it neither sends nor reads a clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};

use bytes::Bytes;

use crate::fate::Step;

/// A step of a message, by the message's number in the ledger.
pub(crate) type Covered = (u32, Step);

/// One POST. Its bytes never change, however often it is tried.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) id: u64,
    pub(crate) body: Bytes,
    /// The steps it tells of; none for an inbound message.
    pub(crate) covers: Vec<Covered>,
    pub(crate) attempts: u32,
    pub(crate) first_ms: i64,
    /// Whether the data file has it.
    pub(crate) kept: bool,
}

#[derive(Default)]
pub(crate) struct Outbox {
    due: BinaryHeap<Reverse<(i64, u32, Step)>>,
    /// Messages that people are going to answer.
    replies: BinaryHeap<Reverse<(i64, u32)>>,
    /// Steps that were taken out and are not in a webhook yet.
    taken: usize,
    ready: VecDeque<Webhook>,
    retry: BTreeMap<(i64, u64), Webhook>,
    open: HashMap<u64, Webhook>,
    next_id: u64,
    pub(crate) posts: u64,
    pub(crate) retries: u64,
    pub(crate) duplicates: u64,
    /// How often everything was cleared.
    clears: u64,
}

/// Steps that were taken out to be put together.
pub(crate) struct Taken {
    pub(crate) steps: Vec<Covered>,
    clears: u64,
}

impl Outbox {
    pub(crate) fn schedule(&mut self, message: u32, step: Step, due_ms: i64) {
        self.due.push(Reverse((due_ms, message, step)));
    }

    /// Has a step happen at another instant than it was scheduled for, if it was.
    pub(crate) fn hasten(&mut self, message: u32, step: Step, due_ms: i64) {
        self.due
            .retain(|Reverse((_, other, what))| (*other, *what) != (message, step));
        self.schedule(message, step, due_ms);
    }

    pub(crate) fn expect_reply(&mut self, message: u32, at_ms: i64) {
        self.replies.push(Reverse((at_ms, message)));
    }

    /// Takes the next message that is answered by now.
    pub(crate) fn take_reply(&mut self, now_ms: i64) -> Option<u32> {
        let Reverse((at_ms, message)) = self.replies.peek().copied()?;
        if at_ms > now_ms {
            return None;
        }
        self.replies.pop();
        Some(message)
    }

    /// A new webhook that may go at once.
    pub(crate) fn add(&mut self, body: Bytes, covers: Vec<Covered>, now_ms: i64) -> &mut Webhook {
        self.next_id += 1;
        self.ready.push_back(Webhook {
            id: self.next_id,
            body,
            covers,
            attempts: 0,
            first_ms: now_ms,
            kept: false,
        });
        let last = self.ready.len() - 1;
        &mut self.ready[last]
    }

    /// The same bytes once more, later, as if nobody knew of the first time.
    pub(crate) fn repeat(&mut self, body: Bytes, at_ms: i64) {
        self.next_id += 1;
        self.duplicates += 1;
        let webhook = Webhook {
            id: self.next_id,
            body,
            covers: Vec::new(),
            attempts: 0,
            first_ms: at_ms,
            kept: false,
        };
        self.retry.insert((at_ms, webhook.id), webhook);
    }

    /// A webhook from a former life, or one whose try failed.
    pub(crate) fn try_again(&mut self, webhook: Webhook, at_ms: i64) {
        self.next_id = self.next_id.max(webhook.id);
        self.retry.insert((at_ms, webhook.id), webhook);
    }

    /// Takes every step that is due, if the oldest has waited `gather_ms` for company. They count
    /// as undelivered until [`Outbox::put_together`] has them back.
    pub(crate) fn take_due(&mut self, now_ms: i64, gather_ms: i64) -> Taken {
        let mut steps = Vec::new();
        if self.is_flush_due(now_ms, gather_ms) {
            while let Some(Reverse((due, message, step))) = self.due.peek().copied()
                && due <= now_ms
            {
                self.due.pop();
                steps.push((message, step));
            }
        }
        self.taken += steps.len();
        Taken {
            steps,
            clears: self.clears,
        }
    }

    /// Ends the putting together of steps; says whether they still matter.
    pub(crate) fn put_together(&mut self, taken: &Taken) -> bool {
        let current = taken.clears == self.clears;
        if current {
            self.taken -= taken.steps.len();
        }
        current
    }

    /// Opens the next webhook that may go now.
    pub(crate) fn open_next(&mut self, now_ms: i64) -> Option<Webhook> {
        while let Some(entry) = self.retry.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            let webhook = entry.remove();
            self.ready.push_back(webhook);
        }
        let webhook = self.ready.pop_front()?;
        self.posts += 1;
        self.retries += u64::from(webhook.attempts > 0);
        self.open.insert(webhook.id, webhook.clone());
        Some(webhook)
    }

    /// Takes back an open webhook; `None` when everything was cleared meanwhile.
    pub(crate) fn close(&mut self, id: u64) -> Option<Webhook> {
        self.open.remove(&id)
    }

    /// The next instant at which somebody answers.
    pub(crate) fn next_reply_ms(&self) -> Option<i64> {
        self.replies.peek().map(|Reverse((at, _))| *at)
    }

    /// The next instant at which something can be delivered. Without room for another call, tries
    /// wait for one to end and not for an instant.
    pub(crate) fn next_ms(&self, gather_ms: i64, room: bool) -> Option<i64> {
        let flush = self.due.peek().map(|Reverse((due, ..))| due + gather_ms);
        let retry = self.retry.keys().next().map(|(at, _)| *at).filter(|_| room);
        flush.into_iter().chain(retry).min()
    }

    /// Forgets everything but the ids that were used.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            next_id: self.next_id,
            clears: self.clears + 1,
            ..Self::default()
        };
    }

    /// Calls that are open, or would be if the engine had run.
    pub(crate) fn running(&self, now_ms: i64, gather_ms: i64) -> usize {
        let again = self.retry.range(..(now_ms + 1, 0)).count();
        let flush = usize::from(self.taken > 0 || self.is_flush_due(now_ms, gather_ms));
        self.open.len() + self.ready.len() + again + flush
    }

    /// Whether somebody answers at this very instant.
    pub(crate) fn is_reply_due(&self, now_ms: i64) -> bool {
        self.next_reply_ms().is_some_and(|at| at <= now_ms)
    }

    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// Webhooks that were put together and not confirmed.
    pub(crate) fn waiting(&self) -> usize {
        self.webhooks().count()
    }

    /// Steps and inbound messages that were not confirmed, and answers that are still to come.
    pub(crate) fn undelivered(&self) -> usize {
        let inside = self.webhooks().map(|webhook| webhook.covers.len().max(1));
        self.due.len() + self.taken + self.replies.len() + inside.sum::<usize>()
    }

    fn is_flush_due(&self, now_ms: i64, gather_ms: i64) -> bool {
        let oldest = self.due.peek();
        oldest.is_some_and(|Reverse((due, ..))| due + gather_ms <= now_ms)
    }

    fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.ready
            .iter()
            .chain(self.retry.values())
            .chain(self.open.values())
    }
}
