//! Sending one chunk: claim it, send at the number's pace, record what Meta says.
//!
//! What correctness rests on, and what only saves work:
//! - The claim's *mark* moves past recipients before they are sent to, in a transaction that also
//!   checks that the campaign still sends under the same epoch and the claim is still ours. So
//!   whoever takes over after a crash knows that nobody from the mark on was sent to, and treats
//!   those below it without an outcome as unknown. Nobody is sent to twice.
//! - The *lease* only keeps two senders from working at once. Were it wrong, the mark still holds.
//! - Reading consent again, a moment before, saves a person who has just opted out from a message.

mod claim;
mod consent;
mod launch;
mod record;
mod slots;

use std::time::Duration;

use domain::campaign::State;
use domain::message::Outcome as Rank;
use domain::template::HeaderContent;
use jiff::{SignedDuration, Timestamp};
use whatsapp::UploadedMedia;

use super::item::{Campaign, People};
use super::outcome::{Evidence, Outcome};
use super::{content, dispatch, find};
use crate::channel::{self, Channel};
use crate::media::Handed;
use crate::store::{Scope, Write};
use crate::task::CampaignSend;
use crate::{App, Error, budget};
use claim::{Held, Taken};

/// The longest that a message can be hidden when it is sent (SQS: message timers).
const DELAY_MAX: Duration = Duration::from_secs(900);

/// What sending one chunk works with.
pub(super) struct Chunk<'a> {
    pub(super) app: &'a App,
    pub(super) scope: Scope<'a>,
    pub(super) campaign: &'a Campaign,
    pub(super) channel: &'a Channel,
    pub(super) number: u32,
    pub(super) people: &'a People,
    /// The campaign's header as the channel can send it.
    pub(super) header: Option<HeaderContent<UploadedMedia>>,
}

/// Sends what is left of a chunk.
///
/// # Errors
/// [`Error::Later`] while another sender holds the chunk, or when time ran out before its end; any
/// other error leaves the chunk to be taken over when the lease ends.
pub async fn run(app: App, task: CampaignSend) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let campaign = find(&app, scope, &task.campaign).await?;
    if campaign.epoch != task.epoch || campaign.state != State::Sending {
        return dispatch::after_chunk(&app, scope, &task.campaign).await;
    }
    let people: People = app
        .store
        .get(&scope.chunk_people(&campaign.id, task.chunk))
        .await?
        .ok_or_else(|| Error::broken("a queued chunk was never planned"))?;
    let channel = channel::find(&app, scope, &campaign.channel).await?;
    if !channel.is_connected() {
        dispatch::stop(&app, scope, &campaign, channel::DISCONNECTED).await?;
        return dispatch::after_chunk(&app, scope, &task.campaign).await;
    }
    let header = match content::header(&app, scope, campaign.header.as_ref(), &channel).await? {
        Handed::Over(header) => header,
        // A new message, because waiting must not use up the deliveries of this one.
        Handed::Later(after) => return app.enqueue(&task, after).await,
        Handed::Never(reason) => {
            dispatch::stop(&app, scope, &campaign, &reason).await?;
            return dispatch::after_chunk(&app, scope, &task.campaign).await;
        }
    };
    let chunk = Chunk {
        app: &app,
        scope,
        campaign: &campaign,
        channel: &channel,
        number: task.chunk,
        people: &people,
        header,
    };
    let held = match claim::take(&chunk, task.step).await? {
        Taken::Held(held) => held,
        Taken::Over => return dispatch::after_chunk(&app, scope, &task.campaign).await,
        Taken::Done => {
            // Perhaps the sender died before it could say so.
            dispatch::wake(&app, &campaign).await?;
            return dispatch::after_chunk(&app, scope, &task.campaign).await;
        }
    };
    let ended = match send(&chunk, &held).await {
        Ok(ended) => ended,
        // Whoever was marked and has no outcome may have been sent to.
        Err(error) => {
            let next = held.mark();
            Ended::Failed { error, next }
        }
    };
    finish(&chunk, &held, &task, ended).await
}

