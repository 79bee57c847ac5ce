//! What the same traffic would have asked of SQS, in requests as it charges them.
//!
//! The model: messages are sent in batches of up to ten; Lambda's poller receives a batch with one
//! request and deletes what is done of it with one; a message that is given back is one request of its
//! own; each started 64 KB of a request counts as one (SQS: pricing). Not counted here is what does not
//! depend on the traffic: the pollers also ask while a queue is empty.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use app::ports::Outgoing;
use app::task::QueueName;

use super::Received;

/// The most messages in one request (SQS: quotas).
const BATCH: usize = 10;

/// What one request may carry before it counts as two.
const CHARGED_BYTES: usize = 64 * 1024;

/// The requests of each queue.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<&'static str, Tally>>);

/// Requests of one queue, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub send: u64,
    pub receive: u64,
    pub delete: u64,
    pub change_visibility: u64,
    /// Messages that were sent, however few requests it took.
    pub messages: u64,
}

impl Requests {
    /// By the queue's name.
    #[must_use]
    pub fn tallies(&self) -> BTreeMap<&'static str, Tally> {
        self.lock().clone()
    }

    /// One call of the port: SQS takes a batch for each queue.
    pub(super) fn sent(&self, messages: &[Outgoing]) {
        let mut tallies = self.lock();
        for messages in messages.chunk_by(|a, b| a.queue == b.queue) {
            for batch in messages.chunks(BATCH) {
                let bytes = batch.iter().map(|message| message.body.len()).sum();
                let tally = tallies.entry(batch[0].queue.as_str()).or_default();
                tally.send += charged(bytes);
                tally.messages += batch.len() as u64;
            }
        }
    }

    pub(super) fn received(&self, queue: QueueName, messages: &[Received]) {
        if messages.is_empty() {
            return;
        }
        let bytes = messages.iter().map(|message| message.body.len()).sum();
        self.lock().entry(queue.as_str()).or_default().receive += charged(bytes);
    }

    pub(super) fn given_back(&self, queue: QueueName) {
        self.lock()
            .entry(queue.as_str())
            .or_default()
            .change_visibility += 1;
    }

    /// What was done of one batch is deleted.
    pub(crate) fn deleted(&self, queue: QueueName) {
        self.lock().entry(queue.as_str()).or_default().delete += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Tally>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn charged(bytes: usize) -> u64 {
    bytes.div_ceil(CHARGED_BYTES).max(1) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outgoing(queue: QueueName, bytes: usize) -> Outgoing {
        Outgoing {
            queue,
            body: "x".repeat(bytes),
            group: String::new(),
            delay: Duration::ZERO,
        }
    }

    #[test]
    fn ten_messages_are_one_request_and_large_ones_are_more() {
        let requests = Requests::default();
        let many: Vec<_> = (0..23)
            .map(|_| outgoing(QueueName::CampaignSend, 100))
            .collect();
        requests.sent(&many);
        requests.sent(&[outgoing(QueueName::Webhook, 70_000)]);
        let tallies = requests.tallies();
        assert_eq!(tallies["campaign-send"].send, 3);
        assert_eq!(tallies["campaign-send"].messages, 23);
        assert_eq!(tallies["webhook"].send, 2);
    }

    #[test]
    fn an_empty_receive_is_not_traffic() {
        let requests = Requests::default();
        requests.received(QueueName::Webhook, &[]);
        assert!(requests.tallies().is_empty());
    }
}
