//! From the queue to the screens: events are numbered, then pushed.
//!
//! A message that is delivered twice is written twice, under two numbers. Events say in which state
//! something is, so hearing one twice is harmless, and remembering every message to avoid it would cost
//! a write for each.

use std::collections::HashMap;

use bytes::Bytes;
use domain::realtime::{Event, Frame};
use futures::StreamExt;
use futures::stream;
use jiff::SignedDuration;

use super::line::{self, Written};
use super::socket::{self, Socket};
use super::{presence, watch};
use crate::ports::Pushed;
use crate::store::Scope;
use crate::task::Broadcast;
use crate::{App, Error};

/// How many sockets are pushed to at a time.
const CONCURRENCY: usize = 32;

/// A socket is known a moment before it is open, and until then the gateway says that it is gone.
const OPENING: SignedDuration = SignedDuration::from_secs(30);

/// Writes the events into the workspace's log and pushes them to its sockets.
///
/// # Errors
/// The log cannot be written. Once it is written nothing else is an error: whoever misses a frame asks
/// for it.
pub async fn run(app: App, task: Broadcast) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let (kept, mut passing): (Vec<Event>, Vec<Event>) =
        task.events.into_iter().partition(Event::is_kept);
    let mut written = if kept.is_empty() {
        Vec::new()
    } else {
        line::write(&app, scope, kept).await?
    };
    while !(written.is_empty() && passing.is_empty()) {
        // Whoever is found gone is told of in turn, with a socket less each time.
        match push(&app, scope, &written, &passing).await {
            Ok(left) => passing = left,
            Err(error) => {
                tracing::warn!(
                    workspace = %scope.workspace,
                    error = error.chain(),
                    "sockets are not told of events, and will ask"
                );
                break;
            }
        }
        written.clear();
    }
    Ok(())
}

/// The sockets are read after the events were written. Whoever opened one before this is pushed to, and
/// whoever opens one later finds the events in the log. What is returned is to be told of those whose last
/// socket turned out to be gone.
async fn push(
    app: &App,
    scope: Scope<'_>,
    written: &[Written],
    passing: &[Event],
) -> Result<Vec<Event>, Error> {
    let mut watching: HashMap<String, Vec<&Event>> = HashMap::new();
    if passing.iter().any(|event| event.watched().is_some()) {
        for watch in watch::all(app, scope).await? {
            let of_chat = passing
                .iter()
                .filter(|event| event.watched() == Some(&watch.chat));
            watching.entry(watch.socket).or_default().extend(of_chat);
        }
    }
    let now = app.now();
    let sockets = socket::all(app, scope).await?;
    let pushes = sockets
        .iter()
        .filter(|socket| socket.trusted(now))
        .map(|socket| {
            let logged = written.iter().map(|written| Frame::Events {
                number: written.number,
                events: readable(socket, written.events.iter()),
            });
            let to_all = passing.iter().filter(|event| event.watched().is_none());
            let watched = watching.get(&socket.id).into_iter().flatten().copied();
            let events = readable(socket, to_all.chain(watched));
            let passing = (!events.is_empty()).then_some(Frame::Watched { events });
            (socket.clone(), logged.chain(passing).collect::<Vec<_>>())
        })
        .collect::<Vec<_>>();
    let gone: Vec<Socket> = stream::iter(pushes)
        .map(async |(socket, frames)| {
            let told = tell(app, scope, &socket, frames).await;
            let gone = told.unwrap_or_else(|error| {
                tracing::warn!(error = error.chain(), "a socket that is gone stays listed");
                false
            });
            gone.then_some(socket)
        })
        .buffer_unordered(CONCURRENCY)
        .filter_map(std::future::ready)
        .collect()
        .await;
    Ok(presence::left(app, &sockets, &gone))
}

/// What the socket's holder may read. A frame with nothing left in it is sent all the same, because its
/// number counts.
fn readable<'e>(socket: &Socket, events: impl Iterator<Item = &'e Event>) -> Vec<Event> {
    events
        .filter(|event| event.is_for(socket.holder.member()))
        .filter(|event| event.permission().is_none_or(|needed| socket.may(needed)))
        .cloned()
        .collect()
}

/// Whether the socket is gone, and forgotten.
async fn tell(
    app: &App,
    scope: Scope<'_>,
    socket: &Socket,
    frames: Vec<Frame>,
) -> Result<bool, Error> {
    for frame in frames {
        let text = serde_json::to_vec(&frame)
            .map_err(|error| Error::internal("a frame cannot be written as JSON", error))?;
        match app.push.push(&socket.id, Bytes::from(text)).await {
            Pushed::Sent => {}
            Pushed::Retry => return Ok(false),
            Pushed::Gone if app.now().duration_since(socket.opened_at) < OPENING => {
                return Ok(false);
            }
            Pushed::Gone => {
                socket::forget(app, scope, &socket.id).await?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}
