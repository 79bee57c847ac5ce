//! Webhooks: what is due, what waits for another try, and the engine that delivers it.

mod body;
mod engine;
mod outbox;

pub use body::signature;
pub(crate) use engine::{handshake, run};
pub(crate) use outbox::{Outbox, Webhook};

use bytes::Bytes;

use crate::universe::Number;

/// A text that a customer wrote.
pub(crate) struct Inbound<'a> {
    pub(crate) from: &'a str,
    pub(crate) name: &'a str,
    pub(crate) id: &'a str,
    pub(crate) text: &'a str,
    pub(crate) at_ms: i64,
}

pub(crate) fn of_inbound(number: &Number, inbound: &Inbound<'_>) -> Bytes {
    body::of_inbound(number, inbound)
}
