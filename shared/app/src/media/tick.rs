//! The tick: queues again the files that are to be fetched and whose tasks were lost or parked. What was
//! not lost is queued twice, which is harmless: a file is fetched by one at a time, and once.

use std::time::Duration;

use domain::id::WorkspaceId;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::fetch::Fetch;
use crate::due::{self, Due};
use crate::store::Write;
use crate::{App, Error};

/// How long a file is left alone after it was first queued.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// How long it is left alone after the time at which its queue should deliver it again: a little longer
/// than the queue waits for somebody who died.
const SLACK: SignedDuration = SignedDuration::from_mins(15);

/// An entry of the index: `{milliseconds}#{chat}#{message}`.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(flatten)]
    fetch: Fetch,
    gsi1sk: String,
}

/// Queues every file that is due.
///
/// # Errors
/// The store or the queue cannot be reached; the next tick tries again.
pub async fn run(app: App) -> Result<(), Error> {
    due::look_after::<Entry>(&app, app.store.due_fetches()).await
}

/// When a file that is queued for the first time is looked after.
pub(super) fn first(app: &App) -> Timestamp {
    app.now() + PATIENCE
}

/// When a file is looked after that its queue delivers again after a pause.
pub(super) fn after(app: &App, pause: Duration) -> Timestamp {
    app.now() + pause + SLACK
}

impl Due for Entry {
    fn workspace(&self) -> &WorkspaceId {
        &self.fetch.workspace
    }

    fn place(&self) -> &str {
        &self.gsi1sk
    }

    async fn look_after(&self, app: &App) -> Result<(), Error> {
        let fetch = &self.fetch;
        let scope = app.store.workspace(&fetch.workspace);
        let (pk, sk) = scope.due_fetch(&fetch.chat, &fetch.message, after(app, Duration::ZERO));
        let postponed = Write::update(scope.fetch(&fetch.chat, &fetch.message))
            .set("gsi1pk", &pk)?
            .set("gsi1sk", &sk)?
            .if_present();
        if !app.store.write(postponed).await?.yes() {
            // The index is behind: the file was fetched meanwhile.
            return Ok(());
        }
        app.enqueue(&fetch.task(), Duration::ZERO).await
    }
}
