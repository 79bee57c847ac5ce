//! What a WhatsApp channel tells us, free of any wire format.
//!
//! These are the facts the rest of the system acts on; the `whatsapp` crate turns Meta's webhook
//! bodies into them. They travel in queue messages, so every type serialises. Nothing here
//! decides what an event means for a message or a contact: ranks and state changes live with
//! those nouns.
//!
//! One webhook body holds many events of many businesses; the type has no "first".

mod account;
mod inbound;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use account::{
    AccountChange, AccountEvent, NumberChange, NumberEvent, Stopped, TemplateChange, TemplateEvent,
};
pub use inbound::{
    InboundContent, InboundMedia, InboundMessage, OrderItem, Place, Preference, SharedContact,
};

/// One thing that happened, and to which account. Routing tries the number first, then the
/// account, because account-wide events carry no number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelEvent {
    /// The WhatsApp Business Account the event belongs to; empty when the body did not say.
    pub waba_id: String,
    pub phone_number_id: Option<String>,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Status(StatusUpdate),
    Message(InboundMessage),
    /// Errors of the number itself, tied to no message (Meta: `value.errors`).
    NumberErrors(Vec<DeliveryError>),
    /// A person changed at WhatsApp whether this business may send them marketing.
    Preference(Preference),
    Template(TemplateEvent),
    Number(NumberEvent),
    Account(AccountEvent),
    /// Everything this version does not act on, kept so that a later one can.
    ///
    /// `field` is Meta's subscription field. A part that could not be read has a dotted name:
    /// `messages.statuses` or `messages.messages` with the element as `value`.
    Other {
        field: String,
        value: Value,
    },
}

/// What became of a message we sent. It may arrive twice, late, out of order, or before the
/// answer to the send itself was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUpdate {
    pub wamid: String,
    pub status: DeliveryStatus,
    /// Whole seconds only, so it cannot order two statuses of the same second.
    pub at: Timestamp,
    /// The wa_id of the person, or their business-scoped id when the number is hidden.
    pub recipient: Option<String>,
    /// What we sent along as `biz_opaque_callback_data`: our own id of the message.
    pub callback_data: Option<String>,
    /// Why it failed; Meta lists several errors at times, the first is the cause.
    pub error: Option<DeliveryError>,
}

/// The statuses we act on; legacy and unknown ones arrive as [`EventKind::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    Sent,
    Delivered,
    Read,
    /// A voice note was listened to.
    Played,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryError {
    pub code: i64,
    pub title: String,
    pub details: Option<String>,
}
