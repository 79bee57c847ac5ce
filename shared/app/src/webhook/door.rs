//! Webhooks at the door: verified, queued, answered. Nothing is parsed and no table is written; only
//! what arrives at the address of a customer's own app reads whose it is, and remembers it for a while.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use subtle::ConstantTimeEq;

use crate::channel::{Route, own_app};
use crate::task::{Webhook, WebhookContent};
use crate::{App, Error, pack, ports, secret};

/// The largest body that Meta sends (Meta: webhook payload).
pub const BODY_MAX: usize = 3 * 1024 * 1024;

/// The largest body, compressed and in base64, that travels in a message of the queue, which takes
/// 1 MiB with everything around it (SQS: quotas).
const MESSAGE_MAX: usize = 1_000_000;

/// Answers Meta's question whether the installation's address is ours.
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
        Err(refused())
    }
}

/// Answers Meta's question whether the address of a number under its own app is ours.
///
/// # Errors
/// There is no such address, the token is not its own, or the store cannot be read.
pub async fn handshake_at<'a>(
    app: &App,
    address: &str,
    mode: &str,
    token: &str,
    challenge: &'a str,
) -> Result<&'a str, Error> {
    if mode == "subscribe" && own_app::knows(app, address, token).await? {
        Ok(challenge)
    } else {
        Err(refused())
    }
}

fn refused() -> Error {
    Error::Forbidden {
        needed: "the verify token",
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
    queue(app, raw, None).await
}

/// The same at the address of a number under its own app.
///
/// # Errors
/// There is no such address, the signature is not its app's, or the store or queue cannot be reached.
pub async fn ingest_at(
    app: &App,
    address: &str,
    raw: &[u8],
    signature: Option<&str>,
) -> Result<(), Error> {
    let sender = own_app::verified(app, address, raw, signature).await?;
    queue(app, raw, Some(sender)).await
}

async fn queue(app: &App, raw: &[u8], sender: Option<Route>) -> Result<(), Error> {
    let packed = deflated(raw)?;
    let content = if packed.len().div_ceil(3) * 4 <= MESSAGE_MAX {
        WebhookContent::Body(STANDARD.encode(packed))
    } else {
        let file = format!("webhooks/{}", secret::random_token());
        app.files.put(&file, Bytes::from(packed)).await?;
        WebhookContent::File(file)
    };
    let task = Webhook {
        content,
        sender,
        received_at: Some(app.now()),
        again: false,
    };
    app.enqueue(&task, Duration::ZERO).await
}

/// A body that fits into a message of the queue.
///
/// # Errors
/// None in practice: a vector takes every byte.
pub(super) fn packed(raw: &[u8]) -> Result<WebhookContent, Error> {
    Ok(WebhookContent::Body(STANDARD.encode(deflated(raw)?)))
}

fn deflated(raw: &[u8]) -> Result<Vec<u8>, Error> {
    pack::deflate(raw)
        .map_err(|error| Error::internal("a webhook body cannot be compressed", error))
}

/// The bytes that were signed.
///
/// # Errors
/// The file cannot be read, or what was queued is not what this module makes.
pub(super) async fn unpacked(app: &App, content: &WebhookContent) -> Result<Vec<u8>, Error> {
    let packed = match content {
        WebhookContent::Body(body) => STANDARD
            .decode(body)
            .map_err(|error| Error::internal("a queued webhook body is not base64", error))?,
        WebhookContent::File(file) => ports::read(app.files.as_ref(), file).await?,
    };
    pack::inflate(&packed, BODY_MAX + 1)
        .map_err(|error| Error::internal("a queued webhook body cannot be decompressed", error))
}
