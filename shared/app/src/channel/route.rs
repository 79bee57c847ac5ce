//! Which workspace and channel a webhook is about: by number, and by account.

use std::collections::HashMap;
use std::sync::RwLock;

use domain::id::{ChannelId, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{App, Error};

/// How long a process believes what it read of a number. A number that moves to another workspace
/// is noticed after this time by webhooks that are already under way.
const CACHED: SignedDuration = SignedDuration::from_secs(60);

/// Which workspace and channel a number of Meta's belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    pub workspace: WorkspaceId,
    pub channel: ChannelId,
}

/// What a process remembers of the numbers it saw.
#[derive(Default)]
pub struct Cache(RwLock<HashMap<String, (Timestamp, Option<Route>)>>);

/// Whose a phone number id is; `None` when no workspace connected it.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn route(app: &App, phone_number_id: &str) -> Result<Option<Route>, Error> {
    let now = app.now();
    let cached = app
        .channels
        .0
        .read()
        .ok()
        .and_then(|cache| cache.get(phone_number_id).cloned());
    if let Some((read_at, route)) = cached
        && route.is_some()
        && now.duration_since(read_at) < CACHED
    {
        return Ok(route);
    }
    let route: Option<Route> = app
        .store
        .get(&app.store.phone_number_id(phone_number_id))
        .await?;
    if let Ok(mut cache) = app.channels.0.write() {
        cache.insert(phone_number_id.to_owned(), (now, route.clone()));
    }
    Ok(route)
}

/// The channels of one of Meta's accounts, in every workspace that connected one of its numbers.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn of_waba(app: &App, waba_id: &str) -> Result<Vec<Route>, Error> {
    if waba_id.is_empty() {
        return Ok(Vec::new());
    }
    app.store.all(&app.store.waba_channels(waba_id)).await
}

impl Cache {
    /// Reads the number again the next time it is asked for.
    pub(super) fn forget(&self, phone_number_id: &str) {
        if let Ok(mut cache) = self.0.write() {
            cache.remove(phone_number_id);
        }
    }
}
