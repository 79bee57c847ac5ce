//! Meta's statuses, applied to the messages of chats by the same ranks as to those of campaigns.

use std::collections::HashMap;

use domain::chat::MessageRef;
use domain::event::StatusUpdate;
use domain::id::WorkspaceId;
use domain::message::Outcome as Rank;
use domain::realtime::Event;

use super::{Message, Outbound};
use crate::campaign::Evidence;
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
        let reached = |status| Event::MessageUpdated {
            chat: of.chat.clone(),
            message: of.message.clone(),
            status,
        };
        let Some((to, evidence)) = fold(message.status, false, updates) else {
            return Ok(message.status.map(reached));
        };
        let moved = moved(scope, of, &message, (to, &evidence), updates)?;
        if app.store.write(moved).await?.yes() {
            return Ok(Some(reached(to)));
        }
    }
    Err(Error::unavailable(
        "a message keeps changing under its statuses",
        "gave up after several attempts",
    ))
}

/// The write that moves the message on.
fn moved(
    scope: Scope<'_>,
    of: &MessageRef,
    message: &Outbound,
    (to, evidence): (Rank, &Evidence),
    updates: &[StatusUpdate],
) -> Result<Write, Error> {
    let mut write = Write::update(scope.message(&of.chat, &of.message)).set("status", &to)?;
    write = match &message.status {
        Some(from) => write.if_equals("status", from)?,
        // It came before Meta's answer was stored.
        None => write.if_present().if_missing("status"),
    };
    if let Some(at) = updates.iter().map(|update| update.at).max() {
        write = write.set("status_at", &at)?;
    }
    if let Some(wamid) = evidence.wamid.as_ref().filter(|_| message.wamid.is_none()) {
        write = write.set("wamid", wamid)?;
    }
    if let Some(code) = evidence.code {
        write = write.set("code", &code)?;
    }
    Ok(write)
}
