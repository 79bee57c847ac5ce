//! Webhooks: what is due, what waits for another try, and the engine that delivers it.

mod body;
mod disorder;
mod engine;
mod outbox;
mod signing;

pub use body::signature;
pub(crate) use body::{name_of, of_account, of_inbound, of_template};
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
}

impl<'a> Said<'a> {
    /// What the person sees of it.
    pub(crate) fn text(self) -> &'a str {
        match self {
            Said::Text(text) | Said::Button { text, .. } => text,
        }
    }
}
