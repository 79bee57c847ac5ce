//! Sending one chunk: claim it, send at the number's pace, record what Meta says.
//!
//! What correctness rests on, and what only saves work:
//! - The claim's *mark* moves past recipients before they are sent to, in a transaction that also
//!   checks that the campaign still sends under the same epoch and the claim is still ours. So
//!   whoever takes over after a crash knows that nobody from the mark on was sent to, and treats
//!   those below it without an outcome as unknown. Nobody is sent to twice.
//! - The *lease* only keeps two senders from working at once. Were it wrong, the mark still holds.
//! - Reading consent again saves a person who has just opted out from a message.

mod claim;
mod launch;
mod record;
mod slots;

use std::collections::HashMap;
use std::time::Duration;

use domain::campaign::{Excluded, State};
use domain::contact::Consent;
use domain::message::Outcome as Rank;
use jiff::SignedDuration;

use super::item::{Campaign, People};
use super::outcome::{Evidence, Outcome};
use super::{dispatch, find};
use crate::channel::{self, Channel};
use crate::contact::Contact;
use crate::store::Scope;
use crate::task::CampaignSend;
use crate::{App, Error};
use claim::Held;

/// What sending one chunk works with.
pub(super) struct Chunk<'a> {
    pub(super) app: &'a App,
    pub(super) scope: Scope<'a>,
    pub(super) campaign: &'a Campaign,
    pub(super) channel: &'a Channel,
    pub(super) number: u32,
    pub(super) people: &'a People,
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
        return Ok(());
    }
    let people: People = app
        .store
        .get(&scope.chunk_people(&campaign.id, task.chunk))
        .await?
        .ok_or_else(|| Error::broken("a queued chunk was never planned"))?;
    let channel = channel::find(&app, scope, &campaign.channel).await?;
    let chunk = Chunk {
        app: &app,
        scope,
        campaign: &campaign,
        channel: &channel,
        number: task.chunk,
        people: &people,
    };
    let Some(held) = claim::take(&chunk).await? else {
        // Everyone of the chunk is settled; perhaps the sender died before it could say so.
        dispatch::wake(&app, &campaign).await?;
        return dispatch::complete(&app, scope, &campaign).await;
    };
    let outcomes: Vec<Outcome> = app
        .store
        .all(&scope.outcomes(&campaign.id, task.chunk))
        .await?;
    let settled = |index: u32| outcomes.iter().any(|outcome| outcome.index == index);
    let lost = (0..held.mark().min(people.people.len() as u32)).filter(|index| !settled(*index));
    record::all(
        &chunk,
        lost.map(|index| (index, Rank::Unknown, Evidence::default()))
            .collect(),
    )
    .await?;
    let free: Vec<u32> = (held.mark()..people.people.len() as u32)
        .filter(|index| !settled(*index))
        .collect();
    let free = consenting(&chunk, free).await?;
    finish(
        &chunk,
        &held,
        &task,
        launch::all(&chunk, &held, free).await?,
    )
    .await
}

/// Reads the contacts again: a person who opted out since the planning, or whose contact is not the
/// one that was planned any more, is excluded now.
async fn consenting(chunk: &Chunk<'_>, free: Vec<u32>) -> Result<Vec<u32>, Error> {
    let people = free
        .iter()
        .filter_map(|index| Some((*index, chunk.people.people.get(*index as usize)?)));
    let people: Vec<_> = people.collect();
    let keys: Vec<_> = people
        .iter()
        .map(|(_, person)| chunk.scope.contact(&person.contact))
        .collect();
    let contacts: HashMap<usize, Contact> =
        chunk.app.store.get_many(&keys).await?.into_iter().collect();
    let (mut going, mut opted_out, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (index, person)) in people.into_iter().enumerate() {
        match contacts.get(&place) {
            Some(contact) if contact.consent == Consent::OptedOut => opted_out.push(index),
            Some(contact) if contact.phone.as_ref() == Some(&person.phone) => going.push(index),
            Some(_) | None => changed.push(index),
        }
    }
    record::excluded(chunk, &opted_out, Excluded::OptedOut).await?;
    record::excluded(chunk, &changed, Excluded::Changed).await?;
    Ok(going)
}

/// How the launching ended.
pub(super) enum Ended {
    /// Everyone has an outcome.
    Settled,
    /// Nobody from this place on who lacks an outcome was sent to. The rest is for later.
    Stopped { next: u32, after: Duration },
    /// Meta refuses everybody for this reason; otherwise as above.
    Refused { code: i64, next: u32 },
    /// Something of ours failed; otherwise as above.
    Failed { error: Error, next: u32 },
}

async fn finish(
    chunk: &Chunk<'_>,
    held: &Held,
    task: &CampaignSend,
    ended: Ended,
) -> Result<(), Error> {
    match ended {
        Ended::Settled => {
            held.done(chunk).await?;
            dispatch::complete(chunk.app, chunk.scope, chunk.campaign).await
        }
        Ended::Stopped { next, after } => {
            held.release(chunk, next).await?;
            // A new message, because waiting for Meta must not use up the deliveries of this one.
            chunk.app.enqueue(task, after).await
        }
        Ended::Refused { code, next } => {
            held.release(chunk, next).await?;
            dispatch::stop(
                chunk.app,
                chunk.scope,
                chunk.campaign,
                whatsapp::reason(code),
            )
            .await
        }
        Ended::Failed { error, next } => {
            held.release(chunk, next).await?;
            Err(error)
        }
    }
}

/// How long one claim may go without being renewed: every block of messages renews it, and after the
/// last block only Meta's answers are waited for.
pub(super) fn lease(app: &App) -> SignedDuration {
    SignedDuration::try_from(app.config.graph_timeout).unwrap_or(SignedDuration::from_secs(30))
        + SignedDuration::from_secs(15)
}
