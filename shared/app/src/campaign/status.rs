//! Meta's statuses, applied to the outcomes of campaigns and to the counters in the same transaction.
//!
//! Rows are read first, because a write whose condition fails is billed. A status that says nothing
//! new writes nothing. A status can come before the sender has stored Meta's answer, or after the
//! sender died: then it creates the row, and settles what would have been unknown.

use std::collections::{BTreeMap, HashMap};

use domain::campaign::{Counters, RecipientRef, State};
use domain::event::{DeliveryStatus, StatusUpdate};
use domain::id::{CampaignId, ChatId, ContactId, WorkspaceId};
use domain::message::Outcome as Rank;
use domain::realtime::Event;

use whatsapp::ErrorClass;

use super::item::{Campaign, People};
use super::outcome::{Evidence, Outcome};
use super::stats::counted;
use super::{dispatch, find};
use crate::store::{Scope, Write};
use crate::{App, Error, realtime};

/// Rows of one transaction; one more place is the counters'.
const ROWS: usize = 99;

/// How often a batch is looked at again when rows changed under it.
const ATTEMPTS: usize = 6;

/// Applies a batch of statuses of one workspace.
///
/// # Errors
/// The store cannot be reached; applying the batch again is harmless.
pub async fn apply(
    app: &App,
    workspace: &WorkspaceId,
    updates: Vec<(RecipientRef, StatusUpdate)>,
) -> Result<(), Error> {
    let scope = app.store.workspace(workspace);
    let mut campaigns: HashMap<CampaignId, BTreeMap<(u32, u32), Vec<StatusUpdate>>> =
        HashMap::new();
    for (recipient, update) in updates {
        let rows = campaigns.entry(recipient.campaign).or_default();
        rows.entry((recipient.chunk, recipient.index))
            .or_default()
            .push(update);
    }
    for (campaign, rows) in campaigns {
        let rows: Vec<_> = rows.into_iter().collect();
        for batch in rows.chunks(ROWS) {
            apply_batch(app, scope, &campaign, batch).await?;
        }
        if let Some(code) = stopping(&rows) {
            stop(app, scope, &campaign, code).await?;
        }
    }
    Ok(())
}

/// A failure that everybody else of the campaign would meet as well.
fn stopping(rows: &[Row]) -> Option<i64> {
    let updates = rows.iter().flat_map(|(_, updates)| updates);
    let failed = updates.filter(|update| update.status == DeliveryStatus::Failed);
    let codes = failed.filter_map(|update| Some(update.error.as_ref()?.code));
    codes
        .into_iter()
        .find(|code| whatsapp::class(*code, None, None) == ErrorClass::StopCampaign)
}

