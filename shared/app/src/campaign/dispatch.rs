//! Dispatching: keeps a bounded number of chunks in flight, so that no campaign fills the queue and a
//! pause takes effect at once.
//!
//! A sender wakes the dispatching as soon as the last message of its chunk has a slot, so the next
//! chunk is there before the slots run out, however long Meta takes to answer. Chunks are queued
//! before the count moves: a step that dies half way is repeated and loses nothing, because a chunk
//! that is queued twice is claimed once.

use std::time::Duration;

use domain::campaign::{CHUNK, State};

use domain::id::CampaignId;

use super::find;
use super::item::{Campaign, Claim, Gate, OpenChunk, Progress};
use crate::store::read::Span;
use crate::store::{Scope, Write};
use crate::task::{CampaignDispatch, CampaignSend};
use crate::{App, Error, channel, realtime};

/// How many chunks of a number are launched side by side: half a second of work, and never fewer than
/// three, so that one may be slow to begin.
const HORIZON_MILLIS: u32 = 500;
const CHUNKS_MIN: u32 = 3;

/// Chunks are queued before they are counted, so this many beyond the count may be taken already.
const SLACK: u32 = 64;

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
            step: 0,
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

/// Queues every chunk again that was put in flight and is not done, unless its sender is at work. What
/// is queued twice by this is taken up once: a message carries the step that the claim expects.
pub(super) async fn requeue_open(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
) -> Result<(), Error> {
    let progress = progress(app, scope, campaign).await?;
    let now = app.now().as_millisecond();
    let stuck = claims(app, scope, campaign, progress.dispatched).await?;
    let sends: Vec<CampaignSend> = stuck
        .into_iter()
        .filter(|(_, claim)| claim.lease <= now && !claim.done)
        .map(|(chunk, claim)| CampaignSend {
            workspace: campaign.workspace.clone(),
            campaign: campaign.id.clone(),
            epoch: campaign.epoch,
            chunk,
            // A dead sender's step is taken over, a chunk that was given back is continued.
            step: if claim.lease == 0 {
                claim.step
            } else {
                claim.step.saturating_sub(1)
            },
        })
        .collect();
    app.enqueue_all(&sends, Duration::ZERO).await
}

/// Looks at a campaign after a chunk of it has come to rest: it may be complete, or paused.
pub(super) async fn after_chunk(
    app: &App,
    scope: Scope<'_>,
    campaign: &CampaignId,
) -> Result<(), Error> {
    let campaign = find(app, scope, campaign).await?;
    match campaign.state {
        State::Sending => complete(app, scope, &campaign).await,
        State::Pausing => settle(app, scope, &campaign).await,
        // Whoever brought it there may have died before telling.
        state @ (State::Paused | State::Completed) => {
            realtime::publish(app, scope, vec![campaign.event(state)]).await
        }
        _ => Ok(()),
    }
}

/// Completes a campaign in which nobody is pending or claimed any more; does nothing to another.
pub(super) async fn complete(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
) -> Result<(), Error> {
    let progress = progress(app, scope, campaign).await?;
    if !progress.planned || progress.done < progress.chunks {
        return Ok(());
    }
    let completed = |write: Write| {
        write
            .remove("gsi1pk")
            .remove("gsi1sk")
            .set("completed_at", &app.now())
    };
    let to = campaign.state.complete()?;
    // Of several senders that see the last chunk done, the first completes the campaign.
    turn(app, scope, campaign, to, campaign.epoch, completed).await?;
    Ok(())
}

/// Stops a campaign that Meta refuses as a whole, and keeps the reason for its owner. What is in flight
/// arrives first, as after a pause. Returns whether the campaign was still as it was read.
pub(super) async fn stop(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    reason: &str,
) -> Result<bool, Error> {
    let to = campaign.state.pause()?;
    let stopped = |write: Write| {
        let write = write.set("reason", reason)?;
        // Nothing is in flight yet, so the tick need not look after it.
        Ok(match to {
            State::Paused => write.remove("gsi1pk").remove("gsi1sk"),
            _ => write,
        })
    };
    // Of several senders that are refused, the first stops the campaign.
    turn(app, scope, campaign, to, campaign.epoch + 1, stopped).await
}

/// Reports a campaign as paused when nothing is in flight any more. Since nobody can take or renew a
/// lease of a campaign that is pausing, what is seen at rest stays at rest.
async fn settle(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<(), Error> {
    let progress = progress(app, scope, campaign).await?;
    if progress.planned && progress.done == progress.chunks {
        return complete(app, scope, campaign).await;
    }
    let now = app.now().as_millisecond();
    let in_flight = claims(app, scope, campaign, progress.dispatched + SLACK).await?;
    if in_flight.iter().any(|(_, claim)| claim.lease > now) {
        return Ok(());
    }
    let paused = |write: Write| Ok(write.remove("gsi1pk").remove("gsi1sk"));
    let to = campaign.state.settle()?;
    turn(app, scope, campaign, to, campaign.epoch, paused).await?;
    Ok(())
}

/// The claims of the chunks below `until` that are not done.
async fn claims(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    until: u32,
) -> Result<Vec<(u32, Claim)>, Error> {
    let mut chunks = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let span = Span::first(100).after(after.as_deref());
        let page = app
            .store
            .page::<OpenChunk>(&scope.open_chunks(&campaign.id), span)
            .await?;
        let below = page.items.iter().map(|open| open.chunk);
        chunks.extend(below.take_while(|chunk| *chunk < until));
        let all_below = page.items.last().is_some_and(|open| open.chunk < until);
        match page.next.filter(|_| all_below) {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let keys: Vec<_> = chunks
        .iter()
        .map(|chunk| scope.chunk_claim(&campaign.id, *chunk))
        .collect();
    let claims: Vec<(usize, Claim)> = app.store.get_many(&keys).await?;
    let placed = claims
        .into_iter()
        .filter_map(|(place, claim)| Some((*chunks.get(place)?, claim)));
    Ok(placed.collect())
}

/// A change of state that the campaign makes by itself, if it is still as it was read; `false` when it
/// is not.
async fn turn(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    to: State,
    epoch: u64,
    with: impl FnOnce(Write) -> Result<Write, Error>,
) -> Result<bool, Error> {
    let turned = Write::update(scope.campaign(&campaign.id))
        .set("state", &to)?
        .set("epoch", &epoch)?
        .if_equals("state", &campaign.state)?
        .if_equals("epoch", &campaign.epoch)?;
    let gate = Gate::set(scope, &campaign.id, to, epoch)?;
    let turned = app.store.transact(vec![with(turned)?, gate]).await?.yes();
    if turned {
        realtime::publish(app, scope, vec![campaign.event(to)]).await?;
    }
    Ok(turned)
}

async fn progress(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<Progress, Error> {
    app.store
        .get(&scope.progress(&campaign.id))
        .await?
        .ok_or_else(|| Error::broken("a campaign has no progress"))
}
