//! Fetching the files that people send: WhatsApp keeps them for some days, and we keep our own.
//!
//! What correctness rests on:
//! - The intent to fetch a file is written while the message is there and before anything is queued, and
//!   lives until the message says what became of its file; both change in one transaction. Until then the
//!   message shows that its file is being downloaded.
//! - An address at WhatsApp lives for five minutes, so it is asked for anew in each attempt. Where a file
//!   is kept follows from its message, so an attempt that is repeated writes the same file again.
//! - What cannot be had now is tried again after longer and longer pauses, for as long as WhatsApp keeps
//!   it. What [`super::tick`] finds due was lost by its queue.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::event::{InboundContent, InboundMedia};
use domain::id::{ChannelId, ChatId, MessageId, WorkspaceId};
use domain::media::{HEAD, MediaType};
use domain::realtime::Event;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use whatsapp::{ApiError, DownloadError};

use super::picture;
use super::received::{Kept, Loss, Received};
use super::tick;
use crate::channel;
use crate::chat::{Inbound, Message};
use crate::store::commit::Updated;
use crate::store::{Committed, Scope, Write};
use crate::task::{self, MediaFetch};
use crate::{App, Error, realtime};

/// How long WhatsApp keeps a file that a person sent (Meta: media lifetimes).
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The largest file that a person can send (Meta: media types).
const SIZE_MAX: u64 = 100 << 20;

/// How long one who fetches may be alive: the function's time-out and a little more.
const LEASE: SignedDuration = SignedDuration::from_secs(150);

/// How often WhatsApp may say that it does not have a file, or hand over another than it told of, before
/// that is believed.
const CERTAIN: u32 = 3;

/// Meta's code for something that does not exist, or not for this token.
const NO_SUCH_OBJECT: i64 = 100;

/// The first pause before a file is asked for again; each is twice the one before, up to the longest.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_MAX: Duration = Duration::from_hours(6);

/// A file that is to be fetched: the intent, which exists until the message says what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fetch {
    pub(crate) workspace: WorkspaceId,
    pub(crate) channel: ChannelId,
    pub(crate) chat: ChatId,
    pub(crate) message: MessageId,
    /// Milliseconds: until then somebody may be fetching it. It and what follows change with every try, so
    /// the index does not hold them.
    #[serde(default)]
    lease: i64,
    #[serde(default)]
    tries: u32,
    /// How often WhatsApp said that there is no such file, or handed over another.
    #[serde(default)]
    denials: u32,
}

impl Fetch {
    pub(super) fn task(&self) -> MediaFetch {
        MediaFetch {
            workspace: self.workspace.clone(),
            channel: self.channel.clone(),
            chat: self.chat.clone(),
            message: self.message.clone(),
        }
    }
}

/// What came of one attempt.
enum Got {
    File(Kept),
    Lost(Loss),
    /// Lost, if WhatsApp says so again.
    Denied(Loss),
    /// Not now, for this reason.
    NotYet(String),
}

/// Has the file of a message fetched, if it has one. The message is stored; saying it again is harmless.
///
/// # Errors
/// The store or the queue cannot be reached.
pub(crate) async fn enqueue(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    chat: &ChatId,
    message: &MessageId,
    said: &InboundContent,
) -> Result<(), Error> {
    let InboundContent::Media(media) = said else {
        return Ok(());
    };
    let fetch = Fetch {
        workspace: scope.workspace.clone(),
        channel: channel.clone(),
        chat: chat.clone(),
        message: message.clone(),
        lease: 0,
        tries: 0,
        denials: 0,
    };
    if media.id.is_none() || !media.errors.is_empty() {
        let codes: Vec<_> = media.errors.iter().map(|error| error.code).collect();
        tracing::warn!(%message, ?codes, "WhatsApp could not keep a file");
        return settle(
            app,
            scope,
            &fetch,
            Received::Failed {
                loss: Loss::NotKept,
            },
        )
        .await;
    }
    let (pk, at) = scope.due_fetch(chat, message, tick::first(app));
    let writes = vec![
        Write::check(scope.message(chat, message))
            .if_present()
            .if_missing("media"),
        Write::create(scope.fetch(chat, message), &fetch)?
            .with("gsi1pk", pk)
            .with("gsi1sk", at),
    ];
    if !app.store.transact(writes).await?.yes() {
        // It was told before: the file is there, or is being fetched.
        return Ok(());
    }
    app.enqueue(&fetch.task(), Duration::ZERO).await
}

