//! What travels through the queues, and what becomes of a message after it was handled.
//!
//! A task carries ids, never state, and every handler is idempotent. A handler that queues its own
//! continuation moves a checkpoint by compare-and-set, so of two that run at once only one goes on:
//! a duplicate delivery ends instead of starting a second chain.

use std::future::Future;
use std::time::Duration;

use domain::id::{
    CampaignId, ChannelId, ChatId, ContactId, ImportId, MailId, MessageId, TestId, WorkspaceId,
};
use domain::realtime::Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use crate::channel::Route;
use crate::ports::Outgoing;
use crate::{App, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueName {
    CampaignPlan,
    CampaignDispatch,
    CampaignSend,
    ChatSend,
    CampaignExport,
    ContactImport,
    MediaFetch,
    Notify,
    Webhook,
    Broadcast,
}

impl QueueName {
    pub const ALL: [Self; 10] = [
        Self::CampaignPlan,
        Self::CampaignDispatch,
        Self::CampaignSend,
        Self::ChatSend,
        Self::CampaignExport,
        Self::ContactImport,
        Self::MediaFetch,
        Self::Notify,
        Self::Webhook,
        Self::Broadcast,
    ];

    /// The queue's name in the template and in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CampaignPlan => "campaign-plan",
            Self::CampaignDispatch => "campaign-dispatch",
            Self::CampaignSend => "campaign-send",
            Self::ChatSend => "chat-send",
            Self::CampaignExport => "campaign-export",
            Self::ContactImport => "contact-import",
            Self::MediaFetch => "media-fetch",
            Self::Notify => "notify",
            Self::Webhook => "webhook",
            Self::Broadcast => "broadcast",
        }
    }
}

/// A message of one queue.
pub trait Task: Serialize + DeserializeOwned + Send + 'static {
    const QUEUE: QueueName;

    /// Whose message it is; queues share their attention fairly between groups.
    fn group(&self) -> String;
}

/// Freeze the next page of a campaign's audience.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CampaignPlan {
    pub workspace: WorkspaceId,
    pub campaign: CampaignId,
    pub epoch: u64,
}

/// Put the next chunks of a campaign in flight, if there is room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CampaignDispatch {
    pub workspace: WorkspaceId,
    pub campaign: CampaignId,
    pub epoch: u64,
}

/// Send one chunk of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CampaignSend {
    pub workspace: WorkspaceId,
    pub campaign: CampaignId,
    pub epoch: u64,
    pub chunk: u32,
    /// How many deliveries have taken the chunk up before.
    pub step: u32,
}

/// Send what a chat has on its way out, up to one message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChatSend {
    pub workspace: WorkspaceId,
    pub channel: ChannelId,
    pub contact: ContactId,
    pub message: MessageId,
    /// The message's place in the chat's line.
    pub place: u64,
}

/// Tell a person that everything up to a message of theirs was read, or that somebody is typing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChatReceipt {
    pub workspace: WorkspaceId,
    pub channel: ChannelId,
    pub contact: ContactId,
    /// The message that was read.
    pub read: MessageId,
    /// When somebody was typing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typing_at: Option<Timestamp>,
}

/// What the sender of chats is given; the fields tell which it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChatTask {
    Message(ChatSend),
    Receipt(ChatReceipt),
}

/// Write the next file of a campaign's results.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CampaignExport {
    pub workspace: WorkspaceId,
    pub campaign: CampaignId,
    /// Which export of the campaign: a later one makes this void.
    pub number: u32,
}

/// Send one message of a campaign to one number, to see how it looks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CampaignTest {
    pub workspace: WorkspaceId,
    pub campaign: CampaignId,
    pub test: TestId,
}

/// What the sender of campaigns is given; the fields tell which it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CampaignMessage {
    Chunk(CampaignSend),
    Test(CampaignTest),
}

/// Read the next part of an uploaded contact file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContactImport {
    pub workspace: WorkspaceId,
    pub import: ImportId,
}

/// Fetch the file of a message that a person sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MediaFetch {
    pub workspace: WorkspaceId,
    pub channel: ChannelId,
    pub chat: ChatId,
    pub message: MessageId,
}

/// Send a mail. What it says, a token above all, is made when it is sent and is in no queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notify {
    pub mail: MailId,
}

/// A webhook body as it was signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhook {
    #[serde(flatten)]
    pub content: WebhookContent,
    /// Whose own Meta app signed it; without one it was the installation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Route>,
    /// When it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// It is applied once more, and was kept before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookContent {
    /// Deflated bytes in base64: a batch of a thousand statuses stays below the queue's limit.
    Body(String),
    /// A file with the deflated bytes, where they are too many for a message.
    File(String),
}

/// Tell the open screens of a workspace what changed. Events name things by id and carry their state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Broadcast {
    pub workspace: WorkspaceId,
    pub events: Vec<Event>,
}

