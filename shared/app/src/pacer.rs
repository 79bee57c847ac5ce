//! The pacer of a phone number: one stored instant, moved by whoever reserves slots.
//!
//! Everyone who sends from a number shares it, in whichever process. Campaigns reserve blocks and
//! never further ahead than the horizon; an agent's message takes the very next slot. Inbound messages
//! move the instant on as well, because Meta counts them. All of it may be lost without harm: the
//! next reservation starts from now.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::id::ChannelId;
use domain::pacing::{Block, HORIZON_US, Inbound, Limit, debit_us, rest_us, usable};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::store::commit::Updated;
use crate::store::{Scope, Write};
use crate::{App, Error};

/// How far ahead of now a campaign's first slot lies when the number was idle: longer than a write
/// takes.
const LEAD_US: i64 = 50_000;

/// The same for an agent's message, which is late by a fraction and not lost when it misses its slot.
const CHAT_LEAD_US: i64 = 5_000;

/// A wait up to this is slept; a longer one is the queue's.
const PATIENCE_US: i64 = 2_000_000;

/// Meta's word "too fast" counts as a repetition for this long after the rest it caused: the second
/// that Meta looks at is over by then, so later it is a trouble of its own.
const MEMORY_US: i64 = 3_000_000;

/// Inbound messages older than this have left Meta's second, however late their webhook came.
const RECENT: SignedDuration = SignedDuration::from_secs(3);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Pacer {
    /// Microseconds since the epoch: the first slot that nobody owns.
    next_us: i64,
    inbound: Inbound,
    /// How often Meta called the number too fast. Who slows it down must name the count it has seen,
    /// so that a hundred refusals of one moment slow it once.
    slowed: u64,
    /// How often in a row, and until when the last rest lasts.
    slowed_again: u32,
    rest_until_us: i64,
}

/// The way one sender takes turns at a number.
pub(crate) struct Lane<'a> {
    app: &'a App,
    scope: Scope<'a>,
    channel: &'a ChannelId,
    limit: Limit,
    /// The pacer as this sender saw it last.
    seen: Mutex<Option<Pacer>>,
    /// How often the number had been slowed down when this sender got its last slots.
    granted: AtomicU64,
}

/// What a campaign gets when it asks for slots.
pub(crate) enum Reserved {
    /// Instants in microseconds since the epoch.
    Slots(Vec<i64>),
    /// Nothing is free before this instant, which is too far away to sleep to.
    NotBefore(i64),
}

impl<'a> Lane<'a> {
    pub(crate) fn new(app: &'a App, scope: Scope<'a>, channel: &'a Channel) -> Self {
        Self {
            app,
            scope,
            channel: &channel.id,
            limit: channel.messages_per_second,
            seen: Mutex::new(None),
            granted: AtomicU64::new(0),
        }
    }

