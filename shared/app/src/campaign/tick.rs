//! The tick: starts campaigns whose time has come, and takes up again what got stuck between a write
//! and the queue.
//!
//! A scheduled campaign is due at its time; every campaign under way is due a while after it was last
//! looked after. What is queued here again is harmless when it was not lost: planning and dispatching
//! move checkpoints by compare-and-set, and a chunk goes on with one message only.

use domain::campaign::State;
use domain::id::{CampaignId, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::item::Campaign;
use super::{find, life};
use crate::due::{self, Due};
use crate::store::{Scope, Write};
use crate::{App, Error};

/// How long a campaign is left alone after it was looked after.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// An entry of the index.
#[derive(Debug, Deserialize)]
struct Entry {
    workspace: WorkspaceId,
    id: CampaignId,
    gsi1sk: String,
}

/// Looks after every campaign that is due.
///
/// # Errors
/// The store or the queue cannot be reached; the next tick tries again.
pub async fn run(app: App) -> Result<(), Error> {
    due::look_after::<Entry>(&app, app.store.due()).await
}

/// When a campaign that was looked after now is due again.
pub(super) fn next(app: &App) -> Timestamp {
    app.now() + PATIENCE
}

impl Due for Entry {
    fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    fn place(&self) -> &str {
        &self.gsi1sk
    }

    async fn look_after(&self, app: &App) -> Result<(), Error> {
        let scope = app.store.workspace(&self.workspace);
        let campaign = find(app, scope, &self.id).await?;
        if campaign.state == State::Scheduled {
            // The index is read with a delay: the time may have been moved meanwhile.
            let now = app.now();
            return match campaign.scheduled_at {
                Some(at) if at <= now => life::start_due(app, scope, &campaign).await,
                Some(_) | None => Ok(()),
            };
        }
        if !campaign.is_under_way() {
            // The index may still name a campaign that has just ended.
            return Ok(());
        }
        life::go_on(app, scope, &campaign).await?;
        postpone(app, scope, &campaign).await
    }
}

async fn postpone(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<(), Error> {
    let (pk, sk) = scope.due_entry(&campaign.id, next(app));
    let write = Write::update(scope.campaign(&campaign.id))
        .set("gsi1pk", &pk)?
        .set("gsi1sk", &sk)?
        .if_equals("state", &campaign.state)?
        .if_equals("epoch", &campaign.epoch)?;
    // When the condition fails, the campaign moved on by itself and set its own time, or ended.
    app.store.write(write).await?;
    Ok(())
}
