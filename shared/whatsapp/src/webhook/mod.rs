//! Webhook bodies, read into domain events (Meta: webhooks, `messages` and other fields).
//!
//! One body holds several entries, each with several changes, each with several messages and
//! statuses, of several businesses: all of them are read. Whatever cannot be understood becomes
//! [`EventKind::Other`] by itself, because one odd element must not cost its thousand siblings.
//! Only a body that is no webhook at all is an error.
//!
//! The signature is not checked here: see [`crate::signature`], which must come first.

mod account;
mod content;
mod message;
mod read;
mod repair;
mod status;
mod template;

use std::borrow::Cow;

use domain::event::{ChannelEvent, EventKind};
use jiff::Timestamp;
use serde_json::Value;

use crate::lenient::{id, list, text, timestamp};

/// Why a body holds no events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("the webhook body is not JSON: {0}")]
    NotJson(String),
    #[error("the webhook body is JSON, but has no list of entries")]
    NotAWebhook,
}

/// Every event in a webhook body, in the order they stand there.
pub fn parse(raw: &[u8]) -> Result<Vec<ChannelEvent>, ParseError> {
    let body = json(raw)?;
    let entries = body
        .get("entry")
        .and_then(Value::as_array)
        .ok_or(ParseError::NotAWebhook)?;
    Ok(entries.iter().flat_map(entry).collect())
}

/// Whatever of a body can be read: bytes that are no text, and parts that are no JSON, cost only
/// themselves.
fn json(raw: &[u8]) -> Result<Value, ParseError> {
    let error = match serde_json::from_slice(raw) {
        Ok(body) => return Ok(body),
        Err(error) => error,
    };
    read::lenient(&String::from_utf8_lossy(raw))
        .ok_or_else(|| ParseError::NotJson(error.to_string()))
}

fn entry(entry: &Value) -> Vec<ChannelEvent> {
    let waba_id = id(entry, "id").unwrap_or_default();
    let at = timestamp(entry, "time");
    match entry.get("changes").and_then(Value::as_array) {
        Some(changes) => changes
            .iter()
            .flat_map(|part| change(&waba_id, at, part))
            .collect(),
        None => vec![ChannelEvent {
            waba_id,
            phone_number_id: None,
            kind: other("entry", entry),
        }],
    }
}

fn change(entry_id: &str, at: Option<Timestamp>, change: &Value) -> Vec<ChannelEvent> {
    let value = change.get("value").unwrap_or(change);
    let field = field(change, value);
    let kinds = match field.as_ref() {
        "messages" => messages(value),
        "user_preferences" => preferences(value),
        field => match template::parse(field, value, at) {
            Some(event) => vec![EventKind::Template(event)],
            None => account::parse(field, value, at),
        },
    };
    let kinds = match kinds.is_empty() {
        true => vec![other(&field, value)],
        false => kinds,
    };
    let waba_id = waba_id(entry_id, &field, value);
    let phone_number_id = value
        .get("metadata")
        .and_then(|metadata| id(metadata, "phone_number_id"));
    let event = |kind| ChannelEvent {
        waba_id: waba_id.clone(),
        phone_number_id: phone_number_id.clone(),
        kind,
    };
    kinds.into_iter().map(event).collect()
}

/// A change of `messages` has messages, or statuses, or errors, or several of them.
fn messages(value: &Value) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    let errors: Vec<_> = list(value, "errors")
        .iter()
        .filter_map(status::error)
        .collect();
    if !errors.is_empty() {
        kinds.push(EventKind::NumberErrors(errors));
    }
    let contacts = list(value, "contacts");
    let senders = list(value, "messages");
    kinds.extend(list(value, "statuses").iter().map(|element| {
        status::parse(element)
            .map_or_else(|| other("messages.statuses", element), EventKind::Status)
    }));
    kinds.extend(senders.iter().map(|element| {
        message::parse(element, contacts)
            .map_or_else(|| other("messages.messages", element), EventKind::Message)
    }));
    kinds
}

/// Each element by itself: one may be about a person that cannot be named.
fn preferences(value: &Value) -> Vec<EventKind> {
    let contacts = list(value, "contacts");
    let read = |element| {
        message::preference(element, contacts).map_or_else(
            || other("user_preferences.user_preferences", element),
            EventKind::Preference,
        )
    };
    let elements = list(value, "user_preferences");
    elements.iter().map(read).collect()
}

/// Meta's own samples leave the field out of partner events at times.
fn field<'a>(change: &'a Value, value: &'a Value) -> Cow<'a, str> {
    let named = [change, value].iter().find_map(|part| text(part, "field"));
    match named {
        Some(field) => Cow::Owned(field),
        None if is_partner_event(value) => Cow::Borrowed("account_update"),
        None => Cow::Borrowed("change"),
    }
}

/// The entry's id is the account's, except for partner events: there it is our own portfolio's,
/// and the customer's account is inside.
fn waba_id(entry_id: &str, field: &str, value: &Value) -> String {
    let inner = value.get("waba_info").and_then(|info| id(info, "waba_id"));
    match inner {
        Some(inner) if field == "account_update" && is_partner_event(value) => inner,
        Some(_) | None => entry_id.to_owned(),
    }
}

fn is_partner_event(value: &Value) -> bool {
    text(value, "event").is_some_and(|event| event.starts_with("PARTNER_"))
}

fn other(field: &str, value: &Value) -> EventKind {
    EventKind::Other {
        field: field.to_owned(),
        value: value.clone(),
    }
}
