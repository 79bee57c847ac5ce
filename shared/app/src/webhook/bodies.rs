//! Bodies of webhooks, kept for some days as they were signed. What this version did not understand, or
//! got wrong, can be applied again by a later one ([`replay`]); Meta cannot be asked for it.
//!
//! Bodies that come in together are kept together: an item that holds ten costs little more than one
//! that holds a single status. While one item is being written the next ones gather; nobody waits for
//! company.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::channel::Route;
use crate::store::Write;
use crate::store::read::Span;
use crate::task::{Webhook, WebhookContent};
use crate::{App, Error, pack, secret};

/// How long bodies are kept; the bucket's rule for `webhooks/` says the same.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Over how many partitions an hour's bodies are spread.
const SHARDS: u8 = 16;

/// How many bytes of bodies one item holds before they are compressed: even what does not compress stays
/// below DynamoDB's 400 KB.
const ITEM_MAX: usize = 256 * 1024;

/// A body of more than this, compressed, is kept as a file.
const PACKED_MAX: usize = 320 * 1024;

/// How many items are read at once while replaying.
const PAGE: usize = 20;

/// One item.
#[derive(Debug, Serialize, Deserialize)]
struct Bodies {
    /// A list of [`Body`] as compressed JSON.
    #[serde(with = "packed")]
    bodies: Vec<Body>,
    /// Unix seconds.
    ttl: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    received_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender: Option<Route>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Text(String),
    /// What is no text, as the hexadecimal digits of its bytes.
    Bytes(String),
    /// The file that holds it.
    File(String),
}

/// Bodies on their way into the next item.
#[derive(Default)]
pub struct Collector(Mutex<Gathered>);

#[derive(Default)]
struct Gathered {
    waiting: Vec<Waiting>,
    /// Somebody is writing, and will look here again afterwards.
    writing: bool,
}

struct Waiting {
    body: Body,
    size: usize,
    done: oneshot::Sender<Result<(), String>>,
}

/// Keeps a body. Keeping it twice is harmless: it is applied twice when it is replayed.
///
/// # Errors
/// The store or the files cannot be reached.
pub(super) async fn keep(app: &App, task: &Webhook, raw: &[u8]) -> Result<(), Error> {
    if task.again {
        return Ok(());
    }
    let content = match &task.content {
        WebhookContent::File(file) => Content::File(file.clone()),
        WebhookContent::Body(_) if raw.len() > ITEM_MAX => large(app, raw).await?,
        WebhookContent::Body(_) => text(raw),
    };
    let (done, kept) = oneshot::channel();
    let waiting = Waiting {
        size: match &content {
            Content::Text(text) | Content::Bytes(text) | Content::File(text) => text.len(),
        },
        body: Body {
            received_at: task.received_at.unwrap_or_else(|| app.now()),
            sender: task.sender.clone(),
            content,
        },
        done,
    };
    let first = {
        let mut gathered = app.bodies.lock();
        gathered.waiting.push(waiting);
        !mem::replace(&mut gathered.writing, true)
    };
    if first {
        // In a task of its own, because others wait for it too.
        tokio::spawn(write_all(app.clone()));
    }
    match kept.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(Error::unavailable("a webhook body cannot be kept", why)),
        Err(gone) => Err(Error::unavailable("a webhook body was not kept", gone)),
    }
}

/// A body that is too large to share an item.
async fn large(app: &App, raw: &[u8]) -> Result<Content, Error> {
    let packed = pack::deflate(raw)
        .map_err(|error| Error::internal("a webhook body cannot be compressed", error))?;
    if packed.len() <= PACKED_MAX {
        return Ok(text(raw));
    }
    let file = format!("webhooks/{}", secret::random_token());
    app.files.put(&file, Bytes::from(packed)).await?;
    Ok(Content::File(file))
}

fn text(raw: &[u8]) -> Content {
    match std::str::from_utf8(raw) {
        Ok(text) => Content::Text(text.to_owned()),
        Err(_) => Content::Bytes(hexadecimal(raw)),
    }
}

fn hexadecimal(raw: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let digits = raw
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let bytes = digits?;
    let bytes = bytes.chunks_exact(2);
    Some(
        bytes
            .filter_map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok())
            .collect(),
    )
}

