//! Live screens. Whoever changes something publishes it; [`broadcast`] numbers the events of a workspace
//! in its [`log`] and pushes them to the workspace's sockets.
//!
//! Correctness rests on the log alone: a client advances only over contiguous numbers, and asks for what
//! it misses with [`since`]. Pushing only saves it from asking, so a frame may be lost, come twice or
//! come out of order.

mod answering;
mod broadcast;
mod line;
mod log;
mod presence;
mod progress;
mod socket;
mod ticket;
mod watch;

use std::time::Duration;

use domain::realtime::{EVENTS_MAX, Event};
use domain::workspace::Permission;

use crate::store::Scope;
use crate::task::Broadcast;
use crate::{Actor, App, Error};

pub use answering::answering;
pub use broadcast::run;
pub use log::{Logged, Since, since};
pub use presence::online;
pub(crate) use presence::writers;
pub use socket::{Call, Holder, cut_off, handle};
pub use ticket::{NewTicket, ticket};
pub(crate) use watch::watched;

/// Without one of these an actor would be told nearly nothing.
const READS: [Permission; 4] = [
    Permission::ReadChats,
    Permission::ReadCampaigns,
    Permission::ReadContacts,
    Permission::ReadChannels,
];

/// What a process remembers from one message to the next, and those of its messages that go together.
#[derive(Default)]
pub struct Memory {
    lines: line::Lines,
    watched: watch::Cache,
}

/// Tells the workspace's open screens of changes. To be called when a write succeeded, and also when the
/// row already shows the state that was to be written: then a crash between the two loses nothing.
///
/// # Errors
/// The queue cannot be reached; publishing again is harmless.
pub async fn publish(app: &App, scope: Scope<'_>, events: Vec<Event>) -> Result<(), Error> {
    let tasks: Vec<Broadcast> = events
        .chunks(EVENTS_MAX)
        .map(|events| Broadcast {
            workspace: scope.workspace.clone(),
            events: events.to_vec(),
        })
        .collect();
    if tasks.is_empty() {
        return Ok(());
    }
    app.enqueue_all(&tasks, Duration::ZERO).await
}

/// The same for what a person did: it is done, so that nobody is told of it at once is no error of
/// theirs.
pub async fn announce(app: &App, scope: Scope<'_>, event: Event) {
    announce_all(app, scope, vec![event]).await;
}

/// The same for several events of one act.
pub async fn announce_all(app: &App, scope: Scope<'_>, events: Vec<Event>) {
    if let Err(error) = publish(app, scope, events).await {
        tracing::warn!(
            workspace = %scope.workspace,
            error = error.chain(),
            "open screens are not told of a change"
        );
    }
}

fn reads(actor: &Actor) -> Result<(), Error> {
    if READS.iter().any(|read| actor.may(*read)) {
        return Ok(());
    }
    Err(Error::Forbidden {
        needed: "a scope that reads",
    })
}
