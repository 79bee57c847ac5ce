//! The queues on SQS.

use std::time::Duration;

use app::Error;
use app::config::Queues;
use app::ports::{Outgoing, Queue};
use app::task::QueueName;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use futures::future::BoxFuture;

#[cfg(test)]
mod tests;

/// The most that one call carries, in messages and in bytes (SQS: quotas).
const BATCH: usize = 10;
const BATCH_BYTES: usize = 1024 * 1024;

/// The longest a message can be held back when it is sent, and when it is given back (SQS: quotas).
const DELAY_MAX: Duration = Duration::from_secs(15 * 60);
const HIDDEN_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// How long giving one message back may take. A batch has ten messages and five are settled at once,
/// so even a silent SQS holds up an invocation for less than its margin before the deadline.
const GIVE_BACK: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    addresses: Queues,
}

impl SqsQueue {
    #[must_use]
    pub fn new(client: Client, addresses: Queues) -> Self {
        Self { client, addresses }
    }

    /// Lets a received message be delivered again after a while instead of at its visibility time-out.
    ///
    /// # Errors
    /// The queue cannot be reached; the message comes back at its visibility time-out.
    pub async fn give_back(
        &self,
        queue: QueueName,
        receipt: &str,
        after: Duration,
    ) -> Result<(), Error> {
        let timeouts = TimeoutConfig::builder().operation_timeout(GIVE_BACK);
        self.client
            .change_message_visibility()
            .queue_url(self.address(queue)?)
            .receipt_handle(receipt)
            .visibility_timeout(seconds(after, HIDDEN_MAX))
            .customize()
            .config_override(aws_sdk_sqs::Config::builder().timeout_config(timeouts.build()))
            .send()
            .await
            .map_err(|error| Error::unavailable("a message cannot be given back", error))?;
        Ok(())
    }

    async fn send_batch(&self, messages: &[Outgoing]) -> Result<(), Error> {
        let Some(first) = messages.first() else {
            return Ok(());
        };
        let url = self.address(first.queue)?;
        let mut entries = messages
            .iter()
            .enumerate()
            .map(|(n, message)| entry(n, message))
            .collect::<Result<Vec<_>, _>>()?;
        let failed = self.attempt(url, &entries).await?;
        if failed.is_empty() {
            return Ok(());
        }
        entries.retain(|entry| failed.iter().any(|failure| failure.id == entry.id));
        match self.attempt(url, &entries).await?.first() {
            None => Ok(()),
            Some(failure) => Err(Error::unavailable(
                "a message was not queued",
                format!(
                    "{} {}",
                    failure.code,
                    failure.message.as_deref().unwrap_or_default()
                ),
            )),
        }
    }

    async fn attempt(
        &self,
        url: &str,
        entries: &[SendMessageBatchRequestEntry],
    ) -> Result<Vec<BatchResultErrorEntry>, Error> {
        self.client
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries.to_vec()))
            .send()
            .await
            .map(|answer| answer.failed)
            .map_err(|error| Error::unavailable("a queue cannot be reached", error))
    }

    fn address(&self, queue: QueueName) -> Result<&str, Error> {
        self.addresses
            .0
            .get(&queue)
            .map(String::as_str)
            .ok_or_else(|| {
                Error::internal(
                    "this function was not given the address of a queue it uses",
                    queue.as_str(),
                )
            })
    }
}

impl Queue for SqsQueue {
    fn send(&self, messages: Vec<Outgoing>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            for batch in batches(&messages) {
                self.send_batch(batch).await?;
            }
            Ok(())
        })
    }
}

fn entry(n: usize, message: &Outgoing) -> Result<SendMessageBatchRequestEntry, Error> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(n.to_string())
        .message_body(&message.body)
        .message_group_id(&message.group);
    if !message.delay.is_zero() {
        entry = entry.delay_seconds(seconds(message.delay, DELAY_MAX));
    }
    entry
        .build()
        .map_err(|error| Error::internal("a queue message cannot be built", error))
}

/// Cuts messages into calls: each for one queue and within SQS's limits, in the given order.
fn batches(messages: &[Outgoing]) -> Vec<&[Outgoing]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (n, message) in messages.iter().enumerate() {
        let other = messages[start].queue != message.queue;
        let full = n - start == BATCH || bytes + message.body.len() > BATCH_BYTES;
        if n > start && (other || full) {
            batches.push(&messages[start..n]);
            (start, bytes) = (n, 0);
        }
        bytes += message.body.len();
    }
    if start < messages.len() {
        batches.push(&messages[start..]);
    }
    batches
}

/// Whole seconds, rounded up: a message that comes a little early finds its work not ready and has to
/// wait once more.
fn seconds(duration: Duration, max: Duration) -> i32 {
    let duration = duration.min(max);
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}