    /// Sleeps while more than the horizon is taken, so that a campaign marks nobody whose turn is far
    /// away. `Some`: nothing is free before this instant, which is too far away to sleep to.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(crate) async fn room(&self) -> Result<Option<i64>, Error> {
        loop {
            let free = self.read().await?.next_us - HORIZON_US;
            let wait = free - self.now_us();
            if wait < 0 {
                return Ok(None);
            }
            if wait > PATIENCE_US {
                return Ok(Some(free));
            }
            self.sleep_until(free + 1).await?;
        }
    }

    /// Reserves consecutive slots for a campaign: right after the last reserved one, or from a little
    /// ahead of now when that has passed, since a slot that is over when it arrives is lost. Sleeps
    /// while more than the horizon is taken.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(crate) async fn reserve(&self, count: usize) -> Result<Reserved, Error> {
        let mut pacer = match self.seen() {
            Some(pacer) => pacer,
            None => self.read().await?,
        };
        loop {
            let now = self.now_us();
            let interval = self.limit.interval_beside_us(pacer.inbound.spare(now));
            let length = interval * count as i64;
            let queue_up = Write::update(self.scope.pacer(self.channel))
                .add("next_us", length)
                .if_at_least("next_us", &now)?
                .if_below("next_us", &(now + HORIZON_US))?;
            match self.update(queue_up).await? {
                Updated::Yes(moved) => {
                    return Ok(self.granted(&moved, interval, count));
                }
                Updated::No(stands) => pacer = stands.unwrap_or_default(),
            }
            if pacer.next_us >= now {
                let free = pacer.next_us - HORIZON_US;
                if free - now > PATIENCE_US {
                    return Ok(Reserved::NotBefore(free));
                }
                self.sleep_until(free + 1).await?;
                continue;
            }
            let begin = self.now_us() + LEAD_US;
            let start = Write::update(self.scope.pacer(self.channel))
                .set("next_us", &(begin + length))?
                .if_below("next_us", &now)?;
            match self.update(start).await? {
                Updated::Yes(moved) => return Ok(self.granted(&moved, interval, count)),
                Updated::No(stands) => pacer = stands.unwrap_or_default(),
            }
        }
    }

    /// Waits for the next slot, before any campaign's next block.
    ///
    /// # Errors
    /// [`Error::Later`] when the number rests for longer than is worth sleeping; or the store cannot
    /// be reached.
    pub(crate) async fn turn(&self) -> Result<(), Error> {
        loop {
            let slot = self.next().await?;
            self.sleep_until(slot).await?;
            if usable(slot, self.now_us()) {
                return Ok(());
            }
        }
    }

    async fn next(&self) -> Result<i64, Error> {
        let interval = self.limit.chat_interval_us();
        loop {
            let now = self.now_us();
            let queue_up = Write::update(self.scope.pacer(self.channel))
                .add("next_us", interval)
                .if_at_least("next_us", &now)?
                .if_below("next_us", &(now + PATIENCE_US))?;
            let stands = match self.update(queue_up).await? {
                Updated::Yes(moved) => {
                    self.granted.store(moved.slowed, Ordering::Relaxed);
                    return Ok(moved.next_us - interval);
                }
                Updated::No(stands) => stands.unwrap_or_default(),
            };
            if stands.next_us >= now {
                let micros = stands.next_us - PATIENCE_US / 2 - now;
                let after = std::time::Duration::from_micros(micros.unsigned_abs());
                return Err(Error::Later { after });
            }
            let begin = self.now_us() + CHAT_LEAD_US;
            let start = Write::update(self.scope.pacer(self.channel))
                .set("next_us", &(begin + interval))?
                .if_below("next_us", &now)?;
            if let Updated::Yes(moved) = self.update(start).await? {
                self.granted.store(moved.slowed, Ordering::Relaxed);
                return Ok(begin);
            }
        }
    }

    /// Lets the number rest after Meta called it too fast: longer each time it happens again soon, and
    /// at least `shortest`. Of all who were refused in one moment the first slows it down.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(crate) async fn rest(&self, shortest: SignedDuration) -> Result<(), Error> {
        let stands = self.read().await?;
        if stands.slowed != self.granted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.now_us();
        let again = if now < stands.rest_until_us.saturating_add(MEMORY_US) && stands.slowed > 0 {
            stands.slowed_again + 1
        } else {
            0
        };
        let shortest_us = i64::try_from(shortest.as_micros()).unwrap_or(i64::MAX / 4);
        let until = now + rest_us(again).max(shortest_us);
        let rest = Write::update(self.scope.pacer(self.channel))
            .set("next_us", &until.max(stands.next_us))?
            .set("slowed", &(stands.slowed + 1))?
            .set("slowed_again", &again)?
            .set("rest_until_us", &until)?
            .if_below("slowed", &(stands.slowed + 1))?;
        self.update(rest).await?;
        Ok(())
    }

    fn granted(&self, moved: &Pacer, interval_us: i64, count: usize) -> Reserved {
        self.granted.store(moved.slowed, Ordering::Relaxed);
        let start = moved.next_us - interval_us * count as i64;
        Reserved::Slots(Block::new(interval_us, start, count).slots().collect())
    }

    fn seen(&self) -> Option<Pacer> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn read(&self) -> Result<Pacer, Error> {
        let pacer: Option<Pacer> = self.app.store.get(&self.scope.pacer(self.channel)).await?;
        Ok(pacer.unwrap_or_default())
    }

    async fn update(&self, write: Write) -> Result<Updated<Pacer>, Error> {
        let updated = self.app.store.update_returning::<Pacer>(write).await?;
        if let Updated::Yes(pacer) | Updated::No(Some(pacer)) = &updated {
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(pacer.clone());
        }
        Ok(updated)
    }

    async fn sleep_until(&self, us: i64) -> Result<(), Error> {
        let instant = Timestamp::from_microsecond(us)
            .map_err(|error| Error::internal("a slot is no instant", error))?;
        self.app.clock.sleep_until(instant).await;
        Ok(())
    }

    fn now_us(&self) -> i64 {
        self.app.now().as_microsecond()
    }
}

/// Counts messages that people sent to a number, by the instants at which they did, and makes room for
/// those that follow. One write for a batch of webhooks.
///
/// # Errors
/// The store cannot be reached. Counting the same messages again costs some slots and nothing else.
pub(crate) async fn debit(
    app: &App,
    scope: Scope<'_>,
    channel: &Channel,
    arrivals: &[Timestamp],
) -> Result<(), Error> {
    let now = app.now();
    let recent = |at: &&Timestamp| now.duration_since(**at) < RECENT;
    let count = arrivals.iter().filter(recent).count();
    if count == 0 {
        return Ok(());
    }
    let lane = Lane::new(app, scope, channel);
    let now = now.as_microsecond();
    loop {
        let stands = lane.read().await?;
        let inbound = stands.inbound.after(count, now);
        let debit = debit_us(lane.limit, stands.inbound, inbound, count, now);
        let counted = Write::update(scope.pacer(&channel.id)).set("inbound", &inbound)?;
        let counted = if stands.next_us >= now {
            counted
                .add("next_us", debit)
                .if_at_least("next_us", &stands.next_us)?
        } else {
            counted
                .set("next_us", &(now + debit))?
                .if_below("next_us", &now)?
        };
        if let Updated::Yes(_) = lane.update(counted).await? {
            return Ok(());
        }
    }
}
