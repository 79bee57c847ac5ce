//! A chat, its messages, and those of them that are on their way out, as they are stored.

use domain::campaign::Excluded;
use domain::event::{InboundContent, InboundMessage};
use domain::id::{ChannelId, ChatId, ContactId, MessageId, WorkspaceId};
use domain::message::Outcome;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest content that is kept; DynamoDB allows 400 KB for an item.
const CONTENT_MAX: usize = 300_000;

/// The longest description of where a person came from; Meta's have some hundred bytes.
const REFERRAL_MAX: usize = 20_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chat {
    pub id: ChatId,
    pub channel: ChannelId,
    pub contact: ContactId,
    pub created_at: Timestamp,
    /// When the person last said something, which opens the customer service window. It only moves up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// How many messages were given a place in line. It gives them their order, which no clock could:
    /// two of one agent may be taken by two machines.
    #[serde(default)]
    pub(crate) places: u64,
}

impl Chat {
    pub(crate) fn new(channel: &ChannelId, contact: &ContactId, now: Timestamp) -> Self {
        Self {
            id: ChatId::of(channel, contact),
            channel: channel.clone(),
            contact: contact.clone(),
            created_at: now,
            last_inbound_at: None,
            places: 0,
        }
    }
}

/// One message of a chat.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "direction", rename_all = "snake_case")]
pub enum Message {
    Inbound(Inbound),
    Outbound(Outbound),
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
    /// The advertisement or post the person came from, in Meta's JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<String>,
    #[serde(with = "as_json")]
    pub content: InboundContent,
}

/// What an agent or a machine of the workspace wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outbound {
    pub id: MessageId,
    pub text: String,
    pub at: Timestamp,
    /// `None` while it is on its way to WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Outcome>,
    /// When the status was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wamid: Option<String>,
    /// Meta's error code of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Why it was not sent, when that was our decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Excluded>,
}

impl Outbound {
    pub(crate) fn new(now: Timestamp, text: String) -> Self {
        Self {
            id: MessageId::written(now),
            text,
            at: now,
            status: None,
            status_at: None,
            wamid: None,
            code: None,
            excluded: None,
        }
    }

    /// Why it failed or nothing more is known of it, in words.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self.status? {
            Outcome::Failed => Some(match (self.code, self.excluded) {
                (Some(code), _) => whatsapp::reason(code),
                (None, Some(Excluded::Changed)) => "The contact was deleted.",
                (None, Some(excluded)) => excluded.reason(),
                (None, None) => UNREACHED,
            }),
            Outcome::Unknown => Some(crate::campaign::UNKNOWN),
            Outcome::Accepted | Outcome::Delivered | Outcome::Read | Outcome::Excluded => None,
        }
    }
}

/// Why a message failed that Meta never saw.
const UNREACHED: &str = "WhatsApp could not be reached.";

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
            referral: message
                .referral
                .as_ref()
                .map(ToString::to_string)
                .filter(|json| json.len() <= REFERRAL_MAX),
            content: kept(&message.content),
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
