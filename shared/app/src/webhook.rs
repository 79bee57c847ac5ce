//! Meta's webhooks: taken in at once, worked on later.
//!
//! [`ingest`] verifies and queues, nothing else, because Meta expects an answer within milliseconds
//! and there is no way to ask for a missed webhook. [`process`] parses everything and applies each
//! event by itself.

use std::collections::HashMap;
use std::io::{Read, Write as _};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::campaign::RecipientRef;
use domain::event::{ChannelEvent, EventKind, StatusUpdate};
use domain::id::WorkspaceId;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use subtle::ConstantTimeEq;

use crate::task::Webhook;
use crate::{App, Error, campaign, channel};

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

/// Applies everything a body says.
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
    let mut statuses: HashMap<WorkspaceId, Vec<(RecipientRef, StatusUpdate)>> = HashMap::new();
    for event in events {
        let Some(route) = route(&app, &event).await? else {
            continue;
        };
        match event.kind {
            EventKind::Status(update) => {
                // Without our callback data the message was sent by another of Meta's tools.
                if let Some(recipient) = update
                    .callback_data
                    .as_deref()
                    .and_then(|data| data.parse().ok())
                {
                    statuses
                        .entry(route.workspace)
                        .or_default()
                        .push((recipient, update));
                }
            }
            EventKind::NumberErrors(errors) => {
                let codes: Vec<i64> = errors.iter().map(|error| error.code).collect();
                tracing::warn!(channel = %route.channel, ?codes, "Meta reports errors of a number");
            }
            // The inbox and the account events are not part of the product yet.
            EventKind::Message(_) | EventKind::Other { .. } => {}
        }
    }
    for (workspace, updates) in statuses {
        campaign::status::apply(&app, &workspace, updates).await?;
    }
    Ok(())
}

async fn route(app: &App, event: &ChannelEvent) -> Result<Option<channel::Route>, Error> {
    match &event.phone_number_id {
        Some(number) => channel::route(app, number).await,
        None => Ok(None),
    }
}

fn pack(raw: &[u8]) -> Result<String, Error> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(raw).and_then(|()| encoder.finish());
    packed
        .map(|bytes| STANDARD.encode(bytes))
        .map_err(|error| Error::internal("a webhook body cannot be compressed", error))
}

fn unpack(body: &str) -> Result<Vec<u8>, Error> {
    let packed = STANDARD
        .decode(body)
        .map_err(|error| Error::internal("a queued webhook body is not base64", error))?;
    let mut raw = Vec::new();
    // Only what this product compressed gets here, yet a limit costs nothing.
    DeflateDecoder::new(packed.as_slice())
        .take(BODY_MAX as u64 + 1)
        .read_to_end(&mut raw)
        .map_err(|error| Error::internal("a queued webhook body cannot be decompressed", error))?;
    Ok(raw)
}
