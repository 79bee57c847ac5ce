//! The budget of a portfolio, counted by the hour: how many new people its numbers have written to in
//! the past 24 hours, whichever workspaces they belong to (Meta: messaging limits).
//!
//! It is an upper bound. Everyone a chunk is about to send to counts, though Meta counts only whom a
//! message reaches outside a conversation, and an hour counts until its last minute is a day old.

use domain::portfolio::{Hour, people_a_day};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::store::Write;
use crate::store::commit::Updated;
use crate::store::read::Span;
use crate::{App, Error};

/// Why one person cannot be written to while nothing of the budget is left.
pub(crate) const USED_UP: &str =
    "WhatsApp's limit of new people in 24 hours is used up. Try again later.";

/// What of an hour's item matters.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Used {
    hour: i64,
    used: i64,
}

/// What a sender may use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    /// How many of the people asked for may be written to now.
    pub(crate) people: usize,
    /// When there will be room for more, if it is fewer.
    pub(crate) until: Option<Timestamp>,
}

/// Takes as much of the budget as there is, up to `people`.
///
/// # Errors
/// The store cannot be reached; nothing was taken.
pub(crate) async fn take(app: &App, channel: &Channel, people: usize) -> Result<Granted, Error> {
    let Some(limit) = people_a_day(&channel.messaging_limit) else {
        return Ok(Granted {
            people,
            until: None,
        });
    };
    loop {
        let hours = hours(app, channel).await?;
        let now = app.now();
        let granted = left_of(limit, &hours).min(people as u64);
        let until = if granted < people as u64 {
            let oldest = hours.iter().find(|hour| hour.used > 0);
            oldest.map(|hour| Hour(hour.hour).expires())
        } else {
            None
        };
        let granted = Granted {
            people: usize::try_from(granted).unwrap_or(people),
            until,
        };
        if granted.people == 0 {
            return Ok(granted);
        }
        let present = Hour::of(now);
        let seen = hours.iter().find(|hour| hour.hour == present.0);
        let take = counting(app, channel, present, granted.people as i64)?;
        // Another number of the portfolio may have taken some in this moment.
        let take = match seen {
            Some(seen) => take.if_equals("used", &seen.used)?,
            None => take.if_absent(),
        };
        if let Updated::Yes(_) = app.store.update_returning::<Used>(take).await? {
            return Ok(granted);
        }
    }
}

/// Gives back what was taken for people who were not written to.
///
/// # Errors
/// The store cannot be reached; then the budget is taken for smaller than it is, for a day.
pub(crate) async fn give_back(app: &App, channel: &Channel, people: usize) -> Result<(), Error> {
    if people == 0 || people_a_day(&channel.messaging_limit).is_none() {
        return Ok(());
    }
    let back = counting(app, channel, Hour::of(app.now()), -(people as i64))?;
    app.store.update_returning::<Used>(back).await?;
    Ok(())
}

/// How many new people the portfolio may still write to now; `None` when nothing limits it.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn left(app: &App, channel: &Channel) -> Result<Option<u64>, Error> {
    let Some(limit) = people_a_day(&channel.messaging_limit) else {
        return Ok(None);
    };
    Ok(Some(left_of(limit, &hours(app, channel).await?)))
}

/// The hours that count, oldest first.
async fn hours(app: &App, channel: &Channel) -> Result<Vec<Used>, Error> {
    let range = app.store.portfolio_hours(channel.portfolio());
    let oldest = Hour::oldest(app.now());
    let before = app
        .store
        .portfolio_hour(channel.portfolio(), Hour(oldest.0 - 1));
    let span = Span::first(32).after(Some(before.sort()));
    Ok(app.store.page(&range, span).await?.items)
}

fn left_of(limit: u64, hours: &[Used]) -> u64 {
    let used: i64 = hours.iter().map(|hour| hour.used).sum();
    limit.saturating_sub(u64::try_from(used).unwrap_or(0))
}

fn counting(app: &App, channel: &Channel, hour: Hour, people: i64) -> Result<Write, Error> {
    let key = app.store.portfolio_hour(channel.portfolio(), hour);
    // A while after it has ceased to count, so that no reader misses it.
    let ttl = hour.expires().as_second() + 3600;
    Write::update(key)
        .add("used", people)
        .set("hour", &hour.0)?
        .set("ttl", &ttl)
}
