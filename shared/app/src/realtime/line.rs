//! Messages of one workspace that one process handles at the same time become one item of its log.
//!
//! The first to come writes; whoever comes meanwhile waits, and the next of them writes for all. So the
//! busier a workspace is, the more events go into one item, and nobody waits for a timer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::WorkspaceId;
use domain::realtime::{EVENTS_MAX, Event};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::log;
use crate::store::Scope;
use crate::{App, Error};

/// The lines of the workspaces that have somebody in one.
#[derive(Default)]
pub(super) struct Lines(Mutex<HashMap<WorkspaceId, Arc<Line>>>);

#[derive(Default)]
struct Line {
    waiting: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

struct Waiting {
    events: Vec<Event>,
    /// Dropped without a word when whoever wrote for this one failed.
    written: oneshot::Sender<()>,
}

/// A numbered item that was written just now and is to be pushed.
pub(super) struct Written {
    pub(super) number: u64,
    pub(super) events: Vec<Event>,
}

/// Writes the events, alone or with others', or has them written. What the caller wrote is returned, and
/// is the caller's to push.
///
/// # Errors
/// They were perhaps not written; doing it again is harmless.
pub(super) async fn write(
    app: &App,
    scope: Scope<'_>,
    events: Vec<Event>,
) -> Result<Vec<Written>, Error> {
    let place = app.realtime.lines.enter(scope.workspace);
    let (sender, mut written) = oneshot::channel();
    locked(&place.line.waiting).push_back(Waiting {
        events,
        written: sender,
    });
    let mut own = Vec::new();
    loop {
        let _turn = place.line.turn.lock().await;
        match written.try_recv() {
            Ok(()) => return Ok(own),
            Err(TryRecvError::Closed) => {
                return Err(Error::unavailable(
                    "events were not written",
                    "whoever wrote them failed",
                ));
            }
            Err(TryRecvError::Empty) => {}
        }
        let (events, for_whom) = next(&mut locked(&place.line.waiting));
        let number = log::append(app, scope, events.clone()).await?;
        own.push(Written { number, events });
        for sender in for_whom {
            // Whoever was given up meanwhile needs no answer.
            let _ = sender.send(());
        }
        // Usually the own events were among them, and are to be pushed without waiting for a turn again.
        if written.try_recv().is_ok() {
            return Ok(own);
        }
    }
}

/// As many as fit one item, in the order they came, and at least one.
fn next(waiting: &mut VecDeque<Waiting>) -> (Vec<Event>, Vec<oneshot::Sender<()>>) {
    let (mut events, mut for_whom) = (Vec::new(), Vec::new());
    while let Some(first) = waiting.front() {
        if !for_whom.is_empty() && events.len() + first.events.len() > EVENTS_MAX {
            break;
        }
        if let Some(first) = waiting.pop_front() {
            events.extend(first.events);
            for_whom.push(first.written);
        }
    }
    (events, for_whom)
}

impl Lines {
    fn enter(&self, workspace: &WorkspaceId) -> Place<'_> {
        let line = Arc::clone(locked(&self.0).entry(workspace.clone()).or_default());
        Place {
            lines: self,
            workspace: workspace.clone(),
            line,
        }
    }
}

/// Somebody's place in a line; the last to leave closes it.
struct Place<'a> {
    lines: &'a Lines,
    workspace: WorkspaceId,
    line: Arc<Line>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut lines = locked(&self.lines.0);
        // This one and the map's: nobody else can enter while the map is locked.
        if Arc::strong_count(&self.line) == 2 {
            lines.remove(&self.workspace);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
