//! What a template takes at each of its places: words, the rest of a link, a code, a payload.
//!
//! The same rule judges a fixed text when a campaign is written and a person's own value when it
//! is planned, so the two cannot differ.

use super::{
    BODY_LIMIT, Button, Header, Slot, Template, TemplateCategory, Values, placeholder,
    render::filled_link,
};

/// The longest link of a button, its variable filled (Meta: template buttons).
const LINK_LIMIT: usize = 2000;
/// The longest code of a copy button.
const COUPON_LIMIT: usize = 20;
/// The longest one-time code of an authentication template.
const CODE_LIMIT: usize = 15;
/// The longest payload of a quick reply.
const PAYLOAD_LIMIT: usize = 256;

/// What may stand in a link beside letters and digits (RFC 3986).
const IN_A_LINK: &str = "-._~:/?#[]@!$&'()*+,;=";

/// What is put at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes<'a> {
    Words,
    /// The end of this link.
    LinkEnd(&'a str),
    Coupon,
    /// Once for the whole message: the button gets the same.
    OneTimeCode,
    /// Comes back when the button is pressed; the reader never sees it.
    Payload,
}

/// Why a text cannot stand where it was put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("a text has at most {BODY_LIMIT} characters")]
    TooLong,
    #[error("the end of a link takes letters, digits and {IN_A_LINK}; write a space as %20")]
    NotInALink,
    #[error("the whole link would have {length} characters; WhatsApp allows {LINK_LIMIT}")]
    LinkTooLong { length: usize },
    #[error("a code to copy has 1 to {COUPON_LIMIT} letters and digits, and nothing else")]
    Coupon,
    #[error("a one-time code has at most {CODE_LIMIT} characters")]
    CodeTooLong,
    #[error("the payload of a button has at most {PAYLOAD_LIMIT} characters")]
    PayloadTooLong,
}

impl Template {
    /// Every place that needs a value, each once: header, body, buttons. Within a text, numbered
    /// variables come by number and named ones in reading order, as a form would ask for them.
    pub fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        if let Some(Header::Text { text }) = &self.components.header {
            slots.extend(placeholder::keys(text).into_iter().map(Slot::Header));
        }
        let body = placeholder::keys(&self.components.body);
        slots.extend(body.into_iter().map(Slot::Body));
        slots.extend(self.buttons_that(|takes| takes != Takes::Payload));
        slots
    }

    /// The places that may be given a value: the payloads of the quick replies.
    pub fn optional_slots(&self) -> Vec<Slot> {
        self.buttons_that(|takes| takes == Takes::Payload).collect()
    }

    /// What goes with a button when the message is sent. A one-time code is asked for once, in the
    /// body, and is the button's as well (Meta: authentication templates).
    pub fn button_value<'v>(&self, index: usize, values: &'v Values) -> Option<&'v str> {
        let button = self.components.buttons.get(index)?;
        let slot = match button {
            Button::Url { url, .. } if self.is_one_time_code() => {
                placeholder::keys(url).first()?;
                Slot::Body(
                    placeholder::keys(&self.components.body)
                        .into_iter()
                        .next()?,
                )
            }
            Button::Url { .. }
            | Button::QuickReply { .. }
            | Button::PhoneNumber { .. }
            | Button::CopyCode { .. }
            | Button::Other { .. } => Slot::Button(index),
        };
        values.get(&slot)
    }

    /// What the template takes at this place; `None` when it has no such place.
    pub(super) fn takes(&self, slot: &Slot) -> Option<Takes<'_>> {
        match slot {
            Slot::Header(key) => match &self.components.header {
                Some(Header::Text { text }) => placeholder::keys(text)
                    .contains(key)
                    .then_some(Takes::Words),
                _ => None,
            },
            Slot::Body(key) => {
                let takes = match self.is_one_time_code() {
                    true => Takes::OneTimeCode,
                    false => Takes::Words,
                };
                let here = placeholder::keys(&self.components.body).contains(key);
                here.then_some(takes)
            }
            Slot::Button(index) => match self.components.buttons.get(*index)? {
                Button::Url { url, .. } => {
                    let variable = !placeholder::keys(url).is_empty() && !self.is_one_time_code();
                    variable.then_some(Takes::LinkEnd(url))
                }
                Button::CopyCode { .. } => Some(Takes::Coupon),
                Button::QuickReply { .. } => Some(Takes::Payload),
                Button::PhoneNumber { .. } | Button::Other { .. } => None,
            },
        }
    }

    fn buttons_that(&self, wanted: impl Fn(Takes<'_>) -> bool) -> impl Iterator<Item = Slot> {
        (0..self.components.buttons.len())
            .map(Slot::Button)
            .filter(move |slot| self.takes(slot).is_some_and(&wanted))
    }

    fn is_one_time_code(&self) -> bool {
        self.category == TemplateCategory::Authentication
    }
}

impl Takes<'_> {
    /// Whether a text that was cleaned may stand here.
    pub(super) fn check(self, text: &str) -> Result<(), Misfit> {
        let length = text.chars().count();
        match self {
            Self::Words if length > BODY_LIMIT => Err(Misfit::TooLong),
            Self::LinkEnd(_) if !is_in_a_link(text) => Err(Misfit::NotInALink),
            Self::LinkEnd(url) => match filled_link(url, Some(text)).chars().count() {
                length if length > LINK_LIMIT => Err(Misfit::LinkTooLong { length }),
                _ => Ok(()),
            },
            Self::Coupon if length > COUPON_LIMIT || !is_alphanumeric(text) => Err(Misfit::Coupon),
            Self::OneTimeCode if length > CODE_LIMIT => Err(Misfit::CodeTooLong),
            Self::Payload if length > PAYLOAD_LIMIT => Err(Misfit::PayloadTooLong),
            Self::Words | Self::Coupon | Self::OneTimeCode | Self::Payload => Ok(()),
        }
    }
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Only what a link may hold, and a percent sign only before two hexadecimal digits.
fn is_in_a_link(text: &str) -> bool {
    let mut parts = text.split('%');
    let allowed = |part: &str| {
        part.chars()
            .all(|c| c.is_ascii_alphanumeric() || IN_A_LINK.contains(c))
    };
    let escape = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    parts.next().is_none_or(allowed) && parts.all(|part| escape(part) && allowed(part))
}