/// Fetches the file of a message.
///
/// # Errors
/// [`Error::Later`] while WhatsApp does not hand it over, or while somebody else may be fetching it.
pub async fn run(app: App, task: MediaFetch) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let chat = &task.chat;
    let now = app.now();
    let (pk, at) = scope.due_fetch(chat, &task.message, tick::after(&app, Duration::ZERO));
    let claim = Write::update(scope.fetch(chat, &task.message))
        .set("lease", &(now + LEASE).as_millisecond())?
        .set("gsi1pk", &pk)?
        .set("gsi1sk", &at)?
        .add("tries", 1)
        .if_below("lease", &now.as_millisecond())?
        .if_present();
    let fetch: Fetch = match app.store.update_returning(claim).await? {
        Updated::Yes(fetch) => fetch,
        Updated::No(Some(Fetch { lease, .. })) => {
            let left = lease.saturating_sub(now.as_millisecond()).max(1);
            return Err(Error::Later {
                after: Duration::from_millis(left.unsigned_abs()),
            });
        }
        // Whoever ended it may have died before telling.
        Updated::No(None) => return tell_again(&app, scope, chat, &task.message).await,
    };
    let message = app.store.get(&scope.message(chat, &task.message)).await?;
    let Some(Message::Inbound(message)) = message else {
        return Err(Error::broken(
            "a message whose file is to be fetched does not exist",
        ));
    };
    let InboundContent::Media(media) = &message.content else {
        return Err(Error::broken(
            "a message without a file has one to be fetched",
        ));
    };
    let received = match attempt(&app, scope, &fetch, media).await? {
        Got::File(kept) => Received::Ready(kept),
        Got::Lost(loss) => lost(&message, loss),
        Got::Denied(loss) if fetch.denials + 1 >= CERTAIN => lost(&message, loss),
        Got::NotYet(_) if is_over(&app, &message) => lost(&message, Loss::Unreachable),
        Got::Denied(loss) => {
            return Err(postpone(&app, scope, &fetch, &format!("{loss:?}"), 1).await?);
        }
        Got::NotYet(why) => return Err(postpone(&app, scope, &fetch, &why, 0).await?),
    };
    settle(&app, scope, &fetch, received).await
}

fn lost(message: &Inbound, loss: Loss) -> Received {
    tracing::warn!(message = %message.id, ?loss, "a file that a person sent is lost");
    Received::Failed { loss }
}

fn is_over(app: &App, message: &Inbound) -> bool {
    app.now().duration_since(message.at) >= LIFE
}

/// One attempt, from asking for the address to keeping the file.
async fn attempt(
    app: &App,
    scope: Scope<'_>,
    fetch: &Fetch,
    media: &InboundMedia,
) -> Result<Got, Error> {
    let Some(id) = &media.id else {
        return Ok(Got::Lost(Loss::NotKept));
    };
    let channel = match channel::find(app, scope, &fetch.channel).await {
        Err(Error::NotFound { .. }) => return Ok(Got::Lost(Loss::Gone)),
        channel => channel?,
    };
    let token = match channel::token(app, scope, &channel) {
        // It may be connected again while WhatsApp still has the file.
        Err(Error::Refused { message, .. }) => return Ok(Got::NotYet(message)),
        token => token?,
    };
    let number = &channel.phone_number_id;
    let address = match app.whatsapp.media(&token, number, id).await {
        Ok(address) => address,
        Err(ApiError::Refused(refusal)) if refusal.code == NO_SUCH_OBJECT => {
            return Ok(Got::Denied(Loss::Gone));
        }
        Err(error) => return Ok(Got::NotYet(error.to_string())),
    };
    if address.size.is_some_and(|size| size > SIZE_MAX) {
        return Ok(Got::Lost(Loss::TooLarge));
    }
    let bytes = match app.whatsapp.download(&token, &address, SIZE_MAX).await {
        Ok(bytes) => bytes,
        Err(DownloadError::TooLarge) => return Ok(Got::Lost(Loss::TooLarge)),
        Err(error) => return Ok(Got::NotYet(error.to_string())),
    };
    let told = [media.sha256.as_deref(), address.sha256.as_deref()];
    let short = address.size.is_some_and(|size| size != bytes.len() as u64);
    if short || !is_whole(&bytes, told).await? {
        return Ok(Got::Denied(Loss::Damaged));
    }
    Ok(Got::File(keep(app, scope, fetch, media, bytes).await?))
}

/// Keeps a file and, of a picture, a small one.
async fn keep(
    app: &App,
    scope: Scope<'_>,
    fetch: &Fetch,
    media: &InboundMedia,
    bytes: Bytes,
) -> Result<Kept, Error> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let mime_type = MediaType::of(media.mime_type.as_deref(), head);
    let size = bytes.len() as u64;
    let key = Kept::key(scope, &fetch.chat, &fetch.message);
    app.files.put(&key, bytes.clone()).await?;
    let picture = match mime_type {
        Some(mime_type) => picture::look(mime_type, bytes).await,
        None => None,
    };
    let mut kept = Kept {
        mime_type,
        size,
        width: picture.as_ref().map(|picture| picture.width),
        height: picture.as_ref().map(|picture| picture.height),
        thumbnail: None,
    };
    if let Some(small) = picture.and_then(|picture| picture.small) {
        app.files.put(&picture::small(&key), small.bytes).await?;
        kept.thumbnail = Some(small.mime_type);
    }
    Ok(kept)
}

