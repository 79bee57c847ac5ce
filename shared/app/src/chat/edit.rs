//! What the team does to a chat besides writing in it: how far it is, who is to answer, its labels, and
//! that it was looked at.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::chat::Status;
use domain::id::{ChatId, LabelId, UserId};
use domain::workspace::Permission;
use jiff::Timestamp;

use super::{Author, Chat, What, change, find};
use crate::store::Scope;
use crate::task::ChatReceipt;
use crate::{Actor, App, Error, label, member};

/// The most labels of one chat.
const LABELS_MAX: usize = 20;

/// What a caller changes of a chat; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    pub status: Option<Status>,
    /// Until when a chat is snoozed; without it until the person writes.
    pub snoozed_until: Option<Timestamp>,
    /// `Some(None)`: nobody is to answer.
    pub assignee: Option<Option<UserId>>,
    pub labels: Option<BTreeSet<LabelId>>,
    /// `true` marks it as not seen again, `false` as seen.
    pub unread: Option<bool>,
}

/// Changes a chat, and says in its thread what was changed.
///
/// # Errors
/// The chat does not exist, or a field is not acceptable.
pub async fn update(app: &App, actor: &Actor, id: &ChatId, patch: Patch) -> Result<Chat, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let chat = find(app, scope, id).await?;
    check(app, scope, &chat, &patch).await?;
    change(app, scope, id, &Author::of(actor), |chat| {
        Ok(patched(chat, &patch))
    })
    .await
}

/// Says that somebody of the team has seen everything the person wrote; the person is told so, once.
///
/// # Errors
/// The chat does not exist in this workspace.
pub async fn read(app: &App, actor: &Actor, id: &ChatId) -> Result<Chat, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let chat = find(app, scope, id).await?;
    if chat.unread == 0 {
        return Ok(chat);
    }
    // Queued first: when it cannot be, the chat stays unread and is asked for again.
    if let Some(heard) = &chat.last_inbound {
        let receipt = ChatReceipt {
            workspace: actor.workspace.clone(),
            channel: chat.channel.clone(),
            contact: chat.contact.clone(),
            read: heard.message.clone(),
            typing_at: None,
        };
        app.enqueue(&receipt, Duration::ZERO).await?;
    }
    let seen = chat.unread;
    change(app, scope, id, &Author::of(actor), |chat| {
        // What came in meanwhile was not seen.
        chat.unread = chat.unread.saturating_sub(seen);
        Ok(Vec::new())
    })
    .await
}

async fn check(app: &App, scope: Scope<'_>, chat: &Chat, patch: &Patch) -> Result<(), Error> {
    if let Some(until) = patch.snoozed_until {
        if patch.status != Some(Status::Snoozed) {
            return Err(Error::invalid(
                "snoozed_until",
                "only together with the status \"snoozed\"",
            ));
        }
        if until <= app.now() {
            return Err(Error::invalid("snoozed_until", "this time is over"));
        }
    }
    if let Some(Some(user)) = &patch.assignee
        && !member::belongs(app, scope, user).await?
    {
        return Err(Error::invalid(
            "assignee",
            "this person is no member of the workspace",
        ));
    }
    let Some(labels) = &patch.labels else {
        return Ok(());
    };
    if labels.len() > LABELS_MAX {
        let message = format!("a chat has at most {LABELS_MAX} labels");
        return Err(Error::invalid("labels", message));
    }
    // A label that was deleted since may stay.
    if !label::exist(app, scope, labels.difference(&chat.labels)).await? {
        return Err(Error::invalid(
            "labels",
            "there is no such label in this workspace",
        ));
    }
    Ok(())
}

fn patched(chat: &mut Chat, patch: &Patch) -> Vec<What> {
    let mut happened = Vec::new();
    if let Some(status) = patch.status
        && (status, patch.snoozed_until) != (chat.status, chat.snoozed_until)
    {
        chat.status = status;
        chat.snoozed_until = patch.snoozed_until;
        happened.push(What::Status {
            status,
            until: patch.snoozed_until,
        });
    }
    if let Some(assignee) = &patch.assignee
        && *assignee != chat.assignee
    {
        chat.assignee.clone_from(assignee);
        happened.push(What::Assigned {
            assignee: assignee.clone(),
        });
    }
    if let Some(labels) = &patch.labels
        && *labels != chat.labels
    {
        happened.push(What::Labels {
            added: labels.difference(&chat.labels).cloned().collect(),
            removed: chat.labels.difference(labels).cloned().collect(),
        });
        chat.labels.clone_from(labels);
    }
    match patch.unread {
        Some(true) => chat.unread = chat.unread.max(1),
        Some(false) => chat.unread = 0,
        None => {}
    }
    happened
}