/// Sends to everyone of the chunk who has no outcome, as far as the portfolio's budget reaches.
async fn send(chunk: &Chunk<'_>, held: &Held) -> Result<Ended, Error> {
    let Chunk { app, scope, .. } = *chunk;
    let outcomes: Vec<Outcome> = app
        .store
        .all(&scope.outcomes(&chunk.campaign.id, chunk.number))
        .await?;
    let people = chunk.people.people.len() as u32;
    let settled = |index: &u32| outcomes.iter().any(|outcome| outcome.index == *index);
    let lost = (0..held.mark().min(people)).filter(|index| !settled(index));
    let lost = lost.map(|index| (index, Rank::Unknown, Evidence::default()));
    record::all(chunk, lost.collect()).await?;
    let free = (held.mark()..people).filter(|index| !settled(index));
    let mut free: Vec<u32> = free.collect();

    let granted = budget::take(app, chunk.channel, free.len()).await?;
    let beyond = free.split_off(granted.people);
    let (ended, left) = launch::all(chunk, held, free).await?;
    budget::give_back(app, chunk.channel, left).await?;
    match (ended, beyond.first(), granted.until) {
        (Ended::Settled, Some(next), Some(until)) => {
            limited(chunk, until).await?;
            Ok(Ended::Stopped {
                next: *next,
                after: until.duration_since(app.now()),
            })
        }
        (ended, _, _) => Ok(ended),
    }
}

/// Lets the campaign's owner see what it waits for.
async fn limited(chunk: &Chunk<'_>, until: Timestamp) -> Result<(), Error> {
    let limited = Write::update(chunk.scope.progress(&chunk.campaign.id))
        .set("limited_until", &until)?
        .if_present();
    chunk.app.store.write(limited).await?;
    Ok(())
}

/// How the launching ended. Nobody from `next` on who lacks an outcome was sent to.
pub(super) enum Ended {
    /// Everyone has an outcome.
    Settled,
    /// The rest is for later.
    Stopped { next: u32, after: SignedDuration },
    /// Only people are left whom Meta wants to be left alone for a while.
    Held { next: u32 },
    /// The campaign does not send any more.
    Over { next: u32 },
    /// Meta refuses everybody for this reason.
    Refused { code: i64, next: u32 },
    /// Something of ours failed.
    Failed { error: Error, next: u32 },
}

async fn finish(
    chunk: &Chunk<'_>,
    held: &Held,
    task: &CampaignSend,
    ended: Ended,
) -> Result<(), Error> {
    match ended {
        Ended::Settled => held.done(chunk).await?,
        Ended::Stopped { next, after } => return later(chunk, held, task, next, after, 0).await,
        Ended::Held { next } => {
            // Meta's advice for one person: 4 seconds, then 16, then 64 (Meta: pair rate limit).
            let holds = held.holds() + 1;
            let after = SignedDuration::from_secs(1 << (2 * holds.min(3)));
            return later(chunk, held, task, next, after, holds).await;
        }
        Ended::Over { next } => held.release(chunk, next, held.step(), held.holds()).await?,
        Ended::Refused { code, next } => {
            held.release(chunk, next, held.step(), held.holds()).await?;
            let reason = whatsapp::reason(code);
            dispatch::stop(chunk.app, chunk.scope, chunk.campaign, reason).await?;
        }
        Ended::Failed { error, next } => {
            if let Err(second) = held.release(chunk, next, task.step, held.holds()).await {
                // Then the chunk is taken over when the lease ends.
                tracing::warn!(error = second.chain(), "a chunk was not given back");
            }
            return Err(error);
        }
    }
    dispatch::after_chunk(chunk.app, chunk.scope, &chunk.campaign.id).await
}

/// Gives the chunk back and queues a new message for the rest of it, because waiting for Meta must not
/// use up the deliveries of this one.
async fn later(
    chunk: &Chunk<'_>,
    held: &Held,
    task: &CampaignSend,
    next: u32,
    after: SignedDuration,
    holds: u32,
) -> Result<(), Error> {
    held.release(chunk, next, held.step(), holds).await?;
    let going_on = CampaignSend {
        step: held.step(),
        ..task.clone()
    };
    let after = Duration::try_from(after).unwrap_or_default().min(DELAY_MAX);
    match chunk.app.enqueue(&going_on, after).await {
        Ok(()) => Ok(()),
        Err(error) => {
            held.reopen(chunk).await?;
            Err(error)
        }
    }
}

/// How long one claim may go without being renewed: every block of messages renews it, and after the
/// last block only Meta's answers are waited for.
pub(crate) fn lease(app: &App) -> SignedDuration {
    SignedDuration::try_from(app.config.graph_timeout).unwrap_or(SignedDuration::from_secs(30))
        + SignedDuration::from_secs(15)
}