/// Writes items until nothing is waiting any more.
async fn write_all(app: App) {
    let ended = Ended(&app.bodies);
    loop {
        let group = {
            let mut gathered = app.bodies.lock();
            let group = take(&mut gathered.waiting);
            if group.is_empty() {
                gathered.writing = false;
                mem::forget(ended);
                return;
            }
            group
        };
        let (bodies, done): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|waiting| (waiting.body, waiting.done))
            .unzip();
        let written = write(&app, bodies).await.map_err(|error| error.chain());
        for done in done {
            // Whoever does not wait any more is delivered again, and keeps it then.
            let _ = done.send(written.clone());
        }
    }
}

/// As many of the waiting, in their order, as one item holds.
fn take(waiting: &mut Vec<Waiting>) -> Vec<Waiting> {
    let mut size = 0;
    let fit = waiting.iter().take_while(|waiting| {
        size += waiting.size;
        size <= ITEM_MAX
    });
    let fit = fit.count().max(1).min(waiting.len());
    waiting.drain(..fit).collect()
}

async fn write(app: &App, bodies: Vec<Body>) -> Result<(), Error> {
    let now = app.now();
    let item = Bodies {
        bodies,
        ttl: (now + KEPT).as_second(),
    };
    let shard = rand::random_range(0..SHARDS);
    let key = app
        .store
        .webhook_bodies(now, shard, &secret::random_token());
    app.store.write(Write::put(key, &item)?).await?;
    Ok(())
}

impl Collector {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the writing ends before its end, nobody waits for ever: their bodies are delivered again.
struct Ended<'a>(&'a Collector);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut gathered = self.0.lock();
        gathered.writing = false;
        gathered.waiting.clear();
    }
}

/// What a replay did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    pub bodies: usize,
}

/// Queues everything again that came in since an instant, to be applied once more. All of it is
/// idempotent, so nothing that was applied before is changed by it.
///
/// # Errors
/// The store or the queue cannot be reached; what was queued until then is applied.
pub async fn replay(app: &App, since: Timestamp) -> Result<Replayed, Error> {
    let mut replayed = Replayed::default();
    let since = since.max(app.now() - KEPT);
    for range in app.store.all_webhook_bodies(since, app.now(), SHARDS) {
        let mut after: Option<String> = None;
        loop {
            let span = Span::first(PAGE).after(after.as_deref());
            let page = app.store.page::<Bodies>(&range, span).await?;
            for item in page.items {
                let bodies = item.bodies.into_iter();
                let bodies = bodies.filter(|body| body.received_at >= since);
                let tasks: Vec<Webhook> = bodies.filter_map(again).collect();
                replayed.bodies += tasks.len();
                for task in tasks {
                    app.enqueue(&task, Duration::ZERO).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(replayed)
}

fn again(body: Body) -> Option<Webhook> {
    let content = match body.content {
        Content::File(file) => WebhookContent::File(file),
        Content::Text(text) => super::door::packed(text.as_bytes()).ok()?,
        Content::Bytes(digits) => super::door::packed(&from_hexadecimal(&digits)?).ok()?,
    };
    Some(Webhook {
        content,
        sender: body.sender,
        received_at: Some(body.received_at),
        again: true,
    })
}

mod packed {
    use serde::de::Visitor;
    use serde::ser::Error as _;
    use serde::{Deserializer, Serializer};

    use super::Body;
    use crate::pack;
    use crate::webhook::BODY_MAX;

    pub(super) fn serialize<S: Serializer>(
        bodies: &[Body],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_vec(bodies).map_err(S::Error::custom)?;
        let packed = pack::deflate(&json).map_err(S::Error::custom)?;
        serializer.serialize_bytes(&packed)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Body>, D::Error> {
        deserializer.deserialize_bytes(Packed)
    }

    struct Packed;

    impl Visitor<'_> for Packed {
        type Value = Vec<Body>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("compressed webhook bodies")
        }

        fn visit_bytes<E: serde::de::Error>(self, packed: &[u8]) -> Result<Self::Value, E> {
            // Escapes can make a body longer than it came.
            let json = pack::inflate(packed, 8 * BODY_MAX).map_err(E::custom)?;
            serde_json::from_slice(&json).map_err(E::custom)
        }
    }
}
