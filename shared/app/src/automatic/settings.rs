//! The settings of a workspace's inbox: one item, which every message that comes in is looked at by.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use domain::automatic::{Answer, Hours};
use domain::contact::OptOut;
use domain::id::WorkspaceId;
use domain::realtime::Event;
use domain::workspace::{Permission, Zone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::assignment::Assignment;
use crate::audit::{self, Action};
use crate::store::{Scope, Write};
use crate::workspace::Workspace;
use crate::{Actor, App, Error, realtime};

/// How long a process believes what it read.
const CACHED: SignedDuration = SignedDuration::from_secs(5);

/// How often the settings are looked at again when somebody else changes them at the same moment.
const ATTEMPTS: usize = 6;

/// The most bytes of them as JSON; DynamoDB allows 400 KB for an item.
const SIZE_MAX: usize = 300_000;

/// What a workspace that never set anything has too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) opt_out: OptOut,
    pub(crate) hours: Hours,
    pub(crate) assignment: Assignment,
    /// In their order.
    pub(crate) answers: Vec<Answer>,
    pub(super) version: u64,
}

/// The settings, and the time zone whose clocks the hours are on.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) settings: Settings,
    pub(crate) zone: Zone,
}

/// What a process remembers of the workspaces that were written to.
#[derive(Default)]
pub struct Cache(RwLock<HashMap<WorkspaceId, (Timestamp, Arc<Inbox>)>>);

impl Cache {
    /// Reads the settings again the next time they are asked for.
    pub(crate) fn forget(&self, workspace: &WorkspaceId) {
        if let Ok(mut cache) = self.0.write() {
            cache.remove(workspace);
        }
    }
}

/// How a workspace's inbox is set, as it was at most some seconds ago.
pub(crate) async fn of(app: &App, scope: Scope<'_>) -> Result<Arc<Inbox>, Error> {
    let now = app.now();
    let cached = app.inboxes.0.read().ok();
    let cached = cached.and_then(|cache| cache.get(scope.workspace).cloned());
    if let Some((read_at, inbox)) = cached
        && now.duration_since(read_at) < CACHED
    {
        return Ok(inbox);
    }
    let key = scope.meta();
    let (settings, workspace) =
        Box::pin(async { tokio::try_join!(read(app, scope), app.store.get::<Workspace>(&key)) })
            .await?;
    let inbox = Arc::new(Inbox {
        settings,
        zone: workspace
            .map(|workspace| workspace.time_zone)
            .unwrap_or_default(),
    });
    if let Ok(mut cache) = app.inboxes.0.write() {
        cache.insert(scope.workspace.clone(), (now, Arc::clone(&inbox)));
    }
    Ok(inbox)
}

pub(super) async fn read(app: &App, scope: Scope<'_>) -> Result<Settings, Error> {
    let settings = app.store.get(&scope.inbox_settings()).await?;
    Ok(settings.unwrap_or_default())
}

/// Changes the settings. `target` is what of them, for the audit log.
pub(super) async fn change<T>(
    app: &App,
    actor: &Actor,
    target: &str,
    mut edit: impl FnMut(&mut Settings) -> Result<T, Error>,
) -> Result<T, Error> {
    actor.require(Permission::WriteWorkspace)?;
    let scope = app.store.workspace(&actor.workspace);
    for _ in 0..ATTEMPTS {
        let before = read(app, scope).await?;
        let mut after = before.clone();
        let edited = edit(&mut after)?;
        let size = serde_json::to_string(&after).map_or(0, |json| json.len());
        if size > SIZE_MAX {
            return Err(Error::refused(
                "too_large",
                "all automatic answers together are too long; shorten or delete some",
            ));
        }
        after.version += 1;
        let write = Write::put(scope.inbox_settings(), &after)?;
        let write = match before.version {
            0 => write.if_absent(),
            version => write.if_equals("version", &version)?,
        };
        let entry = audit::entry(app, actor, Action::InboxUpdated, target)?;
        if app.store.transact(vec![write, entry]).await?.yes() {
            app.inboxes.forget(scope.workspace);
            realtime::announce(app, scope, Event::WorkspaceUpdated {}).await;
            return Ok(edited);
        }
    }
    Err(Error::unavailable(
        "the settings of the inbox keep changing",
        "gave up after several attempts",
    ))
}
