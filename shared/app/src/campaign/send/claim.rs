//! The claim on a chunk: one sender at a time, and a mark that only moves up while it is held.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use domain::campaign::State;

use super::{Chunk, lease};
use crate::campaign::dispatch;
use crate::campaign::item::Claim;
use crate::store::Write;
use crate::{Error, secret};

/// A claim that this sender holds.
pub(super) struct Held {
    token: String,
    mark: AtomicU32,
    /// The chunk is counted as launched.
    launched: AtomicBool,
    /// The dispatching was woken for the chunk that comes after.
    woken: AtomicBool,
}

/// Takes the claim; `None` when the chunk is done.
///
/// # Errors
/// [`Error::Later`] while another sender's lease lives.
pub(super) async fn take(chunk: &Chunk<'_>) -> Result<Option<Held>, Error> {
    let key = chunk.scope.chunk_claim(&chunk.campaign.id, chunk.number);
    let claim: Claim = chunk
        .app
        .store
        .get(&key)
        .await?
        .ok_or_else(|| Error::broken("a planned chunk has no claim"))?;
    if claim.done {
        return Ok(None);
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
        .if_equals("token", &claim.token)?
        .if_equals("lease", &claim.lease)?;
    if chunk
        .app
        .store
        .transact(vec![sending(chunk)?, taken])
        .await?
        .yes()
    {
        Ok(Some(Held {
            token,
            mark: AtomicU32::new(claim.mark),
            launched: AtomicBool::new(claim.launched),
            woken: AtomicBool::new(false),
        }))
    } else {
        // Somebody else took it, or the campaign changed; the next delivery sees which.
        Err(Error::Later {
            after: Duration::from_secs(1),
        })
    }
}

impl Held {
    /// Everyone below this place may have been sent to.
    pub(super) fn mark(&self) -> u32 {
        self.mark.load(Ordering::Relaxed)
    }

    /// Moves the mark and renews the lease, before anybody below the mark is sent to. `false` when the
    /// campaign does not send any more or the claim was lost: then nobody further may be sent to.
    pub(super) async fn advance(&self, chunk: &Chunk<'_>, mark: u32) -> Result<bool, Error> {
        let mark = mark.max(self.mark());
        let mut advanced = self
            .own(chunk)?
            .set("mark", &mark)?
            .set("lease", &until(chunk))?;
        let mut writes = vec![sending(chunk)?];
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
    /// well, so that an advance which is still on its way cannot raise the mark again.
    pub(super) async fn release(&self, chunk: &Chunk<'_>, next: u32) -> Result<(), Error> {
        let released = self
            .own(chunk)?
            .set("token", "")?
            .set("mark", &next.min(self.mark()))?
            .set("lease", &0)?;
        // A claim that was lost needs no release.
        chunk.app.store.write(released).await?;
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
        // A claim that was lost is completed by whoever has it.
        chunk.app.store.transact(vec![done, counted]).await?;
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

fn sending(chunk: &Chunk<'_>) -> Result<Write, Error> {
    Write::check(chunk.scope.campaign(&chunk.campaign.id))
        .if_equals("state", &State::Sending)?
        .if_equals("epoch", &chunk.campaign.epoch)
}

fn until(chunk: &Chunk<'_>) -> i64 {
    (chunk.app.now() + lease(chunk.app)).as_millisecond()
}
