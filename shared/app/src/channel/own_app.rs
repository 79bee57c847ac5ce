//! Numbers under the customer's own Meta app: the webhook address, and what verifies what arrives
//! there.
//!
//! Each has an address of its own, because a body can be verified only by whoever knows whose secret
//! signed it. The address is unguessable and carries a tag made with the master key, so that a made-up
//! one is refused without looking anything up. What is verified here speaks for its own workspace
//! alone.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::Route;
use crate::secret::MasterKey;
use crate::{App, Error};

/// How long the old secret is accepted beside the new one.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// How long a process believes what it read of an address, that there is nothing included.
const CACHED: SignedDuration = SignedDuration::from_secs(60);

/// A signature that does not fit may be made with a secret that is newer than what was read. Then it
/// is read again, this often at most, so that wrong signatures cannot make a storm of reads.
const DOUBTED: SignedDuration = SignedDuration::from_secs(5);

/// How many addresses a process remembers.
const REMEMBERED: usize = 10_000;

/// What a customer gives of their own Meta app.
#[derive(Clone)]
pub struct OwnApp {
    pub secret: String,
    pub verify_token: String,
}

impl OwnApp {
    /// # Errors
    /// Names the field that cannot be what it should be.
    pub(super) fn checked(self) -> Result<Self, Error> {
        Ok(Self {
            secret: secret("app.secret", &self.secret)?,
            verify_token: verify_token("app.verify_token", &self.verify_token)?,
        })
    }
}

impl std::fmt::Debug for OwnApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnApp(hidden)")
    }
}

pub(super) fn secret(field: &'static str, text: &str) -> Result<String, Error> {
    hidden(
        field,
        text,
        "copy the app secret from the app's dashboard: settings, basic",
    )
}

pub(super) fn verify_token(field: &'static str, text: &str) -> Result<String, Error> {
    hidden(
        field,
        text,
        "make up a verify token of 8 to 256 letters, digits and signs, and enter the same in the app's dashboard",
    )
}

fn hidden(field: &'static str, text: &str, fix: &str) -> Result<String, Error> {
    let text = text.trim();
    if (8..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(field, fix))
}

/// The last part of a webhook address: 16 random bytes and a tag of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    pub(super) fn fresh(key: &MasterKey) -> Self {
        let random: [u8; 16] = rand::random();
        let bytes = [random.as_slice(), &Self::tag(key, &random)].concat();
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// `None` when this installation did not make it.
    fn parse(key: &MasterKey, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (random, tag) = bytes.split_at_checked(16)?;
        let ours: bool = Self::tag(key, random).as_slice().ct_eq(tag).into();
        ours.then(|| Self(text.to_owned()))
    }

    fn tag(key: &MasterKey, random: &[u8]) -> [u8; 16] {
        let mut tag = [0; 16];
        tag.copy_from_slice(&key.tag("webhook address", random)[..16]);
        tag
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the app sends its webhooks.
pub(super) fn url(app: &App, address: &str) -> String {
    format!("{}/webhooks/whatsapp/{address}", app.config.public_url)
}

/// Whose an address is, and what verifies what arrives there, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Keys {
    #[serde(flatten)]
    pub(super) route: Route,
    pub(super) sealed_secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sealed_old_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) old_secret_until: Option<Timestamp>,
    pub(super) sealed_verify_token: String,
}

impl Keys {
    pub(super) fn new(
        app: &App,
        address: &Address,
        route: Route,
        own: &OwnApp,
    ) -> Result<Self, Error> {
        Ok(Self {
            route,
            sealed_secret: seal(app, address.as_str(), &own.secret)?,
            sealed_old_secret: None,
            old_secret_until: None,
            sealed_verify_token: seal(app, address.as_str(), &own.verify_token)?,
        })
    }
}

/// Bound to the address, so that a ciphertext moved to another does not open there.
pub(super) fn seal(app: &App, address: &str, text: &str) -> Result<String, Error> {
    app.config.master_key.seal(&context(address), text)
}

fn open(app: &App, address: &str, sealed: &str) -> Result<String, Error> {
    app.config.master_key.open(&context(address), sealed)
}

fn context(address: &str) -> String {
    format!("webhook/{address}")
}