/// Pauses a campaign that Meta has begun to refuse, if it is still sending.
async fn stop(app: &App, scope: Scope<'_>, campaign: &CampaignId, code: i64) -> Result<(), Error> {
    let campaign = match find(app, scope, campaign).await {
        Ok(campaign) => campaign,
        // Callback data that names no campaign of this workspace.
        Err(Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    if campaign.state != State::Sending {
        return Ok(());
    }
    dispatch::stop(app, scope, &campaign, whatsapp::reason(code)).await?;
    dispatch::after_chunk(app, scope, &campaign.id).await
}

type Row = ((u32, u32), Vec<StatusUpdate>);

async fn apply_batch(
    app: &App,
    scope: Scope<'_>,
    campaign: &CampaignId,
    batch: &[Row],
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let (mut writes, delta, moved) = moves(app, scope, campaign, batch).await?;
        let Some(((chunk, _), _)) = batch.first() else {
            return Ok(());
        };
        if writes.is_empty() {
            return Ok(());
        }
        writes.push(counted(scope, campaign, *chunk, &delta));
        if app.store.transact(writes).await?.yes() {
            return tell(app, scope, campaign, moved).await;
        }
    }
    Err(Error::unavailable(
        "outcomes keep changing under their statuses",
        "gave up after several attempts",
    ))
}

/// A recipient of a campaign that reached a status.
struct Moved {
    recipient: RecipientRef,
    contact: ContactId,
    to: Rank,
}

/// Tells those who watch the chats of these recipients. Nobody watches most of them, and then nothing more
/// is read.
async fn tell(
    app: &App,
    scope: Scope<'_>,
    campaign: &CampaignId,
    moved: Vec<Moved>,
) -> Result<(), Error> {
    let watched = realtime::watched(app, scope).await?;
    if watched.is_empty() {
        return Ok(());
    }
    let channel = find(app, scope, campaign).await?.channel;
    let events = moved.into_iter().filter_map(|moved| {
        let chat = ChatId::of(&channel, &moved.contact);
        watched
            .contains(&chat)
            .then(|| Event::of_recipient(chat, &moved.recipient, moved.to))
    });
    realtime::publish(app, scope, events.collect()).await
}

/// What the statuses of a batch change, as the rows stand now.
async fn moves(
    app: &App,
    scope: Scope<'_>,
    campaign: &CampaignId,
    batch: &[Row],
) -> Result<(Vec<Write>, Counters, Vec<Moved>), Error> {
    let keys: Vec<_> = batch
        .iter()
        .map(|((chunk, index), _)| scope.outcome(campaign, *chunk, *index))
        .collect();
    let stored: HashMap<usize, Outcome> = app.store.get_many(&keys).await?.into_iter().collect();
    let mut people: HashMap<u32, Option<People>> = HashMap::new();
    let mut whole: Option<Campaign> = None;
    let mut writes = Vec::new();
    let mut delta = Counters::default();
    let mut moved = Vec::new();
    for (place, ((chunk, index), updates)) in batch.iter().enumerate() {
        let outcome = stored.get(&place);
        let from = outcome.map(|outcome| outcome.status);
        let replied = outcome.is_some_and(|outcome| outcome.replied_at.is_some());
        let Some((to, evidence)) = fold(from, replied, updates) else {
            continue;
        };
        let at = updates
            .iter()
            .map(|update| update.at)
            .max()
            .unwrap_or_else(|| app.now());
        let contact = match outcome {
            Some(outcome) => {
                writes.push(outcome.moved(scope, campaign, to, at, &evidence)?);
                outcome.contact.clone()
            }
            None => {
                if !people.contains_key(chunk) {
                    people.insert(
                        *chunk,
                        app.store.get(&scope.chunk_people(campaign, *chunk)).await?,
                    );
                }
                let person = people[chunk]
                    .as_ref()
                    .and_then(|people| people.people.get(*index as usize));
                // A recipient that was never planned: not ours, or another workspace's.
                let Some(person) = person else { continue };
                let of = match &mut whole {
                    Some(of) => of,
                    none => none.insert(find(app, scope, campaign).await?),
                };
                let outcome = Outcome::new(at, person.contact.clone(), to, evidence);
                writes.push(outcome.creation(scope, of, *chunk, *index)?);
                person.contact.clone()
            }
        };
        moved.push(Moved {
            recipient: RecipientRef {
                campaign: campaign.clone(),
                chunk: *chunk,
                index: *index,
            },
            contact,
            to,
        });
        delta += Counters::moved(from, to);
    }
    Ok((writes, delta, moved))
}

/// Where several statuses of one message take it together. Who replied has received it, whatever a
/// failure says.
pub(crate) fn fold(
    from: Option<Rank>,
    replied: bool,
    updates: &[StatusUpdate],
) -> Option<(Rank, Evidence)> {
    let mut at = from;
    let mut evidence = Evidence::default();
    let told = updates
        .iter()
        .filter(|update| !(replied && update.status == DeliveryStatus::Failed));
    for update in told {
        if let Some(to) = Rank::after(at, update.status) {
            at = Some(to);
            evidence.wamid.get_or_insert_with(|| update.wamid.clone());
            if to == Rank::Failed {
                evidence.code = update.error.as_ref().map(|error| error.code);
            }
        }
    }
    at.filter(|_| at != from).map(|to| (to, evidence))
}
