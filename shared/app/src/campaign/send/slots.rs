//! The slots of one sender, reserved ahead while it sleeps to those it has.

use std::collections::VecDeque;

use domain::pacing::usable;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::Chunk;
use super::claim::Held;
use crate::Error;
use crate::pacer::{Lane, Reserved};

/// The mark moves past at least this many at once, so that it is not a write for every block of slots.
/// It is also the most people that a killed sender leaves unknown without having launched them.
const MARKED_AHEAD: usize = 20;

pub(super) struct Slots<'a> {
    chunk: &'a Chunk<'a>,
    held: &'a Held,
    lane: &'a Lane<'a>,
    ready: VecDeque<i64>,
    reserving: Option<BoxFuture<'a, Result<Granted, Error>>>,
}

/// Whose turn it is.
pub(super) enum Turn {
    /// The first of those who wait, now.
    Now,
    /// Nobody's any more: the campaign does not send, or the claim was lost.
    Over,
    /// Nobody's in this invocation: the time is up.
    OutOfTime,
    /// Nobody's before this instant, in microseconds since the epoch.
    NotBefore(i64),
}

enum Granted {
    Slots(Vec<i64>),
    NotBefore(i64),
    Over,
}

impl<'a> Slots<'a> {
    pub(super) fn new(chunk: &'a Chunk<'a>, held: &'a Held, lane: &'a Lane<'a>) -> Self {
        Self {
            chunk,
            held,
            lane,
            ready: VecDeque::new(),
            reserving: None,
        }
    }

    /// Waits for the next slot, which is the turn of the first of `todo`.
    pub(super) async fn turn(
        &mut self,
        todo: &VecDeque<u32>,
        deadline: Timestamp,
    ) -> Result<Turn, Error> {
        while self.chunk.app.now() < deadline {
            self.reserve_ahead(todo, 0);
            match self.ready.pop_front() {
                Some(slot) => {
                    self.sleep_until(slot, todo).await?;
                    // A missed slot is dropped: catching up would crowd the second it fell in.
                    if usable(slot, self.chunk.app.now().as_microsecond()) {
                        return Ok(Turn::Now);
                    }
                }
                None => match self.reserving.take() {
                    Some(reserving) => match reserving.await? {
                        Granted::Slots(slots) => self.ready.extend(slots),
                        Granted::NotBefore(instant) => return Ok(Turn::NotBefore(instant)),
                        Granted::Over => return Ok(Turn::Over),
                    },
                    None => return Ok(Turn::Over),
                },
            }
        }
        Ok(Turn::OutOfTime)
    }

    async fn sleep_until(&mut self, slot: i64, todo: &VecDeque<u32>) -> Result<(), Error> {
        let instant = Timestamp::from_microsecond(slot)
            .map_err(|error| Error::internal("a slot is no instant", error))?;
        let mut sleep = self.chunk.app.clock.sleep_until(instant);
        self.reserve_ahead(todo, 1);
        if let Some(reserving) = &mut self.reserving {
            tokio::select! {
                biased;
                () = &mut sleep => return Ok(()),
                granted = reserving => {
                    self.reserving = None;
                    // Without slots the next turn asks again, and is told no again.
                    if let Granted::Slots(slots) = granted? {
                        self.ready.extend(slots);
                    }
                }
            }
        }
        sleep.await;
        Ok(())
    }

    /// Begins to reserve when half a block is left, and never more slots than there are messages: a
    /// slot that nobody uses is lost to the number. `served` of `todo` have their slot in hand.
    fn reserve_ahead(&mut self, todo: &VecDeque<u32>, served: usize) {
        let (chunk, held, lane) = (self.chunk, self.held, self.lane);
        let block = chunk.channel.messages_per_second.block();
        let served = served + self.ready.len();
        let missing = todo.len().saturating_sub(served);
        if self.reserving.is_some() || missing == 0 || self.ready.len() > block / 2 {
            return;
        }
        let count = missing.min(block);
        let beyond = |count: usize| {
            let marked = todo.iter().take(count).map(|index| index + 1);
            marked.max().unwrap_or(0)
        };
        let needed = beyond(served + count);
        let mark = beyond(served + count.max(MARKED_AHEAD));
        let reserving = async move {
            // What is marked already needs no mark, unless the lease has become old meanwhile.
            if !held.covers(chunk, needed) && !held.advance(chunk, mark).await? {
                return Ok(Granted::Over);
            }
            Ok(match lane.reserve(count).await? {
                Reserved::Slots(slots) => Granted::Slots(slots),
                Reserved::NotBefore(instant) => Granted::NotBefore(instant),
            })
        };
        self.reserving = Some(reserving.boxed());
    }
}
