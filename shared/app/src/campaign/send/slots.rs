//! Whose turn it is, and when: the slots of one sender, reserved ahead while it sleeps to those it has.
//!
//! Before somebody gets a slot, the mark has moved past them and their consent was read again.

use std::collections::VecDeque;

use domain::pacing::usable;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::claim::Held;
use super::{Chunk, consent};
use crate::Error;
use crate::pacer::{Lane, Reserved};

/// The mark moves past at least this many at once, so that it is not a write for every block of slots.
/// It is also the most people that a killed sender leaves unknown without having launched them.
const MARKED_AHEAD: usize = 10;

/// Everyone of a chunk who is still to be sent to, in order.
pub(super) struct Slots<'a> {
    chunk: &'a Chunk<'a>,
    held: &'a Held,
    lane: &'a Lane<'a>,
    /// Those nothing was done for yet.
    waiting: VecDeque<u32>,
    /// Those whose slots are being reserved.
    asking: Vec<u32>,
    reserving: Option<BoxFuture<'a, Result<Granted, Error>>>,
    /// Those who have a slot.
    ready: VecDeque<(u32, i64)>,
}

/// What comes next.
pub(super) enum Turn {
    /// This one, now.
    Of(u32),
    /// Nobody: everyone had a turn or was excluded.
    Nobody,
    /// Nobody any more: the campaign does not send, or the claim was lost.
    Over,
    /// Nobody in this invocation: the time is up.
    OutOfTime,
    /// Nobody before this instant, in microseconds since the epoch.
    NotBefore(i64),
}

enum Granted {
    Slots(Vec<(u32, i64)>),
    NotBefore(i64),
    Over,
}

impl<'a> Slots<'a> {
    pub(super) fn new(
        chunk: &'a Chunk<'a>,
        held: &'a Held,
        lane: &'a Lane<'a>,
        people: Vec<u32>,
    ) -> Self {
        Self {
            chunk,
            held,
            lane,
            waiting: people.into(),
            asking: Vec::new(),
            reserving: None,
            ready: VecDeque::new(),
        }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&mut self, deadline: Timestamp) -> Result<Turn, Error> {
        while self.chunk.app.now() < deadline {
            self.reserve_ahead();
            let Some((index, slot)) = self.ready.front().copied() else {
                let Some(reserving) = self.reserving.as_mut() else {
                    return Ok(Turn::Nobody);
                };
                let granted = reserving.await;
                match self.granted(granted?) {
                    Some(end) => return Ok(end),
                    None => continue,
                }
            };
            self.sleep_until(slot).await?;
            self.ready.pop_front();
            // A missed slot is dropped: catching up would crowd the second it fell in.
            if usable(slot, self.chunk.app.now().as_microsecond()) {
                return Ok(Turn::Of(index));
            }
            self.waiting.push_front(index);
        }
        Ok(Turn::OutOfTime)
    }

    /// Those who had no turn.
    pub(super) fn left(self) -> Vec<u32> {
        let ready = self.ready.into_iter().map(|(index, _)| index);
        ready.chain(self.asking).chain(self.waiting).collect()
    }

    async fn sleep_until(&mut self, slot: i64) -> Result<(), Error> {
        let instant = Timestamp::from_microsecond(slot)
            .map_err(|error| Error::internal("a slot is no instant", error))?;
        let mut sleep = self.chunk.app.clock.sleep_until(instant);
        if let Some(reserving) = &mut self.reserving {
            tokio::select! {
                biased;
                () = &mut sleep => return Ok(()),
                // An end without slots is met again by whoever asks next.
                granted = reserving => drop(self.granted(granted?)),
            }
        }
        sleep.await;
        Ok(())
    }

    /// Takes in what a reservation brought; an end when it brought no slots.
    fn granted(&mut self, granted: Granted) -> Option<Turn> {
        self.reserving = None;
        let asked = std::mem::take(&mut self.asking);
        let end = match granted {
            // Whoever was asked for and got no slot was excluded.
            Granted::Slots(slots) => {
                self.ready.extend(slots);
                return None;
            }
            Granted::NotBefore(instant) => Turn::NotBefore(instant),
            Granted::Over => Turn::Over,
        };
        for index in asked.into_iter().rev() {
            self.waiting.push_front(index);
        }
        Some(end)
    }

    /// Begins to reserve when half a block is left, and never more slots than there are people: a slot
    /// that nobody uses is lost to the number.
    fn reserve_ahead(&mut self) {
        let (chunk, held, lane) = (self.chunk, self.held, self.lane);
        let block = chunk.channel.messages_per_second.block();
        let busy = self.reserving.is_some() || self.ready.len() > block / 2;
        if busy || self.waiting.is_empty() {
            return;
        }
        let count = block.min(self.waiting.len());
        let beyond = |count: usize| {
            let marked = self.waiting.iter().take(count).map(|index| index + 1);
            marked.max().unwrap_or(0)
        };
        let (needed, mark) = (beyond(count), beyond(count.max(MARKED_AHEAD)));
        self.asking = self.waiting.drain(..count).collect();
        let asked = self.asking.clone();
        let reserving = async move {
            if let Some(instant) = lane.room().await? {
                return Ok(Granted::NotBefore(instant));
            }
            // Who was marked a moment ago needs no mark.
            if !held.covers(chunk, needed) && !held.advance(chunk, mark).await? {
                return Ok(Granted::Over);
            }
            let going = consent::going(chunk, &asked).await?;
            if going.is_empty() {
                return Ok(Granted::Slots(Vec::new()));
            }
            Ok(match lane.reserve(going.len()).await? {
                Reserved::Slots(slots) => Granted::Slots(going.into_iter().zip(slots).collect()),
                Reserved::NotBefore(instant) => Granted::NotBefore(instant),
            })
        };
        self.reserving = Some(reserving.boxed());
    }
}
