//! The claim on a chunk: one sender at a time, and a mark that only moves up while it is held.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use super::{Chunk, lease};
use crate::campaign::dispatch;
use crate::campaign::item::{Claim, Gate};
use crate::store::{Committed, Write};
use crate::{Error, secret};

/// How long a mark is good for without asking again whether the campaign still sends.
const FRESH_MS: i64 = 2_000;

/// A claim that this sender holds.
pub(super) struct Held {
    token: String,
    mark: AtomicU32,
    /// When the mark was last moved, in Unix milliseconds.
    moved: AtomicI64,
    /// The step of the delivery that continues this one.
    step: u32,
    holds: u32,
    /// The chunk is counted as launched.
    launched: AtomicBool,
    /// The dispatching was woken for the chunk that comes after.
    woken: AtomicBool,
}

/// What became of an attempt to take a claim.
pub(super) enum Taken {
    Held(Held),
    /// Everyone of the chunk is settled.
    Done,
    /// Another message continues this chunk, or the campaign does not send any more.
    Over,
}

/// Takes the claim for the delivery that expects `step`.
///
/// # Errors
/// [`Error::Later`] while another sender's lease lives.
pub(super) async fn take(chunk: &Chunk<'_>, step: u32) -> Result<Taken, Error> {
    let key = chunk.scope.chunk_claim(&chunk.campaign.id, chunk.number);
    let claim: Claim = chunk
        .app
        .store
        .get(&key)
        .await?
        .ok_or_else(|| Error::broken("a planned chunk has no claim"))?;
    if claim.done {
        return Ok(Taken::Done);
    }
    // A chunk that was given back waits for the message that continues it, and for no other.
    let given_back = claim.lease == 0;
    if claim.step > step + 1 || claim.step == step + 1 && given_back {
        return Ok(Taken::Over);
    }
    let now = chunk.app.now().as_millisecond();
    if claim.lease > now {
        let left = claim.lease.abs_diff(now);
        return Err(Error::Later {
            after: Duration::from_millis(left),
        });
    }
    let token = secret::random_token();
    let taken = Write::update(key)
        .set("token", &token)?
        .set("lease", &until(chunk))?
        .set("step", &(step + 1))?
        .if_equals("token", &claim.token)?
        .if_equals("lease", &claim.lease)?
        .if_equals("step", &claim.step)?;
    match chunk
        .app
        .store
        .transact(vec![Gate::open(chunk.scope, chunk.campaign)?, taken])
        .await?
    {
        Committed::Yes => Ok(Taken::Held(Held {
            token,
            mark: AtomicU32::new(claim.mark),
            moved: AtomicI64::new(0),
            step: step + 1,
            holds: claim.holds,
            launched: AtomicBool::new(claim.launched),
            woken: AtomicBool::new(false),
        })),
        Committed::No(failed) if failed.contains(&0) => Ok(Taken::Over),
        // Somebody else took it; the next delivery sees who.
        Committed::No(_) => Err(Error::Later {
            after: Duration::from_secs(1),
        }),
    }
}

impl Held {
    /// Everyone below this place may have been sent to.
    pub(super) fn mark(&self) -> u32 {
        self.mark.load(Ordering::Relaxed)
    }

    /// The step that a message has to carry which continues this delivery.
    pub(super) fn step(&self) -> u32 {
        self.step
    }

    /// How often in a row the chunk has waited for people whom Meta wants to be left alone.
    pub(super) fn holds(&self) -> u32 {
        self.holds
    }

    /// Everyone below `mark` was marked a moment ago, so nothing has to be asked before they are sent to.
    pub(super) fn covers(&self, chunk: &Chunk<'_>, mark: u32) -> bool {
        let age = chunk.app.now().as_millisecond() - self.moved.load(Ordering::Relaxed);
        mark <= self.mark() && age < FRESH_MS
    }

