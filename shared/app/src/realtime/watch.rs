//! Which chats the open sockets of a workspace watch.
//!
//! A campaign's statuses are far too many to be told to everybody, so only those of a chat that somebody
//! has open are told, and only to them. Whether anybody watches anything is asked for every batch of
//! statuses; the answer is remembered for a second, and a partition with nothing in it costs next to
//! nothing to read.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::{ChatId, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::Scope;
use crate::{App, Error};

/// For how long statuses may miss a chat that was just opened; whoever opens it reads it first.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(1);

/// Beyond so many workspaces the memory begins anew.
const WORKSPACES_MAX: usize = 1000;

/// A socket that watches a chat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Watch {
    pub(super) chat: ChatId,
    pub(super) socket: String,
    /// Unix seconds.
    pub(super) ttl: i64,
}

type Seen = (Timestamp, Arc<HashSet<ChatId>>);

#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<WorkspaceId, Seen>>);

/// The chats that anybody in the workspace watches, as of a second ago at most.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn watched(app: &App, scope: Scope<'_>) -> Result<Arc<HashSet<ChatId>>, Error> {
    let cache = &app.realtime.watched.0;
    let lock = || cache.lock().unwrap_or_else(PoisonError::into_inner);
    let now = app.now();
    if let Some((at, chats)) = lock().get(scope.workspace)
        && now.duration_since(*at) < REMEMBERED
    {
        return Ok(Arc::clone(chats));
    }
    let watches = all(app, scope).await?;
    let chats: Arc<HashSet<ChatId>> =
        Arc::new(watches.into_iter().map(|watch| watch.chat).collect());
    let mut cache = lock();
    if cache.len() >= WORKSPACES_MAX {
        cache.clear();
    }
    cache.insert(scope.workspace.clone(), (now, Arc::clone(&chats)));
    Ok(chats)
}

pub(super) async fn all(app: &App, scope: Scope<'_>) -> Result<Vec<Watch>, Error> {
    let now = app.now().as_second();
    let mut watches: Vec<Watch> = app.store.all(&scope.watches()).await?;
    watches.retain(|watch| watch.ttl > now);
    Ok(watches)
}