/// The same, ready to be used.
struct Opened {
    route: Route,
    secret: String,
    old_secret: Option<(String, Timestamp)>,
    verify_token: String,
}

/// What a process remembers of addresses.
#[derive(Default)]
pub struct Addresses(RwLock<HashMap<String, Seen>>);

/// When an address was read, and what was there.
type Seen = (Timestamp, Option<Arc<Opened>>);

/// Whose an address is, if one of its app's secrets signed the body.
///
/// # Errors
/// There is no such address, the signature is not its app's, or the store cannot be read.
pub(crate) async fn verified(
    app: &App,
    address: &str,
    raw: &[u8],
    signature: Option<&str>,
) -> Result<Route, Error> {
    let address = Address::parse(&app.config.master_key, address).ok_or_else(unknown)?;
    let mut opened = remembered(app, &address, CACHED)
        .await?
        .ok_or_else(unknown)?;
    if !opened.signed(app.now(), raw, signature) && signature.is_some() {
        opened = remembered(app, &address, DOUBTED)
            .await?
            .ok_or_else(unknown)?;
    }
    if opened.signed(app.now(), raw, signature) {
        Ok(opened.route.clone())
    } else {
        Err(Error::Unauthenticated)
    }
}

/// Whether the token is the address's own.
///
/// # Errors
/// There is no such address, or the store cannot be read.
pub(crate) async fn knows(app: &App, address: &str, token: &str) -> Result<bool, Error> {
    let address = Address::parse(&app.config.master_key, address).ok_or_else(unknown)?;
    let opened = remembered(app, &address, DOUBTED)
        .await?
        .ok_or_else(unknown)?;
    Ok(opened
        .verify_token
        .as_bytes()
        .ct_eq(token.as_bytes())
        .into())
}

/// What an address must be asked with.
///
/// # Errors
/// There is no such address, or the store cannot be read.
pub(super) async fn its_verify_token(app: &App, address: &str) -> Result<String, Error> {
    let address = Address(address.to_owned());
    let opened = remembered(app, &address, SignedDuration::ZERO).await?;
    Ok(opened.ok_or_else(unknown)?.verify_token.clone())
}

impl Opened {
    fn signed(&self, now: Timestamp, raw: &[u8], signature: Option<&str>) -> bool {
        let old = self.old_secret.iter().filter(|(_, until)| now < *until);
        let secrets: Vec<&str> = std::iter::once(self.secret.as_str())
            .chain(old.map(|(secret, _)| secret.as_str()))
            .collect();
        whatsapp::signature::verify(&secrets, raw, signature)
    }
}

/// What is known of an address, read again when it was read longer ago than this.
async fn remembered(
    app: &App,
    address: &Address,
    longest: SignedDuration,
) -> Result<Option<Arc<Opened>>, Error> {
    let now = app.now();
    let cached = app
        .addresses
        .0
        .read()
        .ok()
        .and_then(|cache| cache.get(address.as_str()).cloned());
    if let Some((read_at, opened)) = cached
        && now.duration_since(read_at) < longest
    {
        return Ok(opened);
    }
    let keys: Option<Keys> = app
        .store
        .get(&app.store.webhook_address(address.as_str()))
        .await?;
    let opened = keys
        .map(|keys| opened(app, address, keys))
        .transpose()?
        .map(Arc::new);
    if let Ok(mut cache) = app.addresses.0.write() {
        if cache.len() >= REMEMBERED {
            cache.clear();
        }
        cache.insert(address.to_string(), (now, opened.clone()));
    }
    Ok(opened)
}

fn opened(app: &App, address: &Address, keys: Keys) -> Result<Opened, Error> {
    let open = |sealed: &str| open(app, address.as_str(), sealed);
    let old = keys.sealed_old_secret.as_deref().map(open).transpose()?;
    Ok(Opened {
        secret: open(&keys.sealed_secret)?,
        old_secret: old.zip(keys.old_secret_until),
        verify_token: open(&keys.sealed_verify_token)?,
        route: keys.route,
    })
}

fn unknown() -> Error {
    Error::not_found("the webhook address")
}

impl Addresses {
    /// Reads the address again the next time it is asked for.
    pub(super) fn forget(&self, address: &str) {
        if let Ok(mut cache) = self.0.write() {
            cache.remove(address);
        }
    }
}
