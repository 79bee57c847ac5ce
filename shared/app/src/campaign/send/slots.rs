//! The slots of one sender, reserved ahead while it sleeps to those it has.

use std::collections::VecDeque;

use domain::pacing::usable;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::Chunk;
use super::claim::Held;
use crate::Error;
use crate::campaign::pacer;

pub(super) struct Slots<'a> {
    chunk: &'a Chunk<'a>,
    held: &'a Held,
    ready: VecDeque<i64>,
    reserving: Option<BoxFuture<'a, Result<Option<Vec<i64>>, Error>>>,
}

impl<'a> Slots<'a> {
    pub(super) fn new(chunk: &'a Chunk<'a>, held: &'a Held) -> Self {
        Self {
            chunk,
            held,
            ready: VecDeque::new(),
            reserving: None,
        }
    }

    /// Waits for the next slot, which is the turn of the first of `todo`. `false` when nobody further
    /// may be sent to, or the time is up.
    pub(super) async fn turn(
        &mut self,
        todo: &VecDeque<u32>,
        deadline: Timestamp,
    ) -> Result<bool, Error> {
        while self.chunk.app.now() < deadline {
            self.reserve_ahead(todo, 0);
            match self.ready.pop_front() {
                Some(slot) => {
                    self.sleep_until(slot, todo).await?;
                    // A missed slot is dropped: catching up would crowd the second it fell in.
                    if usable(slot, self.chunk.app.now().as_microsecond()) {
                        return Ok(true);
                    }
                }
                None => match self.reserving.take() {
                    Some(reserving) => match reserving.await? {
                        Some(block) => self.ready.extend(block),
                        None => return Ok(false),
                    },
                    None => return Ok(false),
                },
            }
        }
        Ok(false)
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
                block = reserving => {
                    self.reserving = None;
                    // Without a block the next turn asks again, and is told no again.
                    self.ready.extend(block?.unwrap_or_default());
                }
            }
        }
        sleep.await;
        Ok(())
    }

    /// Begins to reserve when half a block is left, and never more slots than there are messages: a
    /// slot that nobody uses is lost to the number. `served` of `todo` have their slot in hand.
    fn reserve_ahead(&mut self, todo: &VecDeque<u32>, served: usize) {
        let (chunk, held) = (self.chunk, self.held);
        let limit = chunk.channel.messages_per_second;
        let served = served + self.ready.len();
        let missing = todo.len().saturating_sub(served);
        if self.reserving.is_some() || missing == 0 || self.ready.len() > limit.block() / 2 {
            return;
        }
        let count = missing.min(limit.block());
        let mark = todo
            .iter()
            .take(served + count)
            .map(|index| index + 1)
            .max()
            .unwrap_or(0);
        let reserving = async move {
            if !held.advance(chunk, mark).await? {
                return Ok(None);
            }
            let block =
                pacer::reserve(chunk.app, chunk.scope, &chunk.channel.id, limit, count).await?;
            Ok(Some(block.slots().collect()))
        };
        self.reserving = Some(reserving.boxed());
    }
}
