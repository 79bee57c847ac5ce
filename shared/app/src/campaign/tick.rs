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
use crate::store::read::Span;
use crate::store::{Scope, Write};
use crate::{App, Error};

/// How long a campaign is left alone after it was looked after.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Kept free at the end of an invocation. What is not looked after is due at the next tick.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

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
                if app.now() >= app.last_start(MARGIN) {
                    return Ok(());
                }
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
