//! Meta's webhooks: taken in at once, worked on later.
//!
//! [`ingest`] verifies and queues, nothing else, because Meta expects an answer within milliseconds
//! and there is no way to ask for a missed webhook. [`process`] parses everything and applies each
//! event by itself.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::campaign::RecipientRef;
use domain::chat::MessageRef;
use domain::contact::{Consent, ConsentChange, ConsentSource};
use domain::event::{ChannelEvent, EventKind, InboundMessage, StatusUpdate};
use domain::id::WorkspaceId;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::channel::Route;
use crate::task::Webhook;
use crate::{App, Error, campaign, channel, chat, contact, inbound, pack};

/// The largest body that Meta sends (Meta: webhook payload).
pub const BODY_MAX: usize = 3 * 1024 * 1024;

/// Answers Meta's question whether the address is ours.
///
/// # Errors
/// The token is not the one configured; without one configured nothing is answered.
pub fn handshake<'a>(
    app: &App,
    mode: &str,
    token: &str,
    challenge: &'a str,
) -> Result<&'a str, Error> {
    let expected = app.config.verify_token.as_bytes();
    let matches: bool = expected.ct_eq(token.as_bytes()).into();
    if mode == "subscribe" && !expected.is_empty() && matches {
        Ok(challenge)
    } else {
        Err(Error::Forbidden {
            needed: "the verify token",
        })
    }
}

/// Verifies a body over its raw bytes and queues it. When this returns, it is durable.
///
/// # Errors
/// The signature is not Meta's, or the queue cannot be reached: then Meta sends it again.
pub async fn ingest(app: &App, raw: &[u8], signature: Option<&str>) -> Result<(), Error> {
    let secrets: Vec<&str> = app.config.app_secrets.iter().map(String::as_str).collect();
    if !whatsapp::signature::verify(&secrets, raw, signature) {
        return Err(Error::Unauthenticated);
    }
    app.enqueue(&Webhook { body: pack(raw)? }, Duration::ZERO)
        .await
}

/// Applies everything a body says. What cannot be applied holds up nothing else.
///
/// # Errors
/// The store cannot be reached; applying the body again is harmless.
pub async fn process(app: App, task: Webhook) -> Result<(), Error> {
    let raw = unpack(&task.body)?;
    let events = match whatsapp::webhook::parse(&raw) {
        Ok(events) => events,
        Err(error) => {
            return Err(Error::internal(
                "a signed webhook body cannot be parsed",
                error,
            ));
        }
    };
    let mut told = Told::default();
    for event in events {
        if let Some(route) = route(&app, &event).await? {
            told.sort(route, event.kind);
        }
    }
    told.apply(&app).await
}

/// What a body tells, sorted by whom it concerns.
#[derive(Default)]
struct Told {
    /// What became of messages of campaigns.
    recipients: HashMap<WorkspaceId, Vec<(RecipientRef, StatusUpdate)>>,
    /// And of chats.
    chats: HashMap<WorkspaceId, Vec<(MessageRef, StatusUpdate)>>,
    /// People who stopped messages of the business, by the id Meta names them with.
    stopped: Vec<(WorkspaceId, String, Timestamp)>,
    messages: HashMap<Route, Vec<InboundMessage>>,
}

impl Told {
    fn sort(&mut self, route: Route, kind: EventKind) {
        match kind {
            EventKind::Status(update) => {
                let stopped = update.error.as_ref().map(|error| error.code) == Some(STOPPED);
                if let Some(person) = update.recipient.clone().filter(|_| stopped) {
                    let workspace = route.workspace.clone();
                    self.stopped.push((workspace, person, update.at));
                }
                // Without our callback data the message was sent by another of Meta's tools.
                let data = update.callback_data.clone().unwrap_or_default();
                if let Ok(recipient) = data.parse() {
                    let updates = self.recipients.entry(route.workspace).or_default();
                    updates.push((recipient, update));
                } else if let Ok(message) = data.parse() {
                    let updates = self.chats.entry(route.workspace).or_default();
                    updates.push((message, update));
                }
            }
            EventKind::NumberErrors(errors) => {
                let codes: Vec<i64> = errors.iter().map(|error| error.code).collect();
                tracing::warn!(channel = %route.channel, ?codes, "Meta reports errors of a number");
            }
            EventKind::Message(message) => {
                self.messages.entry(route).or_default().push(message);
            }
            // The account events are not part of the product yet.
            EventKind::Other { .. } => {}
        }
    }

    /// Statuses first: a message may answer what a status of the same body makes known.
    async fn apply(self, app: &App) -> Result<(), Error> {
        let mut result = Ok(());
        for (workspace, updates) in self.recipients {
            let applied = campaign::status::apply(app, &workspace, updates).await;
            result = result.and(applied);
        }
        for (workspace, updates) in self.chats {
            result = result.and(chat::status::apply(app, &workspace, updates).await);
        }
        for (workspace, person, at) in self.stopped {
            result = result.and(stop(app, &workspace, &person, at).await);
        }
        for (route, messages) in self.messages {
            result = result.and(inbound::take_in(app, &route, messages).await);
        }
        result
    }
}

/// A person stopped messages of the business at WhatsApp, which refuses to deliver more (Meta: error
/// 131050).
const STOPPED: i64 = 131_050;

async fn stop(
    app: &App,
    workspace: &WorkspaceId,
    person: &str,
    at: Timestamp,
) -> Result<(), Error> {
    let scope = app.store.workspace(workspace);
    let Some(contact) = contact::by_wa_id(app, scope, person).await? else {
        return Ok(());
    };
    let made = ConsentChange {
        at,
        source: ConsentSource::Whatsapp,
    };
    contact::wish(app, scope, contact, Consent::OptedOut, made).await
}

async fn route(app: &App, event: &ChannelEvent) -> Result<Option<Route>, Error> {
    match &event.phone_number_id {
        Some(number) => channel::route(app, number).await,
        None => Ok(None),
    }
}

fn pack(raw: &[u8]) -> Result<String, Error> {
    pack::deflate(raw)
        .map(|bytes| STANDARD.encode(bytes))
        .map_err(|error| Error::internal("a webhook body cannot be compressed", error))
}

fn unpack(body: &str) -> Result<Vec<u8>, Error> {
    let packed = STANDARD
        .decode(body)
        .map_err(|error| Error::internal("a queued webhook body is not base64", error))?;
    pack::inflate(&packed, BODY_MAX + 1)
        .map_err(|error| Error::internal("a queued webhook body cannot be decompressed", error))
}
