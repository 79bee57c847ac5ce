//! Automatic assignment: a chat that nobody is to answer goes to a member who is at a screen, each in turn.
//!
//! It is looked at with each message of a person. While nobody is there, a chat stays without an assignee, and
//! the person's next message is looked at again. Whoever takes a chat from somebody decides for good what was
//! said until then: the same message, told again, assigns nothing.

use std::collections::BTreeSet;

use domain::chat::Status;
use domain::id::{ChatId, MessageId, UserId};
use domain::workspace::Permission;
use serde::{Deserialize, Serialize};

use crate::chat::{self, Author, Chat, What};
use crate::store::commit::Updated;
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, automatic, member, realtime};

/// The most members who are named to take part.
const MEMBERS_MAX: usize = 200;

/// How chats are assigned by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assignment {
    pub active: bool,
    /// Who takes part; empty: everybody who may write in chats.
    pub members: BTreeSet<UserId>,
}

/// # Errors
/// The store cannot be reached.
pub async fn get(app: &App, actor: &Actor) -> Result<Assignment, Error> {
    actor.require(Permission::ReadChats)?;
    automatic::assignment(app, app.store.workspace(&actor.workspace)).await
}

/// # Errors
/// Somebody named is no member of the workspace.
pub async fn set(app: &App, actor: &Actor, new: Assignment) -> Result<Assignment, Error> {
    actor.require(Permission::WriteWorkspace)?;
    if new.members.len() > MEMBERS_MAX {
        let message =
            format!("at most {MEMBERS_MAX} members are named; leave it empty for everybody");
        return Err(Error::invalid("members", message));
    }
    let scope = app.store.workspace(&actor.workspace);
    for (place, user) in new.members.iter().enumerate() {
        if !member::belongs(app, scope, user).await? {
            let message = "this person is no member of the workspace";
            return Err(Error::invalid(format!("members[{place}]"), message));
        }
    }
    automatic::set_assignment(app, actor, new).await
}

/// Assigns the chat of a message that came in, if that is wanted and nobody is to answer it.
///
/// # Errors
/// The store cannot be reached; doing it again is harmless.
pub(crate) async fn assign(
    app: &App,
    scope: Scope<'_>,
    id: &ChatId,
    message: &MessageId,
) -> Result<(), Error> {
    let inbox = automatic::of(app, scope).await?;
    let settings = &inbox.settings.assignment;
    if !settings.active || !waits(&chat::find(app, scope, id).await?, message) {
        return Ok(());
    }
    let mut there = realtime::writers(app, scope).await?;
    there.retain(|user| settings.members.is_empty() || settings.members.contains(user));
    let Some(user) = next(app, scope, there).await? else {
        return Ok(());
    };
    chat::change::change(app, scope, id, &Author::Automatic, |chat| {
        if !waits(chat, message) {
            return Ok(Vec::new());
        }
        chat.assignee = Some(user.clone());
        chat.assigned_for = Some(message.clone());
        let assignee = Some(user.clone());
        Ok(vec![What::Assigned { assignee }])
    })
    .await?;
    Ok(())
}

/// Whether somebody is to be found for a chat because of this message. Ids of messages sort by time.
fn waits(chat: &Chat, message: &MessageId) -> bool {
    let looked_at = chat.assigned_for.as_ref();
    chat.assignee.is_none()
        && chat.status == Status::Open
        && looked_at.is_none_or(|looked_at| looked_at < message)
}

#[derive(Deserialize)]
struct Turns {
    turns: u64,
}

/// Whose turn it is. A turn is drawn without a condition, so nobody waits for anybody; one that is not used
/// after all passes by.
async fn next(
    app: &App,
    scope: Scope<'_>,
    mut there: BTreeSet<UserId>,
) -> Result<Option<UserId>, Error> {
    while !there.is_empty() {
        let turn = Write::update(scope.assignment_turns()).add("turns", 1);
        let Updated::Yes(Turns { turns }) = app.store.update_returning(turn).await? else {
            return Err(Error::broken(
                "an update without a condition has none that fails",
            ));
        };
        let place = usize::try_from(turns).unwrap_or_default() % there.len();
        let Some(user) = there.iter().nth(place).cloned() else {
            break;
        };
        // A screen is trusted for some minutes; a member who was removed meanwhile gets nothing.
        if member::belongs(app, scope, &user).await? {
            return Ok(Some(user));
        }
        there.remove(&user);
    }
    Ok(None)
}
