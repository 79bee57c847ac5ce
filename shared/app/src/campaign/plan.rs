//! Planning: the audience, frozen page by page into chunks.
//!
//! The groups of a campaign are walked together, shard by shard, in the order of contact ids. The
//! cursor only moves up, so a contact is met once however many of the groups it is in and however
//! its memberships change meanwhile. The cursor moves in the same transaction that writes the chunk,
//! conditional on where it was: a repeated page continues, it never plans anybody twice.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::campaign::{CHUNK, Counters, Excluded};
use domain::id::{ContactId, SHARDS};
use domain::message::Outcome as Rank;
use domain::template::Unfillable;
use jiff::SignedDuration;

use super::item::{Campaign, Claim, People, Person, Progress};
use super::outcome::Outcome;
use super::{dispatch, find};
use crate::contact::{Contact, Membership};
use crate::store::read::Span;
use crate::store::{Scope, Write};
use crate::task::CampaignPlan;
use crate::{App, Error};
use domain::campaign::State;
use domain::contact::Consent;

/// A step hands over to the next after this time, far below an invocation's limit.
const STEP: SignedDuration = SignedDuration::from_secs(20);

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
    let deadline = app.now() + STEP;
    let mut progress: Progress = app
        .store
        .get(&scope.progress(&campaign.id))
        .await?
        .ok_or_else(|| Error::broken("a campaign has no progress"))?;
    while progress.shard < SHARDS {
        let page = page(&app, scope, &campaign, &progress).await?;
        match commit(&app, scope, &campaign, &progress, page).await? {
            Some(moved) => progress = moved,
            // Another step planned this page and goes on.
            None => return Ok(()),
        }
        if app.now() >= deadline {
            return app.enqueue(&task, Duration::ZERO).await;
        }
    }
    finish(&app, scope, &campaign).await?;
    dispatch::wake(&app, &campaign).await
}

/// A repeated delivery of the step that completed the planning wakes the dispatching again, in case
/// the first died between the two.
async fn resume_dispatch(app: &App, campaign: &Campaign, task: &CampaignPlan) -> Result<(), Error> {
    if campaign.epoch == task.epoch && campaign.state == State::Sending {
        dispatch::wake(app, campaign).await?;
    }
    Ok(())
}

async fn finish(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<(), Error> {
    let write = Write::update(scope.campaign(&campaign.id))
        .set("state", &campaign.state.prepared()?)?
        .set("sending_at", &app.now())?
        .if_equals("state", &State::Preparing)?
        .if_equals("epoch", &campaign.epoch)?;
    // When the condition fails, the campaign was stopped meanwhile, or another step was first.
    app.store.write(write).await?;
    dispatch::complete(app, scope, campaign).await
}

/// One page of the audience and where it ends.
struct Page {
    people: Vec<Person>,
    excluded: Vec<(ContactId, Excluded)>,
    /// Of the values of these people.
    bytes: usize,
    shard: u8,
    after: Option<ContactId>,
}

/// The next people of the audience, until a chunk or its exclusions are full or the shard ends.
async fn page(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    progress: &Progress,
) -> Result<Page, Error> {
    let mut page = Page {
        people: Vec::new(),
        excluded: Vec::new(),
        bytes: 0,
        shard: progress.shard,
        after: progress.after.clone(),
    };
    while page.shard < SHARDS {
        let candidates = candidates(app, scope, campaign, &page).await?;
        for contact in candidates.contacts {
            if page.people.len() == CHUNK
                || page.excluded.len() == EXCLUSIONS
                || page.bytes > VALUES_MAX
            {
                return Ok(page);
            }
            page.after = Some(contact.id.clone());
            match judge(campaign, &contact) {
                Ok(person) => {
                    page.bytes += person.values.0.values().map(String::len).sum::<usize>();
                    page.people.push(person);
                }
                Err(reason) => page.excluded.push((contact.id, reason)),
            }
        }
        match candidates.next {
            Some(next) => page.after = Some(next),
            None => (page.shard, page.after) = (page.shard + 1, None),
        }
    }
    Ok(page)
}

struct Candidates {
    contacts: Vec<Contact>,
    /// Every contact up to this one was looked at; `None` when the shard is finished.
    next: Option<ContactId>,
}

/// The contacts after the cursor that are in any of the groups, each once, in the order of their ids.
async fn candidates(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    page: &Page,
) -> Result<Candidates, Error> {
    let mut ids = BTreeSet::new();
    let mut horizon: Option<ContactId> = None;
    for group in &campaign.groups {
        let span = Span::first(CHUNK).after(page.after.as_ref().map(ContactId::as_str));
        let found = app
            .store
            .page::<Membership>(&scope.members(group, page.shard), span)
            .await?;
        if found.next.is_some() {
            // This group was not read to its end, so nothing beyond its last member is certain yet.
            let last = found.items.last().map(|member| member.contact.clone());
            horizon = match (horizon, last) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        ids.extend(found.items.into_iter().map(|member| member.contact));
    }
    if let Some(horizon) = &horizon {
        ids.retain(|id| id <= horizon);
    }
    let keys: Vec<_> = ids.iter().map(|id| scope.contact(id)).collect();
    let mut contacts: Vec<(usize, Contact)> = app.store.get_many(&keys).await?;
    contacts.sort_by_key(|(place, _)| *place);
    Ok(Candidates {
        contacts: contacts.into_iter().map(|(_, contact)| contact).collect(),
        next: horizon,
    })
}

fn judge(campaign: &Campaign, contact: &Contact) -> Result<Person, Excluded> {
    if contact.consent == Consent::OptedOut {
        return Err(Excluded::OptedOut);
    }
    let phone = contact.phone.clone().ok_or(Excluded::NoPhone)?;
    let values = campaign
        .variables
        .fill(&campaign.template, &contact.profile())
        .map_err(|error| match error {
            Unfillable::MissingValue { .. } => Excluded::MissingValue,
            Unfillable::BodyTooLong { .. } => Excluded::TooLong,
        })?;
    Ok(Person {
        contact: contact.id.clone(),
        phone,
        values,
    })
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
        shard: page.shard,
        after: page.after,
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
                Outcome::excluded(app.now(), contact.clone(), *reason).creation(
                    scope,
                    &campaign.id,
                    chunk,
                    index,
                )?,
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
    }
    writes.insert(0, cursor);
    Ok(app.store.transact(writes).await?.yes().then_some(moved))
}
