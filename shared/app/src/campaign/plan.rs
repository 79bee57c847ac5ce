//! Planning: the audience, frozen page by page into chunks.
//!
//! The place in the audience moves in the same transaction that writes the chunk, conditional on where
//! it was: a repeated page continues, it never plans anybody twice.

use std::time::Duration;

use domain::campaign::{CHUNK, Counters, Excluded, State};
use domain::id::ContactId;
use domain::message::Outcome as Rank;
use jiff::{SignedDuration, Timestamp};

use super::audience::{Place, Walk};
use super::item::{Campaign, Claim, Gate, OpenChunk, People, Person, Progress};
use super::outcome::Outcome;
use super::{dispatch, find};
use crate::store::{Scope, Write};
use crate::task::CampaignPlan;
use crate::{App, Error, realtime};

/// A step hands over to the next after this time, far below an invocation's limit.
const STEP: SignedDuration = SignedDuration::from_secs(20);

/// Kept free at the end of an invocation, for the page at hand and the next message.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// The most exclusions that fit one transaction beside a chunk, its claim, the counters and the cursor.
const EXCLUSIONS: usize = 90;

/// The most bytes of values in a chunk, well below DynamoDB's 400 KB for an item.
const VALUES_MAX: usize = 250_000;

/// Runs one step of planning, and queues the next, or the dispatching when the audience is complete.
///
/// # Errors
/// The store cannot be reached; the step may be repeated.
pub async fn run(app: App, task: CampaignPlan) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let campaign = find(&app, scope, &task.campaign).await?;
    if campaign.epoch != task.epoch || campaign.state != State::Preparing {
        return resume_dispatch(&app, &campaign, &task).await;
    }
    let deadline = (app.now() + STEP).min(app.last_start(MARGIN));
    let mut progress: Progress = app
        .store
        .get(&scope.progress(&campaign.id))
        .await?
        .ok_or_else(|| Error::broken("a campaign has no progress"))?;
    let place = Place {
        shard: progress.shard,
        after: progress.after.clone(),
    };
    let mut walk = Walk::from(&app, scope, &campaign, place);
    while !walk.ended() {
        let page = page(&mut walk, deadline).await?;
        match commit(&app, scope, &campaign, &progress, page).await? {
            Some(moved) => progress = moved,
            // Another step planned this page and goes on.
            None => return Ok(()),
        }
        if app.now() >= deadline {
            return app.enqueue(&task, Duration::ZERO).await;
        }
        if find(&app, scope, &campaign.id).await?.epoch != task.epoch {
            // Paused or cancelled; a resume plans on from the cursor.
            return Ok(());
        }
    }
    finish(&app, scope, &campaign).await?;
    dispatch::wake(&app, &campaign).await
}

/// A repeated delivery of the step that completed the planning tells of it and wakes the dispatching
/// again, in case the first died in between.
async fn resume_dispatch(app: &App, campaign: &Campaign, task: &CampaignPlan) -> Result<(), Error> {
    if campaign.epoch == task.epoch && campaign.state == State::Sending {
        let scope = app.store.workspace(&campaign.workspace);
        realtime::publish(app, scope, vec![campaign.event(State::Sending)]).await?;
        dispatch::wake(app, campaign).await?;
    }
    Ok(())
}

async fn finish(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<(), Error> {
    let prepared = Write::update(scope.campaign(&campaign.id))
        .set("state", &campaign.state.prepared()?)?
        .set("sending_at", &app.now())?
        .if_equals("state", &State::Preparing)?
        .if_equals("epoch", &campaign.epoch)?;
    let gate = Gate::set(scope, &campaign.id, State::Sending, campaign.epoch)?;
    let planned = Write::update(scope.progress(&campaign.id)).set("planned", &true)?;
    // When the condition fails, the campaign was stopped meanwhile, or another step was first.
    let prepared = vec![prepared, gate, planned];
    if app.store.transact(prepared).await?.yes() {
        realtime::publish(app, scope, vec![campaign.event(State::Sending)]).await?;
    }
    dispatch::after_chunk(app, scope, &campaign.id).await
}

/// One page of the audience and where it ends.
#[derive(Default)]
struct Page {
    people: Vec<Person>,
    excluded: Vec<(ContactId, Excluded)>,
    /// Of the values of these people.
    bytes: usize,
    place: Place,
}

impl Page {
    fn is_full(&self) -> bool {
        self.people.len() == CHUNK || self.excluded.len() == EXCLUSIONS || self.bytes > VALUES_MAX
    }
}

/// The next people of the audience, until a chunk or its exclusions are full, or time is up.
async fn page(walk: &mut Walk<'_>, deadline: Timestamp) -> Result<Page, Error> {
    let mut page = Page::default();
    while !page.is_full() {
        let Some(met) = walk.next(deadline).await? else {
            break;
        };
        match met.verdict {
            Ok(person) => {
                page.bytes += person.values.0.values().map(String::len).sum::<usize>();
                page.people.push(person);
            }
            Err(reason) => page.excluded.push((met.contact, reason)),
        }
    }
    page.place = walk.place().clone();
    Ok(page)
}

/// Writes a page as a chunk. `None` when the cursor was not where this step believed it to be.
async fn commit(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    progress: &Progress,
    page: Page,
) -> Result<Option<Progress>, Error> {
    let mut moved = Progress {
        shard: page.place.shard,
        after: page.place.after,
        ..progress.clone()
    };
    let mut cursor = Write::update(scope.progress(&campaign.id))
        .set("shard", &moved.shard)?
        .set("after", &moved.after)?
        .if_equals("shard", &progress.shard)?
        .if_equals("after", &progress.after)?
        .if_equals("chunks", &progress.chunks)?;
    let mut writes = Vec::new();
    if !page.people.is_empty() || !page.excluded.is_empty() {
        let chunk = progress.chunks;
        moved.chunks += 1;
        cursor = cursor.set("chunks", &moved.chunks)?;
        let mut delta = Counters::planned((page.people.len() + page.excluded.len()) as i64);
        for (place, (contact, reason)) in page.excluded.iter().enumerate() {
            delta += Counters::moved(None, Rank::Excluded);
            let index = (CHUNK + place) as u32;
            writes.push(
                Outcome::excluded(app.now(), contact.clone(), *reason)
                    .creation(scope, campaign, chunk, index)?,
            );
        }
        writes.push(super::stats::counted(scope, &campaign.id, chunk, &delta));
        writes.push(Write::put(
            scope.chunk_people(&campaign.id, chunk),
            &People {
                people: page.people,
            },
        )?);
        writes.push(Write::put(
            scope.chunk_claim(&campaign.id, chunk),
            &Claim::default(),
        )?);
        writes.push(Write::put(
            scope.open_chunk(&campaign.id, chunk),
            &OpenChunk { chunk },
        )?);
    }
    writes.insert(0, cursor);
    Ok(app.store.transact(writes).await?.yes().then_some(moved))
}
