//! The event log of a workspace: numbered items of up to a hundred events, kept for a day.
//!
//! The log is its own counter: an item is created under the number after the newest, on the condition that
//! nobody else did. So numbers are given once and without a gap, and there is no counter to fall behind.

use domain::realtime::{EVENTS_MAX, Event};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Holder, reads};
use crate::store::read::Span;
use crate::store::{Scope, Write};
use crate::{Actor, App, Error};

/// How long a client may have been away and still catch up.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How often an item is tried under the next number when others took it. Each time somebody got on.
const ATTEMPTS: usize = 50;

/// How many items one answer holds.
const PAGE: usize = 20;

/// One item of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logged {
    pub number: u64,
    pub events: Vec<Event>,
    /// Unix seconds.
    ttl: i64,
}

/// What happened after a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// In order and without a gap, without the events that the actor may not read.
    pub items: Vec<Logged>,
    /// The number to continue after.
    pub last: u64,
    /// There may be further items after `last`.
    pub more: bool,
    /// The log does not reach back to the number: read everything anew, and continue after `last`.
    pub reload: bool,
}

/// What happened after an item of the log.
///
/// # Errors
/// The actor may read nothing.
pub async fn since(app: &App, actor: &Actor, after: u64) -> Result<Since, Error> {
    reads(actor)?;
    let scope = app.store.workspace(&actor.workspace);
    let (mut items, mut more) = following(app, scope, after).await?;
    let mut newest = after;
    if items.is_empty() {
        newest = last(app, scope).await?;
        // Something may have been written between the two reads. Whatever has a number by now is found, if
        // the log reaches back so far.
        if newest != after {
            (items, more) = following(app, scope, after).await?;
        }
    }
    let Some(item) = items.last() else {
        return Ok(Since {
            reload: newest != after,
            items,
            last: newest,
            more: false,
        });
    };
    let last = item.number;
    let holder = Holder::of(&actor.who);
    for item in &mut items {
        item.events.retain(|event| {
            event.is_for(holder.member())
                && event.permission().is_none_or(|needed| actor.may(needed))
        });
    }
    Ok(Since {
        items,
        last,
        more,
        reload: false,
    })
}

/// A page of the items that follow a number without a gap, and whether there may be more.
async fn following(app: &App, scope: Scope<'_>, after: u64) -> Result<(Vec<Logged>, bool), Error> {
    let place = scope.events(after);
    let span = Span::first(PAGE).after(Some(place.sort()));
    let page = app.store.page::<Logged>(&scope.event_log(), span).await?;
    let now = app.now().as_second();
    let items = page
        .items
        .into_iter()
        .filter(|item| item.ttl > now)
        .zip(after.saturating_add(1)..)
        .take_while(|(item, number)| item.number == *number)
        .map(|(item, _)| item);
    Ok((items.collect(), page.next.is_some()))
}

/// The number of the newest item. An empty log is begun, so that there is one.
pub(super) async fn last(app: &App, scope: Scope<'_>) -> Result<u64, Error> {
    match newest(app, scope).await? {
        Some(item) if item.ttl > app.now().as_second() => Ok(item.number),
        _ => append(app, scope, Vec::new()).await,
    }
}

/// Writes events under the next number, which is returned.
pub(super) async fn append(app: &App, scope: Scope<'_>, events: Vec<Event>) -> Result<u64, Error> {
    debug_assert!(events.len() <= EVENTS_MAX, "a frame holds so many at most");
    let mut item = Logged {
        number: 0,
        events,
        ttl: (app.now() + KEPT).as_second(),
    };
    for _ in 0..ATTEMPTS {
        item.number = match newest(app, scope).await? {
            Some(newest) if newest.ttl > app.now().as_second() => newest.number + 1,
            // Numbers must not come again after a day of silence, when everything has expired. There are
            // fewer than a thousand a second, so the present millisecond is beyond all of them.
            expired => {
                let now = app.now().as_millisecond().unsigned_abs();
                now.max(expired.map_or(0, |item| item.number + 1))
            }
        };
        let created = Write::create(scope.events(item.number), &item)?;
        if app.store.write(created).await?.yes() {
            return Ok(item.number);
        }
    }
    Err(Error::unavailable(
        "events find no number",
        "gave up after several attempts",
    ))
}

async fn newest(app: &App, scope: Scope<'_>) -> Result<Option<Logged>, Error> {
    let newest = app
        .store
        .page::<Logged>(&scope.event_log(), Span::first(1).newest_first())
        .await?;
    Ok(newest.items.into_iter().next())
}
