//! The figures of a campaign: kept in counters that change with the rows, and proved by a recount.

use domain::campaign::{COUNTER_SHARDS, Counters, Delta, State};
use domain::id::CampaignId;
use domain::workspace::Permission;
use jiff::Timestamp;

use super::item::{People, Progress};
use super::outcome::Outcome;
use super::{Campaign, find};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, channel};

/// The figures of a campaign at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    pub counters: Counters,
    /// Messages a second since sending began, while it goes on and over the whole when it has ended.
    pub rate_per_second: f64,
    /// How long the pending ones will take at the present limit; `None` when nothing is being sent.
    pub seconds_left: Option<u64>,
    /// Until when the portfolio's budget of new people holds the sending up.
    pub limited_until: Option<Timestamp>,
}

/// # Errors
/// The campaign does not exist in this workspace.
pub async fn stats(app: &App, actor: &Actor, campaign: &Campaign) -> Result<Stats, Error> {
    actor.require(Permission::ReadCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let counters = counters(app, scope, &campaign.id).await?;
    let attempted = (counters.sent + counters.failed + counters.unknown).max(0) as f64;
    let until = campaign.completed_at.unwrap_or_else(|| app.now());
    let elapsed = campaign
        .sending_at
        .map_or(0.0, |since| until.duration_since(since).as_secs_f64());
    let rate_per_second = if elapsed > 0.0 {
        attempted / elapsed
    } else {
        0.0
    };
    let seconds_left = match campaign.state {
        State::Sending => {
            let limit = channel::find(app, scope, &campaign.channel)
                .await?
                .messages_per_second;
            Some(
                (counters.pending.max(0) * limit.interval_us())
                    .cast_unsigned()
                    .div_ceil(1_000_000),
            )
        }
        State::Draft
        | State::Scheduled
        | State::Preparing
        | State::Pausing
        | State::Paused
        | State::Completed
        | State::Cancelled
        | State::Failed => None,
    };
    let limited_until = match campaign.state {
        State::Sending => {
            let progress: Option<Progress> = app.store.get(&scope.progress(&campaign.id)).await?;
            let until = progress.and_then(|progress| progress.limited_until);
            until.filter(|until| *until > app.now())
        }
        _ => None,
    };
    Ok(Stats {
        counters,
        rate_per_second,
        seconds_left,
        limited_until,
    })
}

/// The figures counted anew from every row, for proof. It reads the whole campaign.
///
/// # Errors
/// The campaign does not exist in this workspace.
pub async fn recount(app: &App, actor: &Actor, id: &CampaignId) -> Result<Counters, Error> {
    actor.require(Permission::ReadCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    find(app, scope, id).await?;
    let progress: Progress = app
        .store
        .get(&scope.progress(id))
        .await?
        .unwrap_or_default();
    let mut total = Counters::default();
    for chunk in 0..progress.chunks {
        let people: Option<People> = app.store.get(&scope.chunk_people(id, chunk)).await?;
        let planned = people.map_or(0, |people| people.people.len());
        let outcomes: Vec<Outcome> = app.store.all(&scope.outcomes(id, chunk)).await?;
        let sent_to = outcomes
            .iter()
            .filter(|outcome| (outcome.index as usize) < planned)
            .count();
        let waiting = planned - sent_to;
        let replied = outcomes
            .iter()
            .filter(|outcome| outcome.replied_at.is_some());
        total += Counters::replied(replied.count() as i64);
        let rows = outcomes.iter().map(|outcome| Some(outcome.status));
        total += Counters::recount(rows.chain(std::iter::repeat_n(None, waiting)));
    }
    Ok(total)
}

/// The write that changes the figures together with the rows of a chunk.
pub(crate) fn counted(scope: Scope<'_>, campaign: &CampaignId, chunk: u32, delta: &Delta) -> Write {
    delta.fields().into_iter().filter(|(_, by)| *by != 0).fold(
        Write::update(scope.counters(campaign, chunk)),
        |write, (field, by)| write.add(field, by),
    )
}

pub(crate) async fn counters(
    app: &App,
    scope: Scope<'_>,
    campaign: &CampaignId,
) -> Result<Counters, Error> {
    let keys: Vec<_> = (0..COUNTER_SHARDS)
        .map(|shard| scope.counters(campaign, shard))
        .collect();
    let shards: Vec<(usize, Counters)> = app.store.get_many(&keys).await?;
    Ok(shards.into_iter().map(|(_, counters)| counters).sum())
}
