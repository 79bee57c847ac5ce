//! Recording outcomes in batches, each with its change of the counters.

use std::collections::HashSet;

use domain::campaign::{Counters, Excluded};
use domain::contact::{Consent, ConsentChange, ConsentSource};
use domain::id::ContactId;
use domain::message::Outcome as Rank;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::Chunk;
use crate::campaign::outcome::{Evidence, Outcome};
use crate::campaign::stats::counted;
use crate::store::Committed;
use crate::{Error, contact};

/// Outcomes of one transaction: below DynamoDB's hundred, and few enough that a crash leaves little
/// to be unknown.
const ROWS: usize = 25;

/// How long an outcome may wait for others to be written with.
const GATHER: SignedDuration = SignedDuration::from_millis(250);

/// What is known of one recipient: the place in the chunk, where it stands, and why.
pub(super) type Known = (u32, Rank, Evidence);

/// Writes outcomes as they come, until their sender is gone.
pub(super) async fn gather(
    chunk: &Chunk<'_>,
    mut known: mpsc::UnboundedReceiver<Known>,
) -> Result<(), Error> {
    while let Some(first) = known.recv().await {
        let mut due = chunk.app.clock.sleep_until(chunk.app.now() + GATHER);
        let mut batch = vec![first];
        while batch.len() < ROWS {
            tokio::select! {
                biased;
                more = known.recv() => match more {
                    Some(more) => batch.push(more),
                    None => break,
                },
                () = &mut due => break,
            }
        }
        all(chunk, batch).await?;
    }
    Ok(())
}

/// Writes these outcomes now.
pub(super) async fn all(chunk: &Chunk<'_>, known: Vec<Known>) -> Result<(), Error> {
    let now = chunk.app.now();
    stopped(chunk, &known, now).await;
    let outcomes = known.into_iter().filter_map(|(index, status, evidence)| {
        let person = chunk.people.people.get(index as usize)?;
        Some((
            index,
            Outcome::new(now, person.contact.clone(), status, evidence),
        ))
    });
    write(chunk, outcomes.collect()).await
}

/// People who stopped messages of the business at WhatsApp, as its refusal says, are not written to
/// again. Their outcomes matter more than this: whoever is missed is refused again the next time.
async fn stopped(chunk: &Chunk<'_>, known: &[Known], now: Timestamp) {
    let stopped = known
        .iter()
        .filter(|(_, _, evidence)| evidence.code == Some(whatsapp::STOPPED))
        .filter_map(|(index, ..)| chunk.people.people.get(*index as usize));
    let made = ConsentChange {
        at: now,
        source: ConsentSource::Whatsapp,
    };
    for person in stopped {
        if let Err(error) = opt_out(chunk, &person.contact, made).await {
            tracing::warn!(
                contact = %person.contact,
                error = error.chain(),
                "a person who stopped messages was not opted out"
            );
        }
    }
}

async fn opt_out(chunk: &Chunk<'_>, contact: &ContactId, made: ConsentChange) -> Result<(), Error> {
    let (app, scope) = (chunk.app, chunk.scope);
    match app.store.get(&scope.contact(contact)).await? {
        Some(person) => contact::wish(app, scope, person, Consent::OptedOut, made, None).await,
        // Deleted meanwhile: nobody is left to be written to.
        None => Ok(()),
    }
}

/// Excludes people who were planned.
pub(super) async fn excluded(
    chunk: &Chunk<'_>,
    indexes: &[u32],
    reason: Excluded,
) -> Result<(), Error> {
    let now = chunk.app.now();
    let outcomes = indexes.iter().filter_map(|index| {
        let person = chunk.people.people.get(*index as usize)?;
        Some((
            *index,
            Outcome::excluded(now, person.contact.clone(), reason),
        ))
    });
    write(chunk, outcomes.collect()).await
}

/// Writes outcomes a transaction at a time. One that exists already was made by a status, which knows
/// more, and is left as it is. The rows are read first, because a transaction that is refused for one of
/// them is charged for all.
async fn write(chunk: &Chunk<'_>, outcomes: Vec<(u32, Outcome)>) -> Result<(), Error> {
    for batch in outcomes.chunks(ROWS) {
        let mut batch = batch.to_vec();
        let mut exist = existing(chunk, &batch).await?;
        loop {
            let places = batch.into_iter().enumerate();
            let rest = places.filter(|(place, _)| !exist.contains(place));
            batch = rest.map(|(_, row)| row).collect();
            if batch.is_empty() {
                break;
            }
            match create(chunk, &batch).await? {
                Committed::Yes => break,
                Committed::No(failed) => exist = failed.into_iter().collect(),
            }
        }
    }
    Ok(())
}

/// Which of these rows exist, by their place.
async fn existing(chunk: &Chunk<'_>, batch: &[(u32, Outcome)]) -> Result<HashSet<usize>, Error> {
    let campaign = &chunk.campaign.id;
    let keys: Vec<_> = batch
        .iter()
        .map(|(index, _)| chunk.scope.outcome(campaign, chunk.number, *index))
        .collect();
    let rows: Vec<(usize, Outcome)> = chunk.app.store.get_many(&keys).await?;
    Ok(rows.into_iter().map(|(place, _)| place).collect())
}

async fn create(chunk: &Chunk<'_>, batch: &[(u32, Outcome)]) -> Result<Committed, Error> {
    let Chunk {
        app,
        scope,
        campaign,
        number,
        ..
    } = *chunk;
    let mut delta = Counters::default();
    let mut writes = Vec::with_capacity(batch.len() + 1);
    for (index, outcome) in batch {
        delta += Counters::moved(None, outcome.status);
        writes.push(outcome.clone().creation(scope, campaign, number, *index)?);
    }
    writes.push(counted(scope, &campaign.id, number, &delta));
    app.store.transact(writes).await
}
