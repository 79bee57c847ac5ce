//! Meta's statuses, applied to the messages of chats by the same ranks as to those of campaigns.

use std::collections::HashMap;

use domain::chat::{Content, MessageRef};
use domain::event::{DeliveryStatus, StatusUpdate};
use domain::id::WorkspaceId;
use domain::realtime::Event;
use jiff::Timestamp;

use super::{Message, Outbound, amend};
use crate::campaign::status::fold;
use crate::store::{Scope, Write};
use crate::{App, Error, realtime};

/// How often a message is looked at again when it changes at the same moment.
const ATTEMPTS: usize = 6;

/// Applies a batch of statuses of one workspace. One that cannot be applied holds up no other.
///
/// # Errors
/// The store cannot be reached; applying the batch again is harmless.
pub(crate) async fn apply(
    app: &App,
    workspace: &WorkspaceId,
    updates: Vec<(MessageRef, StatusUpdate)>,
) -> Result<(), Error> {
    let scope = app.store.workspace(workspace);
    let mut messages: HashMap<MessageRef, Vec<StatusUpdate>> = HashMap::new();
    for (message, update) in updates {
        messages.entry(message).or_default().push(update);
    }
    let mut result = Ok(());
    let mut events = Vec::new();
    for (message, updates) in messages {
        match one(app, scope, &message, &updates).await {
            Ok(event) => events.extend(event),
            Err(error) => result = result.and(Err(error)),
        }
    }
    result.and(realtime::publish(app, scope, events).await)
}

/// Applies the statuses of one message, and returns what open screens are to be told of it: its status,
/// also when it had that before, because whoever moved it may have died before telling.
async fn one(
    app: &App,
    scope: Scope<'_>,
    of: &MessageRef,
    updates: &[StatusUpdate],
) -> Result<Option<Event>, Error> {
    let key = scope.message(&of.chat, &of.message);
    for _ in 0..ATTEMPTS {
        // A message that does not exist is not ours, or another workspace's.
        let Some(Message::Outbound(message)) = app.store.get(&key).await? else {
            return Ok(None);
        };
        let reached = |message: &Outbound| Event::MessageUpdated {
            chat: of.chat.clone(),
            message: of.message.clone(),
            status: message.tick(),
        };
        let Some((after, write)) = moved(scope, of, &message, updates)? else {
            reacted(app, scope, of, &message).await?;
            return Ok(message.status.map(|_| reached(&message)));
        };
        if app.store.write(write).await?.yes() {
            reacted(app, scope, of, &after).await?;
            return Ok(Some(reached(&after)));
        }
    }
    Err(Error::unavailable(
        "a message keeps changing under its statuses",
        "gave up after several attempts",
    ))
}

/// A reaction stands on its message once it is certain: when it was sent, which is all that Meta ever says of
/// it (Meta: reaction messages).
async fn reacted(
    app: &App,
    scope: Scope<'_>,
    of: &MessageRef,
    message: &Outbound,
) -> Result<(), Error> {
    match &message.content {
        Content::Reaction { message: to, emoji } if message.sent_at.is_some() => {
            let emoji = emoji.as_deref();
            Box::pin(amend::react(app, scope, &of.chat, to, emoji, &of.message)).await
        }
        _ => Ok(()),
    }
}

/// The message moved on, and the write that does so; `None` when the statuses say nothing new.
fn moved(
    scope: Scope<'_>,
    of: &MessageRef,
    message: &Outbound,
    updates: &[StatusUpdate],
) -> Result<Option<(Outbound, Write)>, Error> {
    let told = |status| {
        let of_status = updates.iter().filter(|update| update.status == status);
        of_status.map(|update| update.at).min()
    };
    let mut after = message.clone();
    let mut write = Write::update(scope.message(&of.chat, &of.message));
    write = match &message.status {
        Some(from) => write.if_equals("status", from)?,
        // It came before Meta's answer was stored.
        None => write.if_present().if_missing("status"),
    };
    let fresh =
        |known: Option<Timestamp>, told: Option<Timestamp>| told.filter(|_| known.is_none());
    let sent_at = fresh(message.sent_at, told(DeliveryStatus::Sent));
    let played_at = fresh(message.played_at, told(DeliveryStatus::Played));
    let folded = fold(message.status, false, updates);
    if folded.is_none() && sent_at.is_none() && played_at.is_none() {
        return Ok(None);
    }
    if let Some(at) = sent_at {
        after.sent_at = Some(at);
        write = write.set("sent_at", &at)?;
    }
    if let Some(at) = played_at {
        after.played_at = Some(at);
        write = write.set("played_at", &at)?;
    }
    let Some((to, evidence)) = folded else {
        return Ok(Some((after, write)));
    };
    after.status = Some(to);
    write = write.set("status", &to)?;
    if let Some(at) = updates.iter().map(|update| update.at).max() {
        write = write.set("status_at", &at)?;
    }
    if let Some(wamid) = evidence.wamid.as_ref().filter(|_| message.wamid.is_none()) {
        write = write.set("wamid", wamid)?;
    }
    if let Some(code) = evidence.code {
        write = write.set("code", &code)?;
    }
    Ok(Some((after, write)))
}
