//! What people send to a number, and what they tell WhatsApp about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DeliveryError;
use crate::media::MediaKind;

/// A message a person sent to one of our numbers. At least one of `from` and `from_user_id` is
/// present; both can be, and the number can be hidden behind the user id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundMessage {
    pub wamid: String,
    /// The person's wa_id: digits, without a plus sign.
    pub from: Option<String>,
    /// The person's business-scoped user id.
    pub from_user_id: Option<String>,
    pub profile_name: Option<String>,
    pub at: Timestamp,
    /// The message this one answers: a reply's quote, or the template whose button was pressed.
    pub context_wamid: Option<String>,
    #[serde(default)]
    pub forwarded: bool,
    /// The advertisement or post the person came from, as Meta describes it.
    #[serde(default)]
    pub referral: Option<Value>,
    pub content: InboundContent,
}

/// What a message says. What Meta adds later arrives as [`InboundContent::Other`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundContent {
    Text {
        body: String,
    },
    /// A quick-reply button of a template was pressed.
    Button {
        text: String,
        payload: String,
    },
    /// A choice among the buttons or the rows of a list that the business offered.
    Choice {
        id: String,
        title: String,
        #[serde(default)]
        description: Option<String>,
    },
    /// A form was filled in; `response` is its content, which is JSON when the form is in order.
    Form {
        name: String,
        #[serde(default)]
        body: Option<String>,
        response: Value,
    },
    Media(InboundMedia),
    Location(Place),
    Contacts(Vec<SharedContact>),
    /// An emoji on an earlier message; `None` takes it back.
    Reaction {
        to_wamid: String,
        emoji: Option<String>,
    },
    Order {
        catalog_id: Option<String>,
        text: Option<String>,
        items: Vec<OrderItem>,
    },
    /// A notice about the person: a new number, a new identity.
    System {
        /// Meta's word: `user_changed_number`.
        kind: String,
        body: Option<String>,
        /// The person's new wa_id.
        wa_id: Option<String>,
        user_id: Option<String>,
        previous_user_id: Option<String>,
    },
    /// The person put other words in the place of an earlier message.
    Edit {
        of_wamid: String,
        content: Box<InboundContent>,
    },
    /// The person took an earlier message back.
    Revoke {
        of_wamid: String,
    },
    /// Something WhatsApp does not pass on, such as a poll.
    Unsupported {
        kind: Option<String>,
        errors: Vec<DeliveryError>,
    },
    /// Any other kind, with Meta's whole message element: some kinds keep what matters beside
    /// the object that bears their name.
    Other {
        kind: String,
        value: Value,
    },
}

/// A file a person sent. It is at Meta, from where it must be fetched within days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMedia {
    pub kind: MediaKind,
    /// Meta's id of the file; `None` when Meta could not keep it, and `errors` says why.
    pub id: Option<String>,
    pub mime_type: Option<String>,
    pub sha256: Option<String>,
    pub caption: Option<String>,
    pub file_name: Option<String>,
    /// An audio that was spoken into the phone.
    #[serde(default)]
    pub voice: bool,
    #[serde(default)]
    pub animated: bool,
    #[serde(default)]
    pub errors: Vec<DeliveryError>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub latitude: f64,
    pub longitude: f64,
    pub name: Option<String>,
    pub address: Option<String>,
    pub url: Option<String>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedContact {
    pub name: Option<String>,
    pub phones: Vec<String>,
    /// The whole card, as Meta wrote it.
    pub card: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderItem {
    pub product: String,
    pub quantity: f64,
    pub price: f64,
    pub currency: String,
}

/// Whether a person wants marketing from this business, as they told WhatsApp (Meta:
/// user_preferences).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// The wa_id of the person, or their business-scoped id when the number is hidden.
    pub person: String,
    pub stopped: bool,
    pub at: Timestamp,
}

impl InboundContent {
    /// Whether the person said something, which opens the customer service window and can answer a
    /// campaign. Notices about the person, changes of earlier messages, and reactions do not (Meta:
    /// customer service window; whether a reaction opens it is not documented).
    #[must_use]
    pub fn is_said(&self) -> bool {
        match self {
            Self::System { .. }
            | Self::Reaction { .. }
            | Self::Edit { .. }
            | Self::Revoke { .. } => false,
            // A kind that could not be read in full is still of its kind.
            Self::Other { kind, .. } => {
                !matches!(kind.as_str(), "system" | "reaction" | "edit" | "revoke")
            }
            _ => true,
        }
    }

    /// What it says in words: the text, the caption, the label of what was pressed or chosen.
    #[must_use]
    pub fn words(&self) -> &str {
        let words = match self {
            Self::Text { body } => Some(body),
            Self::Button { text, .. } => Some(text),
            Self::Choice { title, .. } => Some(title),
            Self::Form { body, .. } | Self::System { body, .. } => body.as_ref(),
            Self::Media(media) => media.caption.as_ref().or(media.file_name.as_ref()),
            Self::Location(place) => place.name.as_ref().or(place.address.as_ref()),
            Self::Contacts(cards) => cards.first().and_then(|card| card.name.as_ref()),
            Self::Reaction { emoji, .. } => emoji.as_ref(),
            Self::Order { text, .. } => text.as_ref(),
            Self::Edit { content, .. } => return content.words(),
            Self::Revoke { .. } | Self::Unsupported { .. } | Self::Other { .. } => None,
        };
        words.map(String::as_str).unwrap_or_default()
    }

    /// Meta's word for the kind of message.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Text { .. } => "text",
            Self::Button { .. } => "button",
            Self::Choice { .. } | Self::Form { .. } => "interactive",
            Self::Media(media) => media.kind.as_str(),
            Self::Location(_) => "location",
            Self::Contacts(_) => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Order { .. } => "order",
            Self::System { .. } => "system",
            Self::Edit { .. } => "edit",
            Self::Revoke { .. } => "revoke",
            Self::Unsupported { .. } => "unsupported",
            Self::Other { kind, .. } => kind,
        }
    }
}