impl Task for CampaignPlan {
    const QUEUE: QueueName = QueueName::CampaignPlan;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

impl Task for CampaignDispatch {
    const QUEUE: QueueName = QueueName::CampaignDispatch;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

impl Task for CampaignSend {
    const QUEUE: QueueName = QueueName::CampaignSend;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

impl Task for ChatSend {
    const QUEUE: QueueName = QueueName::ChatSend;

    /// A FIFO queue delivers a group's messages one after the other.
    fn group(&self) -> String {
        ChatId::of(&self.channel, &self.contact).to_string()
    }
}

impl Task for ChatReceipt {
    const QUEUE: QueueName = QueueName::ChatSend;

    fn group(&self) -> String {
        ChatId::of(&self.channel, &self.contact).to_string()
    }
}

impl Task for ChatTask {
    const QUEUE: QueueName = QueueName::ChatSend;

    fn group(&self) -> String {
        match self {
            Self::Message(task) => task.group(),
            Self::Receipt(task) => task.group(),
        }
    }
}

impl Task for CampaignExport {
    const QUEUE: QueueName = QueueName::CampaignExport;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

impl Task for CampaignTest {
    const QUEUE: QueueName = QueueName::CampaignSend;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

impl Task for CampaignMessage {
    const QUEUE: QueueName = QueueName::CampaignSend;

    fn group(&self) -> String {
        match self {
            Self::Chunk(task) => task.group(),
            Self::Test(task) => task.group(),
        }
    }
}

impl Task for ContactImport {
    const QUEUE: QueueName = QueueName::ContactImport;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

impl Task for MediaFetch {
    const QUEUE: QueueName = QueueName::MediaFetch;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

impl Task for Notify {
    const QUEUE: QueueName = QueueName::Notify;

    /// Every mail for itself: nobody's mails wait for anybody's.
    fn group(&self) -> String {
        self.mail.to_string()
    }
}

impl Task for Webhook {
    const QUEUE: QueueName = QueueName::Webhook;

    /// Whose own app signed it is known; of the others the workspaces are not known before the body is
    /// parsed.
    fn group(&self) -> String {
        match &self.sender {
            Some(sender) => sender.workspace.to_string(),
            None => "webhook".to_owned(),
        }
    }
}

impl Task for Broadcast {
    const QUEUE: QueueName = QueueName::Broadcast;

    fn group(&self) -> String {
        self.workspace.to_string()
    }
}

/// The pause before something is tried again that failed `tries` times: twice the one before, up to the
/// longest.
pub(crate) fn pause(tries: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(longest)
}

impl App {
    /// Queues one task.
    ///
    /// # Errors
    /// The queue cannot be reached; nothing was queued.
    pub async fn enqueue<T: Task>(&self, task: &T, delay: Duration) -> Result<(), Error> {
        self.enqueue_all(std::slice::from_ref(task), delay).await
    }

    /// Queues several tasks of one kind.
    ///
    /// # Errors
    /// The queue cannot be reached; some of the tasks may have been queued.
    pub async fn enqueue_all<T: Task>(&self, tasks: &[T], delay: Duration) -> Result<(), Error> {
        let messages = tasks
            .iter()
            .map(|task| {
                let body = serde_json::to_string(task)
                    .map_err(|error| Error::internal("a task cannot be written as JSON", error))?;
                Ok(Outgoing {
                    queue: T::QUEUE,
                    body,
                    group: task.group(),
                    delay,
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        self.queue.send(messages).await
    }
}

/// How soon a message is delivered again that no repetition will cure: it takes its deliveries and is
/// parked, instead of waiting for a time-out each time.
const PARKING: Duration = Duration::from_secs(5);

/// What becomes of a message after its handler ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Delete it.
    Done,
    /// Leave it to be delivered again; after too many times the queue parks it in its dead-letter queue.
    /// Without a time it is delivered again when its visibility ends: for an invocation that did not
    /// end by itself.
    Retry { after: Option<Duration> },
}

/// Reads a message and runs its handler. The only place that decides between ack and retry, so that
/// both shells behave the same.
pub async fn run<T, F, Fut>(app: App, body: &str, handler: F) -> Verdict
where
    T: Task,
    F: FnOnce(App, T) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    let task = match serde_json::from_str::<T>(body) {
        Ok(task) => task,
        Err(error) => {
            tracing::error!(queue = T::QUEUE.as_str(), %error, "a message cannot be read and goes to the dead-letter queue");
            return Verdict::Retry {
                after: Some(PARKING),
            };
        }
    };
    // Boxed, so that the runtime's future does not nest the function's.
    match Box::pin(handler(app, task)).await {
        Ok(()) => Verdict::Done,
        Err(Error::Later { after }) => Verdict::Retry { after: Some(after) },
        Err(error) if error.retryable() => {
            tracing::warn!(
                queue = T::QUEUE.as_str(),
                error = error.chain(),
                "a task will be tried again"
            );
            Verdict::Retry {
                after: Some(Duration::from_secs(1)),
            }
        }
        Err(error) => {
            tracing::error!(
                queue = T::QUEUE.as_str(),
                error = error.chain(),
                "a task failed and goes to the dead-letter queue"
            );
            Verdict::Retry {
                after: Some(PARKING),
            }
        }
    }
}
