//! Who of a workspace is at a screen now: whoever has an open socket that pinged lately. Nothing is written
//! for it, because sockets are looked at with each ping as it is.

use std::collections::BTreeSet;

use domain::id::UserId;
use domain::workspace::Permission;

use super::socket::{self, Holder};
use crate::{Actor, App, Error};

/// The members who are at a screen. A socket that died without a word counts for three minutes more.
///
/// # Errors
/// The store cannot be reached.
pub async fn online(app: &App, actor: &Actor) -> Result<BTreeSet<UserId>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let now = app.now();
    let sockets = socket::all(app, scope).await?.into_iter();
    let members = sockets
        .filter(|socket| socket.trusted(now))
        .filter_map(|socket| match socket.holder {
            Holder::Member(user) => Some(user),
            Holder::Key(_) => None,
        });
    Ok(members.collect())
}