    /// Moves the mark and renews the lease, before anybody below the mark is sent to. `false` when the
    /// campaign does not send any more or the claim was lost: then nobody further may be sent to.
    pub(super) async fn advance(&self, chunk: &Chunk<'_>, mark: u32) -> Result<bool, Error> {
        let mark = mark.max(self.mark());
        let mut advanced = self
            .own(chunk)?
            .set("mark", &mark)?
            .set("lease", &until(chunk))?;
        let mut writes = vec![Gate::open(chunk.scope, chunk.campaign)?];
        let last = mark as usize >= chunk.people.people.len();
        let launched = last && !self.launched.load(Ordering::Relaxed);
        if launched {
            advanced = advanced.set("launched", &true)?;
            writes.push(counted(chunk).add("launched", 1));
        }
        writes.push(advanced);
        if !chunk.app.store.transact(writes).await?.yes() {
            return Ok(false);
        }
        self.mark.store(mark, Ordering::Relaxed);
        self.moved
            .store(chunk.app.now().as_millisecond(), Ordering::Relaxed);
        if launched {
            self.launched.store(true, Ordering::Relaxed);
            if let Err(error) = self.wake(chunk).await {
                // The mark stands, so the sending goes on; the chunk's end wakes once more.
                tracing::warn!(error = error.chain(), "the dispatching was not woken");
            }
        }
        Ok(true)
    }

    /// Has the next chunk put in flight, once.
    async fn wake(&self, chunk: &Chunk<'_>) -> Result<(), Error> {
        if !self.woken.load(Ordering::Relaxed) {
            dispatch::wake(chunk.app, chunk.campaign).await?;
            self.woken.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Gives the chunk back: nobody from `next` on who lacks an outcome was sent to. The token goes as
    /// well, so that an advance which is still on its way cannot raise the mark again. `step` is that of
    /// the message that will continue: this delivery's own when it is to come back.
    pub(super) async fn release(
        &self,
        chunk: &Chunk<'_>,
        next: u32,
        step: u32,
        holds: u32,
    ) -> Result<(), Error> {
        let released = self
            .own(chunk)?
            .set("token", "")?
            .set("mark", &next.min(self.mark()))?
            .set("lease", &0)?
            .set("step", &step)?
            .set("holds", &holds)?;
        // A claim that was lost needs no release.
        chunk.app.store.write(released).await?;
        Ok(())
    }

    /// Lets this delivery continue after all, because no other message was queued.
    pub(super) async fn reopen(&self, chunk: &Chunk<'_>) -> Result<(), Error> {
        let key = chunk.scope.chunk_claim(&chunk.campaign.id, chunk.number);
        let reopened = Write::update(key)
            .set("step", &(self.step - 1))?
            .if_equals("step", &self.step)?
            .if_equals("lease", &0)?;
        chunk.app.store.write(reopened).await?;
        Ok(())
    }

    /// Everyone of the chunk has an outcome.
    pub(super) async fn done(&self, chunk: &Chunk<'_>) -> Result<(), Error> {
        let done = self
            .own(chunk)?
            .set("done", &true)?
            .set("lease", &0)?
            .if_equals("done", &false)?;
        let mut counted = counted(chunk).add("done", 1);
        if !self.launched.load(Ordering::Relaxed) {
            counted = counted.add("launched", 1);
        }
        let open = chunk.scope.open_chunk(&chunk.campaign.id, chunk.number);
        // A claim that was lost is completed by whoever has it.
        let writes = vec![done, counted, Write::delete(open)];
        chunk.app.store.transact(writes).await?;
        self.wake(chunk).await
    }

    fn own(&self, chunk: &Chunk<'_>) -> Result<Write, Error> {
        Write::update(chunk.scope.chunk_claim(&chunk.campaign.id, chunk.number))
            .if_equals("token", &self.token)
    }
}

fn counted(chunk: &Chunk<'_>) -> Write {
    Write::update(chunk.scope.progress(&chunk.campaign.id)).if_present()
}

fn until(chunk: &Chunk<'_>) -> i64 {
    (chunk.app.now() + lease(chunk.app)).as_millisecond()
}
