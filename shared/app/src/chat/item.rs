//! A chat, its messages, and those of them that are on their way out, as they are stored.

use std::collections::BTreeSet;

use domain::chat::{Content, Status, Tick};
use domain::contact::{Consent, ConsentSource};
use domain::event::{InboundContent, InboundMessage};
use domain::id::{ApiKeyId, ChannelId, ChatId, ContactId, LabelId, MessageId, UserId, WorkspaceId};
use domain::media::MediaType;
use domain::message::Outcome;
use domain::realtime::Direction;
use domain::template::{HeaderContent, Rendered, Template, Values, render};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Actor;
use crate::actor::Who;
use crate::media::received::Received;
use crate::store::Scope;

/// The longest content that is kept; DynamoDB allows 400 KB for an item.
const CONTENT_MAX: usize = 300_000;

/// The longest description of where a person came from; Meta's have some hundred bytes.
const REFERRAL_MAX: usize = 20_000;

/// A chat of one contact and one channel, as the list of chats shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    pub id: ChatId,
    pub(crate) workspace: WorkspaceId,
    pub channel: ChannelId,
    pub contact: ContactId,
    pub created_at: Timestamp,
    pub status: Status,
    /// Until when it is out of sight, while it is snoozed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Who is to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<LabelId>,
    /// How many messages of the person nobody of the team has seen.
    #[serde(default)]
    pub unread: u32,
    /// When somebody last said something, or when the chat was opened while nobody has. It orders the
    /// list, and only moves up from the first message on.
    pub active_at: Timestamp,
    /// The newest message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Line>,
    /// When the person last said something, which opens the customer service window. It only moves up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// The newest message of the person: marked as read it marks all before it (Meta: mark as read).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_inbound: Option<Heard>,
    /// The newest message of the person that the chat was assigned by itself for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) assigned_for: Option<MessageId>,
    /// Some message of it was amended; while none was, nobody looks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) amended: bool,
    /// How many messages were given a place in line. It gives them their order, which no clock could:
    /// two of one agent may be taken by two machines.
    #[serde(default)]
    pub(crate) places: u64,
    /// Of two who change the chat at once, the second reads it again.
    #[serde(default)]
    pub(crate) version: u64,
}

/// A message as the list of chats shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub message: MessageId,
    pub at: Timestamp,
    pub direction: Direction,
    /// WhatsApp's word for what it is.
    pub kind: String,
    /// Its beginning, when it has words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// A message of the person, as Meta names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) message: MessageId,
    pub(crate) wamid: String,
}

impl Chat {
    pub(crate) fn new(
        scope: Scope<'_>,
        channel: &ChannelId,
        contact: &ContactId,
        now: Timestamp,
    ) -> Self {
        Self {
            id: ChatId::of(channel, contact),
            workspace: scope.workspace.clone(),
            channel: channel.clone(),
            contact: contact.clone(),
            created_at: now,
            status: Status::Open,
            snoozed_until: None,
            assignee: None,
            labels: BTreeSet::new(),
            unread: 0,
            active_at: now,
            last: None,
            last_inbound_at: None,
            last_inbound: None,
            assigned_for: None,
            amended: false,
            places: 0,
            version: 0,
        }
    }

    /// Takes in what the person wrote, whenever it arrives.
    pub(crate) fn hear(&mut self, message: &Inbound, now: Timestamp) {
        self.overhear(message, now);
        self.show(Line {
            message: message.id.clone(),
            at: message.at.min(now),
            direction: Direction::Inbound,
            kind: message.content.kind().to_owned(),
            text: beginning(message.content.words()),
        });
        if !message.content.is_said() {
            return;
        }
        self.unread = self.unread.saturating_add(1);
        self.status = self.status.after_a_word();
        self.snoozed_until = None;
    }

    /// Takes in what a blocked person wrote: the window is open all the same, and nothing calls for an answer.
    pub(crate) fn overhear(&mut self, message: &Inbound, now: Timestamp) {
        if !message.content.is_said() {
            return;
        }
        // A clock of Meta's that is ahead of ours must not keep the window open.
        let at = message.at.min(now);
        self.last_inbound_at = self.last_inbound_at.max(Some(at));
        let newer = |heard: &Heard| heard.message < message.id;
        if self.last_inbound.as_ref().is_none_or(newer) {
            self.last_inbound = Some(Heard {
                message: message.id.clone(),
                wamid: message.wamid.clone(),
            });
        }
    }

