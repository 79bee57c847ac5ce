//! The pacer of a phone number: one stored instant, moved by whoever reserves slots.
//!
//! All senders of a number, in whichever process, share it. It may be lost without harm: the next
//! reservation starts from now.

use domain::id::ChannelId;
use domain::pacing::{Block, Limit};
use serde::{Deserialize, Serialize};

use crate::store::{Scope, Write};
use crate::{App, Error};

/// How far ahead of now the first slot lies when a number has been idle: longer than a write takes.
const LEAD_US: i64 = 50_000;

#[derive(Debug, Serialize, Deserialize)]
struct Pacer {
    /// Microseconds since the epoch: the first slot that nobody owns.
    next_us: i64,
}

/// Reserves consecutive slots: right after the last reserved one, or from now when that has passed.
///
/// A pacer that stands still begins a little ahead, because the reservation itself takes time, and a
/// slot that has passed when it arrives is lost.
pub(super) async fn reserve(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    limit: Limit,
    count: usize,
) -> Result<Block, Error> {
    let length = limit.interval_us() * count as i64;
    loop {
        let now = app.now().as_microsecond();
        let queue_up = Write::update(scope.pacer(channel))
            .add("next_us", length)
            .if_at_least("next_us", &now)?;
        if let Some(pacer) = app.store.update_returning::<Pacer>(queue_up).await? {
            return Ok(Block::new(limit, pacer.next_us - length, count));
        }
        let begin = app.now().as_microsecond() + LEAD_US;
        let start = Write::update(scope.pacer(channel))
            .set("next_us", &(begin + length))?
            .if_below("next_us", &now)?;
        if let Some(pacer) = app.store.update_returning::<Pacer>(start).await? {
            return Ok(Block::new(limit, pacer.next_us - length, count));
        }
    }
}

/// Lets nobody of this number send for a while after Meta called it too fast.
pub(super) async fn hold(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    micros: i64,
) -> Result<(), Error> {
    let until = app.now().as_microsecond() + micros;
    let write = Write::update(scope.pacer(channel))
        .set("next_us", &until)?
        .if_below("next_us", &until)?;
    app.store.write(write).await?;
    Ok(())
}
