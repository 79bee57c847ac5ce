//! Requests that are not carried out twice.
//!
//! A caller names a request by a key of its own. The first request with a key claims it, acts, and leaves
//! its answer; a second one gets that answer. A claim has a lease, so a process that dies locks nobody
//! out. Whoever takes an abandoned claim over gets the [`Once`] of the first attempt, from which acts
//! derive the ids of what they make: what the first attempt had made already is found and not made again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::actor::Who;
use crate::store::Write;
use crate::store::key::Key;
use crate::{Actor, App, Error, secret};

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How long the process of an attempt may live: an HTTP function's time-out, and a little.
const LEASE: SignedDuration = SignedDuration::from_secs(35);

/// The longest key.
const KEY_MAX: usize = 255;

/// When to look again for the answer of a request that is still running.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How often somebody else may be faster.
const TRIES: u32 = 4;

/// What the ids of things are derived from that a request makes: the same for each attempt at it.
#[derive(Debug, Clone)]
pub struct Once {
    pub(crate) at: Timestamp,
    pub(crate) seed: String,
}

impl Once {
    /// A request that is like no other.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            at: now,
            seed: secret::random_token(),
        }
    }
}

/// What is to become of a request that came with a key.
#[derive(Debug)]
pub enum Begun {
    /// It is to be carried out.
    First(Claim),
    /// It was carried out, with this answer.
    Before(String),
    /// The key belongs to another request.
    Other,
    /// It is being carried out; ask again after this time.
    Running(Duration),
}

/// The right to carry a request out, until the lease is over.
#[derive(Debug)]
pub struct Claim {
    key: Key,
    token: String,
    pub once: Once,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Ended {
    /// It was carried out, with this answer.
    Done(String),
    /// Nothing was done, so the key is free.
    Refused,
    /// Something may have been done; the next attempt goes on from there.
    Failed,
}

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    /// The hash of what was asked.
    asked: String,
    token: String,
    lease: Timestamp,
    /// When it was first asked.
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Unix seconds.
    ttl: i64,
}

/// Begins a request that `name` names, of which `asked` is a hash.
///
/// # Errors
/// The name is not acceptable, or the store cannot be reached.
pub async fn begin(app: &App, actor: &Actor, name: &str, asked: &str) -> Result<Begun, Error> {
    let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.is_empty() || name.len() > KEY_MAX || !printable {
        let message = format!("a key is 1 to {KEY_MAX} visible ASCII characters");
        return Err(Error::invalid("Idempotency-Key", message));
    }
    let who = match &actor.who {
        Who::Member { user, .. } => user.as_str(),
        Who::Key { key, .. } => key.as_str(),
    };
    let seed = secret::token_hash(&format!("{}\n{who}\n{name}", actor.workspace));
    let key = app.store.workspace(&actor.workspace).request(&seed);
    for _ in 0..TRIES {
        let now = app.now();
        let stored: Option<Request> = app.store.get(&key).await?;
        // DynamoDB deletes what has expired some time later.
        let living = stored
            .as_ref()
            .filter(|request| request.ttl > now.as_second());
        let at = match living {
            Some(request) if request.asked != asked => return Ok(Begun::Other),
            Some(Request {
                answer: Some(answer),
                ..
            }) => return Ok(Begun::Before(answer.clone())),
            Some(request) => {
                if let Ok(left) = Duration::try_from(request.lease.duration_since(now))
                    && !left.is_zero()
                {
                    return Ok(Begun::Running(left.min(LOOK_AGAIN)));
                }
                request.at
            }
            None => now,
        };
        let request = Request {
            asked: asked.to_owned(),
            token: secret::random_token(),
            lease: now + LEASE,
            at,
            answer: None,
            ttl: (at + KEPT).as_second(),
        };
        let write = Write::put(key.clone(), &request)?;
        let write = match &stored {
            Some(stored) => write.if_equals("token", &stored.token)?,
            None => write.if_absent(),
        };
        if app.store.write(write).await?.yes() {
            return Ok(Begun::First(Claim {
                key,
                token: request.token,
                once: Once { at, seed },
            }));
        }
    }
    Ok(Begun::Running(LOOK_AGAIN))
}

/// Ends an attempt. When that cannot be written the lease ends it, and the next attempt finds what this
/// one has made.
pub async fn end(app: &App, claim: Claim, ended: Ended) {
    let Claim { key, token, .. } = claim;
    let write = match ended {
        Ended::Done(answer) => Write::update(key).set("answer", &answer),
        Ended::Refused => Ok(Write::delete(key)),
        Ended::Failed => Write::update(key).set("lease", &app.now()),
    };
    let ended = match write.and_then(|write| write.if_equals("token", &token)) {
        Ok(write) => app.store.write(write).await.map(|_| ()),
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::warn!(
            error = error.chain(),
            "the answer to a request was not kept"
        );
    }
}