    /// Shows a message in the list, unless a newer one is shown there.
    pub(crate) fn show(&mut self, line: Line) {
        let newer = |last: &Line| (last.at, &last.message) < (line.at, &line.message);
        if self.last.as_ref().is_none_or(newer) {
            self.active_at = match self.last {
                // The first one counts from when it was said, however late the chat was opened.
                None => line.at,
                Some(_) => self.active_at.max(line.at),
            };
            self.last = Some(line);
        }
    }
}

/// The most characters that the list of chats shows of a message.
const BEGINNING_MAX: usize = 120;

pub(super) fn beginning(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(BEGINNING_MAX).collect()
}

/// One message of a chat.
#[expect(
    clippy::large_enum_variant,
    reason = "at most a page of them exists, and most are of the larger kinds"
)]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "direction", rename_all = "snake_case")]
pub enum Message {
    Inbound(Inbound),
    Outbound(Outbound),
    /// What members of the workspace tell each other; it never leaves it.
    Note(Note),
    Activity(Activity),
}

impl Message {
    #[must_use]
    pub fn id(&self) -> &MessageId {
        match self {
            Self::Inbound(message) => &message.id,
            Self::Outbound(message) => &message.id,
            Self::Note(note) => &note.id,
            Self::Activity(activity) => &activity.id,
        }
    }

    /// Meta's id of it, if Meta knows it.
    #[must_use]
    pub fn wamid(&self) -> Option<&str> {
        match self {
            Self::Inbound(message) => Some(&message.wamid),
            Self::Outbound(message) => message.wamid.as_deref(),
            Self::Note(_) | Self::Activity(_) => None,
        }
    }
}

/// What the person wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inbound {
    pub id: MessageId,
    pub wamid: String,
    /// As Meta tells it, in whole seconds.
    pub at: Timestamp,
    /// Meta's id of the message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_wamid: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forwarded: bool,
    /// When the person was told that this and everything before it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// The advertisement or post the person came from, in Meta's JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<String>,
    #[serde(with = "as_json")]
    pub content: InboundContent,
    /// What became of the file that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Received>,
}

/// Who wrote or did something in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Author {
    User(UserId),
    ApiKey(ApiKeyId),
    /// An answer that the workspace gives by itself, or what follows from what the person wrote.
    Automatic,
}

impl Author {
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        match &actor.who {
            Who::Member { user, .. } => Self::User(user.clone()),
            Who::Key { key, .. } => Self::ApiKey(key.clone()),
        }
    }
}

/// What an agent or a machine of the workspace wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outbound {
    pub id: MessageId,
    pub by: Author,
    #[serde(with = "as_json")]
    pub content: Content,
    /// What the content names, as it was when the message was taken.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_json")]
    pub frozen: Option<Frozen>,
    /// The message of this chat that is quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    pub at: Timestamp,
    /// `None` while it is on its way to WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Outcome>,
    /// When the status was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_at: Option<Timestamp>,
    /// When WhatsApp had sent it, which is more than having accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When the person played the voice note, which is more than having read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub played_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wamid: Option<String>,
    /// Meta's error code of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Why it was not sent, in words, when that was our decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent: Option<String>,
    /// It tells a person who opted out that this was understood: the one thing they are still told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) farewell: bool,
    /// The new attempt that was made in place of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_as: Option<MessageId>,
}

/// What a message shows beyond its content, kept so that later changes do not rewrite what was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frozen {
    File {
        file_name: String,
        mime_type: MediaType,
        size: u64,
    },
    Template {
        template: Box<Template>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<HeaderContent>,
        values: Values,
    },
}

