//! "Somebody is answering here": told to the others who have the chat open, so that two do not answer the
//! same question. It is true for a moment, so it is neither kept nor numbered.

use domain::id::{ChatId, UserId};
use domain::realtime::Event;
use domain::workspace::Permission;
use jiff::SignedDuration;
use serde::Serialize;

use super::{announce, watch};
use crate::actor::Who;
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, chat};

/// How often one member is told to be answering in one chat, at most.
const EVERY: SignedDuration = SignedDuration::from_secs(3);

/// When somebody was last told to be answering.
#[derive(Debug, Serialize)]
struct Told {
    /// Unix milliseconds.
    at: i64,
    /// Unix seconds.
    ttl: i64,
}

/// Tells the others who watch a chat that the actor is answering there.
///
/// # Errors
/// The chat does not exist in this workspace, or the actor is an API key, which is nobody.
pub async fn answering(app: &App, actor: &Actor, chat: &ChatId) -> Result<(), Error> {
    actor.require(Permission::WriteChats)?;
    let Who::Member { user, .. } = &actor.who else {
        return Err(nobody());
    };
    tell(app, app.store.workspace(&actor.workspace), chat, user).await
}

pub(super) async fn tell(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    user: &UserId,
) -> Result<(), Error> {
    chat::find(app, scope, chat).await?;
    // Nobody has the chat open, so nobody is told.
    if !watch::watched(app, scope).await?.contains(chat) {
        return Ok(());
    }
    let now = app.now();
    let told = Told {
        at: now.as_millisecond(),
        ttl: (now + EVERY).as_second() + 1,
    };
    let since = (now - EVERY).as_millisecond() + 1;
    let claim = Write::put(scope.answering(chat, user), &told)?.if_below("at", &since)?;
    if app.store.write(claim).await?.yes() {
        let event = Event::ChatAnswering {
            chat: chat.clone(),
            user: user.clone(),
        };
        announce(app, scope, event).await;
    }
    Ok(())
}

pub(super) fn nobody() -> Error {
    Error::Forbidden {
        needed: "an API key is nobody who could be answering",
    }
}
