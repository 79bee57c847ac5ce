//! The tick: takes up again what got stuck between a write and the queue.
//!
//! Every campaign under way is due a while after it was last looked after. What is queued here again
//! is harmless when it was not lost: planning and dispatching move checkpoints by compare-and-set.

use std::time::Duration;

use domain::campaign::State;
use domain::id::{CampaignId, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::item::Campaign;
use super::{dispatch, find};
use crate::store::read::Span;
use crate::store::{Scope, Write};
use crate::task::CampaignPlan;
use crate::{App, Error};

/// How long a campaign is left alone after it was looked after.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// How many due campaigns are read at once.
const PAGE: usize = 100;

/// An entry of the index.
#[derive(Debug, Deserialize)]
struct Due {
    workspace: WorkspaceId,
    id: CampaignId,
    gsi1sk: String,
}

/// Looks after every campaign that is due.
///
/// # Errors
/// The store or the queue cannot be reached; the next tick tries again.
pub async fn run(app: App) -> Result<(), Error> {
    for range in app.store.due() {
        let mut after = None;
        loop {
            let span = Span::first(PAGE).after(after.as_deref());
            let page = app.store.page::<Due>(&range, span).await?;
            let now = app.now();
            for due in page.items.iter().take_while(|due| is_due(due, now)) {
                // One campaign in trouble must not keep the others from being looked after.
                if let Err(error) = look_after(&app, due).await {
                    tracing::error!(
                        workspace = %due.workspace,
                        campaign = %due.id,
                        error = error.chain(),
                        "a campaign cannot be looked after"
                    );
                }
            }
            let all_due = page.items.last().is_some_and(|due| is_due(due, now));
            match page.next.filter(|_| all_due) {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// When a campaign that was looked after now is due again.
pub(super) fn next(app: &App) -> Timestamp {
    app.now() + PATIENCE
}

fn is_due(due: &Due, now: Timestamp) -> bool {
    let at = due
        .gsi1sk
        .split('#')
        .next()
        .and_then(|at| at.parse::<i64>().ok());
    at.is_none_or(|at| at <= now.as_millisecond())
}

async fn look_after(app: &App, due: &Due) -> Result<(), Error> {
    let scope = app.store.workspace(&due.workspace);
    let campaign = find(app, scope, &due.id).await?;
    match campaign.state {
        State::Preparing => {
            let task = CampaignPlan {
                workspace: due.workspace.clone(),
                campaign: campaign.id.clone(),
                epoch: campaign.epoch,
            };
            app.enqueue(&task, Duration::ZERO).await?;
        }
        State::Sending => dispatch::wake(app, &campaign).await?,
        // The index may still name a campaign that has just ended.
        State::Draft
        | State::Scheduled
        | State::Pausing
        | State::Paused
        | State::Completed
        | State::Cancelled
        | State::Failed => return Ok(()),
    }
    postpone(app, scope, &campaign).await
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
