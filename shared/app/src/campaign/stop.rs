//! Stopping campaigns because of something that happened elsewhere: Meta paused their template or
//! restricted their account, or their number was disconnected.

use domain::campaign::State;
use domain::id::{CampaignId, WorkspaceId};
use serde::Deserialize;

use super::item::Campaign;
use super::{dispatch, find};
use crate::store::Scope;
use crate::{App, Error};

/// How often a campaign is looked at again that changes at the same moment.
const ATTEMPTS: usize = 6;

/// An entry of the index of campaigns under way.
#[derive(Debug, Deserialize)]
struct UnderWay {
    workspace: WorkspaceId,
    id: CampaignId,
}

/// Pauses the campaigns under way in a workspace that this concerns, and keeps the reason for their
/// owners. They are found through the index that the tick reads, which holds few more; one that starts
/// in this moment finds out by itself when Meta refuses it.
///
/// # Errors
/// The store cannot be reached; stopping them again is harmless.
pub(crate) async fn stop_those(
    app: &App,
    scope: Scope<'_>,
    reason: &str,
    concerned: impl Fn(&Campaign) -> bool,
) -> Result<(), Error> {
    for range in app.store.due() {
        let entries: Vec<UnderWay> = app.store.all(&range).await?;
        for entry in entries {
            if entry.workspace == *scope.workspace {
                stop(app, scope, &entry.id, reason, &concerned).await?;
            }
        }
    }
    Ok(())
}

async fn stop(
    app: &App,
    scope: Scope<'_>,
    id: &CampaignId,
    reason: &str,
    concerned: &impl Fn(&Campaign) -> bool,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let campaign = match find(app, scope, id).await {
            Ok(campaign) => campaign,
            // The index may still name what was deleted.
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let sends = matches!(campaign.state, State::Preparing | State::Sending);
        if !sends || !concerned(&campaign) {
            return Ok(());
        }
        if dispatch::stop(app, scope, &campaign, reason).await? {
            // Often nothing is in flight for longer than a moment, and perhaps nothing is now.
            return dispatch::after_chunk(app, scope, id).await;
        }
    }
    Err(Error::unavailable(
        "a campaign keeps changing while it is stopped",
        "gave up after several attempts",
    ))
}
