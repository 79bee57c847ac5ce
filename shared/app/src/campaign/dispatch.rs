//! Dispatching: keeps a bounded number of chunks in flight, so that no campaign fills the queue and a
//! pause takes effect at once.
//!
//! A sender wakes the dispatching as soon as the last message of its chunk has a slot, so the next
//! chunk is there before the slots run out, however long Meta takes to answer. Chunks are queued
//! before the count moves: a step that dies half way is repeated and loses nothing, because a chunk
//! that is queued twice is claimed once.

use std::time::Duration;

use domain::campaign::{CHUNK, State};

use super::find;
use super::item::{Campaign, Progress};
use crate::store::{Scope, Write};
use crate::task::{CampaignDispatch, CampaignSend};
use crate::{App, Error, channel};

/// How many chunks of a number are launched side by side: half a second of work, and never fewer than
/// three, so that one may be slow to begin.
const HORIZON_MILLIS: u32 = 500;
const CHUNKS_MIN: u32 = 3;

/// Queues the next chunks as far as the horizon allows.
///
/// # Errors
/// The store or the queue cannot be reached.
pub async fn run(app: App, task: CampaignDispatch) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let campaign = find(&app, scope, &task.campaign).await?;
    if campaign.epoch != task.epoch || campaign.state != State::Sending {
        return Ok(());
    }
    let channel = channel::find(&app, scope, &campaign.channel).await?;
    let horizon = (channel.messages_per_second.0 * HORIZON_MILLIS / 1000)
        .div_ceil(CHUNK as u32)
        .max(CHUNKS_MIN);
    let progress = progress(&app, scope, &campaign).await?;
    let until = (progress.launched + horizon).clamp(progress.dispatched, progress.chunks);
    if until == progress.dispatched {
        // Perhaps nothing is left at all, and whoever should have said so died.
        return complete(&app, scope, &campaign).await;
    }
    let sends: Vec<CampaignSend> = (progress.dispatched..until)
        .map(|chunk| CampaignSend {
            workspace: task.workspace.clone(),
            campaign: task.campaign.clone(),
            epoch: task.epoch,
            chunk,
        })
        .collect();
    app.enqueue_all(&sends, Duration::ZERO).await?;
    let moved = Write::update(scope.progress(&campaign.id))
        .set("dispatched", &until)?
        .if_equals("dispatched", &progress.dispatched)?;
    // When the condition fails, another step was woken at the same moment and moved the count.
    app.store.write(moved).await?;
    Ok(())
}

/// Has the dispatching look whether there is room for more.
pub(super) async fn wake(app: &App, campaign: &Campaign) -> Result<(), Error> {
    let task = CampaignDispatch {
        workspace: campaign.workspace.clone(),
        campaign: campaign.id.clone(),
        epoch: campaign.epoch,
    };
    app.enqueue(&task, Duration::ZERO).await
}

/// Completes a campaign in which nobody is pending or claimed any more; does nothing to another.
pub(super) async fn complete(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
) -> Result<(), Error> {
    let progress = progress(app, scope, campaign).await?;
    if progress.done < progress.chunks {
        return Ok(());
    }
    let completed = ending(scope, campaign, State::Sending.complete()?)?;
    // Of several senders that see the last chunk done, the first completes the campaign.
    app.store
        .write(completed.set("completed_at", &app.now())?)
        .await?;
    Ok(())
}

/// Stops a campaign that Meta refuses as a whole, and keeps the reason for its owner.
pub(super) async fn stop(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    reason: &str,
) -> Result<(), Error> {
    let stopped = ending(scope, campaign, State::Sending.stop()?)?
        .set("reason", reason)?
        .set("epoch", &(campaign.epoch + 1))?;
    // Of several senders that are refused, the first stops the campaign.
    app.store.write(stopped).await?;
    Ok(())
}

/// Takes a campaign out of sending, and so out of the tick's care.
fn ending(scope: Scope<'_>, campaign: &Campaign, to: State) -> Result<Write, Error> {
    Write::update(scope.campaign(&campaign.id))
        .set("state", &to)?
        .remove("gsi1pk")
        .remove("gsi1sk")
        .if_equals("state", &State::Sending)?
        .if_equals("epoch", &campaign.epoch)
}

async fn progress(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<Progress, Error> {
    app.store
        .get(&scope.progress(&campaign.id))
        .await?
        .ok_or_else(|| Error::broken("a campaign has no progress"))
}
