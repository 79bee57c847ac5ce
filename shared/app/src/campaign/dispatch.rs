//! Dispatching: keeps a bounded number of chunks in flight, so that no campaign fills the queue and a
//! pause takes effect at once.
//!
//! Chunks and the next step are queued before the count moves, so a step that dies half way is
//! repeated and loses nothing: a chunk that is queued twice is claimed once. The count is the brake:
//! a step that finds it moved beyond its own ends, and so a duplicate starts no second chain.

use std::time::Duration;

use domain::campaign::{CHUNK, State};

use super::find;
use super::item::{Campaign, Progress};
use crate::store::{Scope, Write};
use crate::task::{CampaignDispatch, CampaignSend};
use crate::{App, Error, channel};

/// Seconds of work that may be in flight. Two or three chunks are being sent at once at the lowest
/// speed, one more waits, and Meta's answers to one are outstanding.
const HORIZON_SECONDS: u32 = 5;
const CHUNKS_MIN: u32 = 5;

/// How often more is put in flight.
const AGAIN: Duration = Duration::from_secs(1);

/// Queues the next chunks as far as the horizon allows, and itself until all are queued.
///
/// # Errors
/// The store or the queue cannot be reached.
pub async fn run(app: App, task: CampaignDispatch) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let campaign = find(&app, scope, &task.campaign).await?;
    if campaign.epoch != task.epoch || campaign.state != State::Sending {
        return Ok(());
    }
    let progress: Progress = app
        .store
        .get(&scope.progress(&campaign.id))
        .await?
        .ok_or_else(|| Error::broken("a campaign has no progress"))?;
    if progress.dispatched > task.dispatched {
        return Ok(());
    }
    let channel = channel::find(&app, scope, &campaign.channel).await?;
    let horizon = (channel.messages_per_second.0 * HORIZON_SECONDS)
        .div_ceil(CHUNK as u32)
        .max(CHUNKS_MIN);
    let until = (progress.done + horizon).clamp(progress.dispatched, progress.chunks);
    let sends: Vec<CampaignSend> = (progress.dispatched..until)
        .map(|chunk| CampaignSend {
            workspace: task.workspace.clone(),
            campaign: task.campaign.clone(),
            epoch: task.epoch,
            chunk,
        })
        .collect();
    app.enqueue_all(&sends, Duration::ZERO).await?;
    if until < progress.chunks {
        let next = CampaignDispatch {
            dispatched: until,
            ..task.clone()
        };
        app.enqueue(&next, AGAIN).await?;
    }
    if until > progress.dispatched {
        let moved = Write::update(scope.progress(&campaign.id))
            .set("dispatched", &until)?
            .if_equals("dispatched", &progress.dispatched)?;
        // When the condition fails, a duplicate of this task was first, and what it queued does.
        app.store.write(moved).await?;
    }
    Ok(())
}

/// Completes a campaign in which nobody is pending or claimed any more; does nothing to another.
pub(super) async fn complete(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
) -> Result<(), Error> {
    let progress: Progress = app
        .store
        .get(&scope.progress(&campaign.id))
        .await?
        .ok_or_else(|| Error::broken("a campaign has no progress"))?;
    if progress.done < progress.chunks {
        return Ok(());
    }
    let write = Write::update(scope.campaign(&campaign.id))
        .set("state", &State::Sending.complete()?)?
        .set("completed_at", &app.now())?
        .remove("gsi1pk")
        .remove("gsi1sk")
        .if_equals("state", &State::Sending)?
        .if_equals("epoch", &campaign.epoch)?;
    // Of several senders that see the last chunk done, the first completes the campaign.
    app.store.write(write).await?;
    Ok(())
}

/// Stops a campaign that Meta refuses as a whole, and keeps the reason for its owner.
pub(super) async fn stop(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    reason: &str,
) -> Result<(), Error> {
    let write = Write::update(scope.campaign(&campaign.id))
        .set("state", &State::Sending.stop()?)?
        .set("reason", reason)?
        .set("epoch", &(campaign.epoch + 1))?
        .remove("gsi1pk")
        .remove("gsi1sk")
        .if_equals("state", &State::Sending)?
        .if_equals("epoch", &campaign.epoch)?;
    // Of several senders that are refused, the first stops the campaign.
    app.store.write(write).await?;
    Ok(())
}
