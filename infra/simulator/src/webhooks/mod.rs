//! Webhooks: what is due, what waits for another try, and the engine that delivers it.

mod body;
mod callbacks;
mod disorder;
mod engine;
mod outbox;
mod signing;

use serde_json::{Map, Value};

pub use body::signature;
pub(crate) use body::{contact, element, metadata, of_account, of_inbound, of_template, of_value};
pub(crate) use callbacks::{Callbacks, Target};
pub(crate) use disorder::{held_back, told_again};
pub(crate) use engine::{handshake, run};
pub(crate) use outbox::{Outbox, Webhook};
pub(crate) use signing::{SignedAs, Signing};

/// What a person's message consists of.
#[derive(Clone, Copy)]
pub(crate) enum Said<'a> {
    Text(&'a str),
    /// A quick reply of a template was pressed.
    Button {
        text: &'a str,
        payload: &'a str,
    },
    /// Any other kind, as the fields of Meta's message element.
    Other(&'a Map<String, Value>),
}

impl<'a> Said<'a> {
    /// What the person sees of it.
    pub(crate) fn text(self) -> &'a str {
        match self {
            Said::Text(text) | Said::Button { text, .. } => text,
            Said::Other(_) => "",
        }
    }
}
