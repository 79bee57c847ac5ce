//! A chat and its messages, as they are stored.

use domain::event::{InboundContent, InboundMessage};
use domain::id::{ChannelId, ChatId, ContactId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest content that is kept; DynamoDB allows 400 KB for an item.
const CONTENT_MAX: usize = 300_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chat {
    pub id: ChatId,
    pub channel: ChannelId,
    pub contact: ContactId,
    pub created_at: Timestamp,
    /// When the person last said something, which opens the customer service window. It only moves up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
}

impl Chat {
    pub(crate) fn new(channel: &ChannelId, contact: &ContactId, now: Timestamp) -> Self {
        Self {
            id: ChatId::of(channel, contact),
            channel: channel.clone(),
            contact: contact.clone(),
            created_at: now,
            last_inbound_at: None,
        }
    }
}

/// One message of a chat.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "direction", rename_all = "snake_case")]
pub enum Message {
    Inbound(Inbound),
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
    #[serde(with = "as_json")]
    pub content: InboundContent,
}

impl Inbound {
    /// The same message always gets the same id, however often Meta tells of it.
    pub(crate) fn new(message: &InboundMessage) -> Self {
        Self {
            id: MessageId::at(message.at, &[&message.wamid]),
            wamid: message.wamid.clone(),
            at: message.at,
            context_wamid: message.context_wamid.clone(),
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
    let kind = match content {
        InboundContent::Text { .. } => "text",
        InboundContent::Button { .. } => "button",
        InboundContent::Other { kind, .. } => kind,
    };
    InboundContent::Other {
        kind: kind.to_owned(),
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
