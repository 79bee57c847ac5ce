//! Rate limits: of an API key, and of those who knock at the door without being anybody yet.
//!
//! A bucket is one small item; [`domain::rate`] is its arithmetic. An API key's bucket is drawn from in
//! blocks, so that a busy key costs far less than a write for each request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::ApiKeyId;
use domain::rate::Rate;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::key::Key;
use crate::store::{Scope, Write};
use crate::{App, Error, secret};

/// How long a process may keep a block that it has taken and not used.
const BLOCK_LIFE: SignedDuration = SignedDuration::from_secs(2);

/// How often a bucket that somebody else drew from meanwhile is tried again.
const TRIES: u32 = 5;

/// How many keys a process remembers blocks of.
const KEYS_MAX: usize = 10_000;

/// Where a request comes from: an IPv4 address, or the network of an IPv6 address, of which one person
/// has as many as they like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_string()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
            }
        }
    }

    /// All who come from nowhere known share their limits.
    #[must_use]
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }
}

/// Before a password is looked at. Guesses are counted for each account and address together, so that
/// nobody can lock another person out, and for each address.
///
/// # Errors
/// [`Error::Limited`].
pub async fn sign_in(app: &App, email: &str, address: &Address) -> Result<(), Error> {
    let quarter = SignedDuration::from_mins(15);
    let account = email.trim().to_lowercase();
    draw_one(
        app,
        "login",
        &[&account, &address.0],
        Rate::new(10, quarter, 10),
    )
    .await?;
    draw_one(app, "login", &[&address.0], Rate::new(100, quarter, 100)).await
}

/// Before an account is made.
///
/// # Errors
/// [`Error::Limited`].
pub async fn registration(app: &App, address: &Address) -> Result<(), Error> {
    let hour = SignedDuration::from_hours(1);
    draw_one(app, "register", &[&address.0], Rate::new(20, hour, 20)).await
}

/// Before mail is sent to whoever claims to have forgotten a password. An account gets few, wherever
/// they are asked for: somebody else's mailbox is not to be filled.
///
/// # Errors
/// [`Error::Limited`], whether or not the account exists.
pub async fn forgotten(app: &App, email: &str, address: &Address) -> Result<(), Error> {
    let hour = SignedDuration::from_hours(1);
    let account = email.trim().to_lowercase();
    draw_one(app, "forgotten", &[&address.0], Rate::new(20, hour, 20)).await?;
    draw_one(app, "forgotten", &[&account], Rate::new(5, hour, 5)).await
}

/// The blocks that this process has taken from the buckets of API keys.
#[derive(Default)]
pub struct Blocks(Mutex<HashMap<ApiKeyId, Arc<tokio::sync::Mutex<Block>>>>);

/// Taken from a key's bucket and not used yet.
struct Block {
    left: u32,
    size: u32,
    /// What is left afterwards is lost.
    until: Timestamp,
    /// The bucket is empty until then, so there is no use in asking.
    empty_until: Timestamp,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            left: 0,
            size: 0,
            until: Timestamp::MIN,
            empty_until: Timestamp::MIN,
        }
    }
}

impl Blocks {
    fn of(&self, key: &ApiKeyId) -> Arc<tokio::sync::Mutex<Block>> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() >= KEYS_MAX {
            blocks.clear();
        }
        Arc::clone(blocks.entry(key.clone()).or_default())
    }
}

/// Counts one request of an API key.
///
/// # Errors
/// [`Error::Limited`].
pub(crate) async fn count(app: &App, scope: Scope<'_>, key: &ApiKeyId) -> Result<(), Error> {
    let a_minute = app.config.requests_per_minute;
    let rate = Rate::new(a_minute, SignedDuration::from_mins(1), a_minute / 2);
    let block = app.blocks.of(key);
    // Requests of one key wait for each other here, or each would take a block of its own.
    let mut block = block.lock().await;
    let now = app.now();
    let fresh = now < block.until;
    if fresh && block.left > 0 {
        block.left -= 1;
        return Ok(());
    }
    if let Some(after) = until(block.empty_until, now) {
        return Err(Error::Limited { after });
    }
    // A block that was used up in time is followed by a larger one; who asks rarely takes one at a time.
    let most = rate.within(BLOCK_LIFE);
    let wanted = if fresh {
        (block.size * 2).clamp(1, most)
    } else {
        1
    };
    match draw(app, &scope.key_limit(key), rate, wanted).await? {
        Drawn::Some(size) => {
            *block = Block {
                left: size - 1,
                size,
                until: now + BLOCK_LIFE,
                empty_until: Timestamp::MIN,
            };
            Ok(())
        }
        Drawn::Nothing { after } => {
            block.empty_until = now + after;
            Err(Error::Limited { after })
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Bucket {
    full_at: Timestamp,
    ttl: i64,
}

enum Drawn {
    Some(u32),
    Nothing { after: Duration },
}

async fn draw_one(app: &App, what: &str, whose: &[&str], rate: Rate) -> Result<(), Error> {
    let hash = secret::token_hash(&whose.join("\n"));
    let key = app.store.limit(what, whose.len(), &hash);
    match draw(app, &key, rate, 1).await? {
        Drawn::Some(_) => Ok(()),
        Drawn::Nothing { after } => Err(Error::Limited { after }),
    }
}

/// Takes up to so many from a bucket. One that cannot be reached holds nobody up.
async fn draw(app: &App, key: &Key, rate: Rate, wanted: u32) -> Result<Drawn, Error> {
    match try_draw(app, key, rate, wanted).await {
        Err(error) if error.retryable() => {
            tracing::warn!(error = error.chain(), "a limit was not kept");
            Ok(Drawn::Some(wanted))
        }
        drawn => drawn,
    }
}

async fn try_draw(app: &App, key: &Key, rate: Rate, wanted: u32) -> Result<Drawn, Error> {
    for _ in 0..TRIES {
        let now = app.now();
        let stored: Option<Bucket> = app.store.get(key).await?;
        let full_at = stored.as_ref().map_or(now, |bucket| bucket.full_at);
        let taken = rate.left(full_at, now).min(wanted);
        if taken == 0 {
            let after = rate.wait(full_at, now);
            return Ok(Drawn::Nothing { after });
        }
        let full_at = rate.after(full_at, now, taken);
        let bucket = Bucket {
            full_at,
            ttl: full_at.as_second() + 1,
        };
        let write = Write::put(key.clone(), &bucket)?;
        let write = match stored {
            Some(stored) => write.if_equals("full_at", &stored.full_at)?,
            None => write.if_absent(),
        };
        if app.store.write(write).await?.yes() {
            return Ok(Drawn::Some(taken));
        }
    }
    // So many at once is more than anybody may.
    let after = Duration::from_secs(1);
    Ok(Drawn::Nothing { after })
}

fn until(instant: Timestamp, now: Timestamp) -> Option<Duration> {
    let left = Duration::try_from(instant.duration_since(now)).ok()?;
    (!left.is_zero()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_person_are_one() {
        let of = |text: &str| Address::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
