//! Canned replies: texts that a team sends often, found by a shortcut and filled for a chat.
//!
//! Whoever writes in chats may also write canned replies: they are the team's own words, and an agent who
//! answers customers knows them best. Settings that act by themselves need more.

use domain::chat::canned;
use domain::contact::Profile;
use domain::id::{CannedReplyId, ChatId};
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use domain::chat::canned::Filled;

use crate::actor::Who;
use crate::contact::Contact;
use crate::page::{Page, PageRequest, cursor};
use crate::store::read::Span;
use crate::store::{Committed, Scope, Write};
use crate::{Actor, App, Error, chat, user};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CannedReply {
    pub id: CannedReplyId,
    /// In lower case and without the slash; no two of a workspace are the same.
    pub shortcut: String,
    pub text: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Raised by every change, so that two changes at once do not overwrite each other.
    version: u64,
}

/// What a shortcut names.
#[derive(Debug, Serialize, Deserialize)]
struct Shortcut {
    canned_reply: CannedReplyId,
}

/// What is changed of a canned reply; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub shortcut: Option<String>,
    pub text: Option<String>,
}

/// Those whose shortcut begins with a text, in the order of their shortcuts.
///
/// # Errors
/// The page request is not acceptable.
pub async fn list(
    app: &App,
    actor: &Actor,
    beginning: &str,
    page: &PageRequest,
) -> Result<Page<CannedReply>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let beginning = beginning.trim().to_lowercase();
    let after = page.place()?;
    if after
        .as_ref()
        .is_some_and(|after| !after.starts_with(&beginning))
    {
        let message = "this cursor is of another list; begin anew without one";
        return Err(Error::invalid("cursor", message));
    }
    let span = Span::first(page.limit()?).after(after.as_deref());
    let found = app
        .store
        .page::<Shortcut>(&scope.shortcuts(&beginning), span)
        .await?;
    let shortcuts = found.items.iter();
    let keys: Vec<_> = shortcuts
        .map(|shortcut| scope.canned_reply(&shortcut.canned_reply))
        .collect();
    let mut replies: Vec<(usize, CannedReply)> = app.store.get_many(&keys).await?;
    replies.sort_by_key(|(place, _)| *place);
    Ok(Page {
        items: replies.into_iter().map(|(_, reply)| reply).collect(),
        next: found.next.as_deref().map(cursor),
    })
}

/// # Errors
/// The shortcut or the text is not acceptable, or the shortcut is taken.
pub async fn create(
    app: &App,
    actor: &Actor,
    shortcut: &str,
    text: &str,
) -> Result<CannedReply, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let reply = CannedReply {
        id: CannedReplyId::fresh(),
        shortcut: canned::shortcut(shortcut)?,
        text: canned::text(text)?,
        created_at: app.now(),
        updated_at: app.now(),
        version: 0,
    };
    let writes = vec![
        Write::create(scope.canned_reply(&reply.id), &reply)?,
        named(scope, &reply)?,
    ];
    app.store.transact(writes).await?.or(taken)?;
    Ok(reply)
}

/// # Errors
/// The canned reply does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &CannedReplyId) -> Result<CannedReply, Error> {
    actor.require(Permission::ReadChats)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

/// # Errors
/// The canned reply does not exist, a field is not acceptable, or the shortcut is taken.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: &CannedReplyId,
    change: Change,
) -> Result<CannedReply, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let before = find(app, scope, id).await?;
    let mut after = before.clone();
    if let Some(shortcut) = &change.shortcut {
        after.shortcut = canned::shortcut(shortcut)?;
    }
    if let Some(text) = &change.text {
        after.text = canned::text(text)?;
    }
    after.updated_at = app.now();
    after.version += 1;
    let write = Write::put(scope.canned_reply(id), &after)?;
    let mut writes = vec![write.if_equals("version", &before.version)?];
    if after.shortcut != before.shortcut {
        writes.push(named(scope, &after)?);
        writes.push(Write::delete(scope.shortcut(&before.shortcut)));
    }
    match app.store.transact(writes).await? {
        Committed::Yes => Ok(after),
        Committed::No(failed) if failed.contains(&0) => Err(changed()),
        Committed::No(_) => Err(taken()),
    }
}

/// # Errors
/// The canned reply does not exist in this workspace.
pub async fn delete(app: &App, actor: &Actor, id: &CannedReplyId) -> Result<(), Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let reply = find(app, scope, id).await?;
    let writes = vec![
        Write::delete(scope.canned_reply(id)).if_equals("version", &reply.version)?,
        Write::delete(scope.shortcut(&reply.shortcut)),
    ];
    app.store.transact(writes).await?.or(changed)
}

/// Fills a canned reply with what is known of the person of a chat, and with the name of who asks. A key
/// has no name. Nothing is sent.
///
/// # Errors
/// The canned reply does not exist in this workspace, or the chat does not.
pub async fn render(
    app: &App,
    actor: &Actor,
    id: &CannedReplyId,
    chat: &ChatId,
) -> Result<Filled, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let reply = find(app, scope, id).await?;
    let chat = chat::find(app, scope, chat)
        .await
        .map_err(|error| match error {
            Error::NotFound { .. } => {
                Error::invalid("chat", "there is no such chat in this workspace")
            }
            other => other,
        })?;
    let contact: Option<Contact> = app.store.get(&scope.contact(&chat.contact)).await?;
    let agent = match &actor.who {
        Who::Member { user, .. } => Some(user::get(app, user).await?.name),
        Who::Key { .. } => None,
    };
    // Of a contact that was deleted nothing is known.
    let person = contact
        .as_ref()
        .map_or_else(Profile::default, Contact::profile);
    Ok(canned::fill(&reply.text, &person, agent.as_deref()))
}

async fn find(app: &App, scope: Scope<'_>, id: &CannedReplyId) -> Result<CannedReply, Error> {
    let found = app.store.get(&scope.canned_reply(id)).await?;
    found.ok_or_else(|| Error::not_found("the canned reply"))
}

/// The write that gives a canned reply its shortcut, or fails when another has it.
fn named(scope: Scope<'_>, reply: &CannedReply) -> Result<Write, Error> {
    let shortcut = Shortcut {
        canned_reply: reply.id.clone(),
    };
    Write::create(scope.shortcut(&reply.shortcut), &shortcut)
}

fn taken() -> Error {
    Error::refused(
        "shortcut_taken",
        "there is already a canned reply with this shortcut",
    )
}

fn changed() -> Error {
    Error::refused(
        "changed",
        "the canned reply was changed in this moment by someone else; look again",
    )
}