/// Gives the claim back until after a pause; the tick leaves the file alone until some time after it.
async fn postpone(
    app: &App,
    scope: Scope<'_>,
    fetch: &Fetch,
    why: &str,
    denials: i64,
) -> Result<Error, Error> {
    let after = pause(fetch.tries);
    tracing::warn!(message = %fetch.message, why, ?after, "a file will be fetched later");
    let (pk, at) = scope.due_fetch(&fetch.chat, &fetch.message, tick::after(app, after));
    let free = Write::update(scope.fetch(&fetch.chat, &fetch.message))
        .set("lease", &0)?
        .set("gsi1pk", &pk)?
        .set("gsi1sk", &at)?
        .add("denials", denials)
        .if_present();
    app.store.write(free).await?;
    Ok(Error::Later { after })
}

/// Says on the message what became of its file, removes the intent, and tells open screens.
async fn settle(
    app: &App,
    scope: Scope<'_>,
    fetch: &Fetch,
    received: Received,
) -> Result<(), Error> {
    let chat = &fetch.chat;
    let said = Write::update(scope.message(chat, &fetch.message))
        .set("media", &received)?
        .if_present()
        .if_missing("media");
    let gone = Write::delete(scope.fetch(chat, &fetch.message));
    match app.store.transact(vec![said, gone.clone()]).await? {
        Committed::Yes => tell(app, scope, chat, &fetch.message, &received).await,
        // Somebody else has said it.
        Committed::No(_) => {
            app.store.write(gone).await?;
            tell_again(app, scope, chat, &fetch.message).await
        }
    }
}

async fn tell_again(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    message: &MessageId,
) -> Result<(), Error> {
    let stored: Option<Message> = app.store.get(&scope.message(chat, message)).await?;
    let Some(Message::Inbound(Inbound {
        media: Some(received),
        ..
    })) = stored
    else {
        return Ok(());
    };
    tell(app, scope, chat, message, &received).await
}

async fn tell(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    message: &MessageId,
    received: &Received,
) -> Result<(), Error> {
    let event = Event::MediaUpdated {
        chat: chat.clone(),
        message: message.clone(),
        state: received.state(),
    };
    realtime::publish(app, scope, vec![event]).await
}

/// Whether the bytes are those that WhatsApp told of. It tells of them twice, in hexadecimal or in
/// base64; what cannot be read as either proves nothing.
async fn is_whole(bytes: &Bytes, told: [Option<&str>; 2]) -> Result<bool, Error> {
    let told: Vec<_> = told.into_iter().flatten().filter_map(digest).collect();
    if told.is_empty() {
        return Ok(true);
    }
    let bytes = bytes.clone();
    let found = tokio::task::spawn_blocking(move || Sha256::digest(&bytes).to_vec()).await;
    let found = found.map_err(|error| Error::unavailable("a file cannot be hashed", error))?;
    Ok(told.contains(&found))
}

fn digest(text: &str) -> Option<Vec<u8>> {
    let hexadecimal = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bytes = if hexadecimal {
        let pairs = (0..32).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16));
        pairs.collect::<Result<_, _>>().ok()
    } else {
        STANDARD.decode(text).ok()
    };
    bytes.filter(|bytes: &Vec<u8>| bytes.len() == 32)
}

fn pause(tries: u32) -> Duration {
    task::pause(tries, PAUSE, PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_six_hours() {
        assert_eq!(pause(1), Duration::from_secs(10));
        assert_eq!(pause(2), Duration::from_secs(20));
        assert_eq!(pause(12), Duration::from_secs(20_480));
        assert_eq!(pause(13), PAUSE_MAX);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
    }

    #[tokio::test]
    async fn a_digest_is_read_in_both_ways_that_whatsapp_writes_it() {
        let bytes = Bytes::from_static(b"hello");
        let hexadecimal = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let base64 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        let other = STANDARD.encode([7; 32]);
        for (told, whole) in [
            ([Some(hexadecimal), None], true),
            ([Some(base64), None], true),
            ([None, Some(base64)], true),
            ([Some(&other), Some(hexadecimal)], true),
            ([Some(&other), None], false),
            ([Some(&other), Some("hex-or-base64-digest")], false),
            ([Some("hex-or-base64-digest"), None], true),
            ([None, None], true),
        ] {
            assert_eq!(is_whole(&bytes, told).await.unwrap(), whole, "{told:?}");
        }
    }
}
