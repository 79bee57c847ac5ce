//! Who of a workspace is at a screen now: whoever has an open socket that pinged lately. Nothing is kept of
//! it, because sockets are looked at with each ping as it is.
//!
//! The others are told when somebody's first socket opens and when the last one goes. A socket that dies
//! without a word falls silent, and whoever pings next notices: it is marked, on the condition that it has
//! not pinged meanwhile, so one of all who look tells of it.

use std::collections::BTreeSet;

use domain::id::UserId;
use domain::realtime::Event;
use domain::workspace::Permission;

use super::publish;
use super::socket::{self, Socket};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error};

/// The members who are at a screen. A socket that died without a word counts for three minutes more.
///
/// # Errors
/// The store cannot be reached.
pub async fn online(app: &App, actor: &Actor) -> Result<BTreeSet<UserId>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    Ok(members(app, &socket::all(app, scope).await?, None))
}

/// The members who are at a screen and may write in chats.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn writers(app: &App, scope: Scope<'_>) -> Result<BTreeSet<UserId>, Error> {
    let sockets = socket::all(app, scope).await?;
    Ok(members(app, &sockets, Some(Permission::WriteChats)))
}

/// The members with a socket that pinged lately, and when given, that may do something.
pub(super) fn members(
    app: &App,
    sockets: &[Socket],
    needed: Option<Permission>,
) -> BTreeSet<UserId> {
    let now = app.now();
    let live = sockets
        .iter()
        .filter(|socket| socket.trusted(now))
        .filter(|socket| needed.is_none_or(|needed| socket.may(needed)));
    live.filter_map(|socket| socket.holder.member().cloned())
        .collect()
}

/// Tells the others that somebody is there, when this is their only socket. It is known by now.
pub(super) async fn came(app: &App, scope: Scope<'_>, socket: &Socket) {
    if let Some(user) = socket.holder.member() {
        logged(app, scope, moved(app, scope, user, Some(socket))).await;
    }
}

/// Tells the others that somebody is gone, when this was their last socket. It is forgotten by now.
pub(super) async fn went(app: &App, scope: Scope<'_>, socket: &Socket) {
    if let Some(user) = socket.holder.member() {
        logged(app, scope, moved(app, scope, user, None)).await;
    }
}

/// Marks the sockets that fell silent, and tells the others of those who are gone with them.
pub(super) async fn notice(app: &App, scope: Scope<'_>) {
    logged(app, scope, mark(app, scope)).await;
}

/// What becomes of those who had these sockets, which are gone, among all that were read.
pub(super) fn left(app: &App, sockets: &[Socket], gone: &[Socket]) -> Vec<Event> {
    let rest: Vec<Socket> = sockets
        .iter()
        .filter(|socket| gone.iter().all(|gone| gone.id != socket.id))
        .cloned()
        .collect();
    let there = members(app, &rest, None);
    let who: BTreeSet<&UserId> = gone
        .iter()
        .filter_map(|gone| gone.holder.member())
        .collect();
    who.into_iter()
        .filter(|user| !there.contains(user))
        .map(|user| event(app, user, false))
        .collect()
}

/// `opened`: the socket with which somebody came. Of two that open at once the earlier one is told of.
async fn moved(
    app: &App,
    scope: Scope<'_>,
    user: &UserId,
    opened: Option<&Socket>,
) -> Result<(), Error> {
    let sockets = socket::all(app, scope).await?;
    let before = |socket: &&Socket| {
        opened.is_none_or(|opened| (socket.opened_at, &socket.id) < (opened.opened_at, &opened.id))
    };
    let earlier: Vec<Socket> = sockets.iter().filter(before).cloned().collect();
    if members(app, &earlier, None).contains(user) {
        return Ok(());
    }
    let event = event(app, user, opened.is_some());
    tell(app, scope, &sockets, vec![event]).await
}

async fn mark(app: &App, scope: Scope<'_>) -> Result<(), Error> {
    let now = app.now();
    let sockets = socket::all(app, scope).await?;
    let mut gone = Vec::new();
    for socket in &sockets {
        if socket.silent || socket.trusted(now) || socket.holder.member().is_none() {
            continue;
        }
        let marked = Write::update(scope.socket(&socket.id))
            .set("silent", &true)?
            .if_equals("checked_at", &socket.checked_at)?
            .if_missing("silent");
        if app.store.write(marked).await?.yes() {
            gone.push(socket.clone());
        }
    }
    let events = left(app, &sockets, &gone);
    tell(app, scope, &sockets, events).await
}

/// Publishes what is of interest to anybody but those whom it is about.
async fn tell(
    app: &App,
    scope: Scope<'_>,
    sockets: &[Socket],
    mut events: Vec<Event>,
) -> Result<(), Error> {
    let now = app.now();
    events.retain(|event| {
        let mut live = sockets.iter().filter(|socket| socket.trusted(now));
        live.any(|socket| event.is_for(socket.holder.member()))
    });
    publish(app, scope, events).await
}

fn event(app: &App, user: &UserId, online: bool) -> Event {
    Event::PresenceUpdated {
        user: user.clone(),
        online,
        at: app.now(),
    }
}

/// Nobody waits for it, and whoever is in doubt asks who is there.
async fn logged(app: &App, scope: Scope<'_>, told: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = told.await {
        tracing::warn!(
            workspace = %scope.workspace,
            now = %app.now(),
            error = error.chain(),
            "nobody is told who is there"
        );
    }
}