impl Outbound {
    /// WhatsApp's word for what it is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match (&self.content, &self.frozen) {
            (Content::Media { .. }, Some(Frozen::File { mime_type, .. })) => {
                mime_type.kind().as_str()
            }
            (Content::Media { .. }, _) => "media",
            (Content::Text { .. }, _) => "text",
            (Content::Location { .. }, _) => "location",
            (Content::Contacts { .. }, _) => "contacts",
            (Content::Reaction { .. }, _) => "reaction",
            (Content::Buttons { .. } | Content::List { .. } | Content::Link { .. }, _) => {
                "interactive"
            }
            (Content::Template(_), _) => "template",
        }
    }

    /// Where it stands, as ticks show it.
    #[must_use]
    pub fn tick(&self) -> Tick {
        match self.status {
            None => Tick::Queued,
            Some(Outcome::Accepted) if self.sent_at.is_some() => Tick::Sent,
            Some(Outcome::Read) if self.played_at.is_some() => Tick::Played,
            Some(status) => status.into(),
        }
    }

    /// The template as its reader sees it.
    #[must_use]
    pub fn rendered(&self) -> Option<Rendered> {
        match self.frozen.as_ref()? {
            Frozen::Template {
                template,
                header,
                values,
            } => Some(render(template, header.as_ref(), values)),
            Frozen::File { .. } => None,
        }
    }

    pub(super) fn line(&self) -> Line {
        let rendered = self.rendered();
        let words = rendered.as_ref().map(|rendered| rendered.body.as_str());
        Line {
            message: self.id.clone(),
            at: self.at,
            direction: Direction::Outbound,
            kind: self.kind().to_owned(),
            text: beginning(words.unwrap_or_else(|| self.content.words())),
        }
    }

    /// Why it failed or nothing more is known of it, in words.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self.status? {
            Outcome::Failed => Some(match (self.code, &self.unsent) {
                (Some(code), _) => whatsapp::reason(code),
                (None, Some(unsent)) => unsent,
                (None, None) => UNREACHED,
            }),
            Outcome::Unknown => Some(UNKNOWN),
            Outcome::Accepted | Outcome::Delivered | Outcome::Read | Outcome::Excluded => None,
        }
    }

    /// Whether another attempt may be made. Of one that may have been sent the person decides.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(self.status, Some(Outcome::Failed | Outcome::Unknown)) && self.retried_as.is_none()
    }
}

/// Why a message failed that Meta never saw.
const UNREACHED: &str = "WhatsApp could not be reached.";

/// Why nothing more is known of a message.
const UNKNOWN: &str = "It may have been sent: there was no clear answer from WhatsApp. Sending it again may deliver it twice.";

/// What members of the workspace tell each other about a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub id: MessageId,
    pub at: Timestamp,
    pub by: Author,
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
}

/// A line of the thread that tells what happened to the chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub id: MessageId,
    pub at: Timestamp,
    pub by: Author,
    pub what: What,
}

/// What happened to a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    Status {
        status: Status,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// `None`: nobody is to answer any more.
    Assigned { assignee: Option<UserId> },
    /// The person may be written to from now on, or not.
    Consent {
        consent: Consent,
        source: ConsentSource,
    },
    /// Nothing is sent to the person from now on, and nothing they write raises attention; or no longer so.
    Blocked { blocked: bool },
    Labels {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        added: Vec<LabelId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        removed: Vec<LabelId>,
    },
}

/// A message that is on its way out: the intent, which exists until the message is settled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) workspace: WorkspaceId,
    pub(crate) channel: ChannelId,
    pub(crate) contact: ContactId,
    pub(crate) message: MessageId,
    /// The place in the chat's line.
    pub(crate) place: u64,
    /// Of the sender that may be sending it; empty when nobody is. It and what follows change with every
    /// try, so the index does not hold them.
    #[serde(default)]
    pub(crate) token: String,
    /// Unix milliseconds until which that sender may be alive.
    #[serde(default)]
    pub(crate) lease: i64,
    /// How often Meta was asked and certainly did not accept it.
    #[serde(default)]
    pub(crate) tries: u32,
}

impl Inbound {
    /// The same message always gets the same id, however often Meta tells of it.
    pub(crate) fn new(message: &InboundMessage) -> Self {
        Self {
            id: MessageId::at(message.at, &[&message.wamid]),
            wamid: message.wamid.clone(),
            at: message.at,
            context_wamid: message.context_wamid.clone(),
            forwarded: message.forwarded,
            read_at: None,
            referral: message
                .referral
                .as_ref()
                .map(ToString::to_string)
                .filter(|json| json.len() <= REFERRAL_MAX),
            content: kept(&message.content),
            media: None,
        }
    }
}

/// The content, or only its kind when it is too large for an item.
fn kept(content: &InboundContent) -> InboundContent {
    let size = serde_json::to_string(content).map_or(0, |json| json.len());
    if size <= CONTENT_MAX {
        return content.clone();
    }
    tracing::warn!(size, "a message is too large to be kept whole");
    InboundContent::Other {
        kind: content.kind().to_owned(),
        value: Value::Null,
    }
}

/// Content is kept as JSON text: Meta's numbers may be larger than DynamoDB's, and one such message
/// must not be refused for ever.
mod as_json {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_string(value).map_err(S::Error::custom)?;
        serializer.serialize_str(&json)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let json = String::deserialize(deserializer)?;
        serde_json::from_str(&json).map_err(D::Error::custom)
    }
}
