//! API keys: `sk_live_…`, shown once, stored as a hash, with scopes and an expiry.

use domain::id::{ApiKeyId, WorkspaceId};
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::Who;
use crate::store::Write;
use crate::{Actor, App, Error, realtime, secret};

const PREFIX: &str = "sk_live_";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    pub scopes: Vec<Permission>,
    /// The last four characters, by which a person recognises the key.
    pub hint: String,
    hash: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    workspace: WorkspaceId,
    key: ApiKeyId,
}

/// What a caller gives to make a key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub name: String,
    pub scopes: Vec<Permission>,
    pub expires_at: Option<Timestamp>,
}

/// Makes a key; the secret is returned this once.
///
/// # Errors
/// A field is not acceptable, or the actor may not make keys.
pub async fn create(app: &App, actor: &Actor, new: NewApiKey) -> Result<(ApiKey, String), Error> {
    actor.require(Permission::WriteApiKeys)?;
    let name = domain::contact::name(&new.name)?
        .ok_or_else(|| Error::invalid("name", "a key needs a name"))?;
    if new.scopes.is_empty() {
        return Err(Error::invalid("scopes", "name at least one scope"));
    }
    if new.expires_at.is_some_and(|expiry| expiry <= app.now()) {
        return Err(Error::invalid(
            "expires_at",
            "the expiry must lie in the future",
        ));
    }
    for scope in &new.scopes {
        // Nobody hands out more than they have themselves.
        actor.require(*scope)?;
    }
    let secret = format!("{PREFIX}{}", secret::random_token());
    let key = ApiKey {
        id: ApiKeyId::fresh(),
        name,
        scopes: new.scopes,
        hint: secret[secret.len() - 4..].to_owned(),
        hash: secret::token_hash(&secret),
        created_at: app.now(),
        expires_at: new.expires_at,
    };
    let owner = Owner {
        workspace: actor.workspace.clone(),
        key: key.id.clone(),
    };
    app.store
        .transact(vec![
            Write::create(app.store.workspace(&actor.workspace).api_key(&key.id), &key)?,
            Write::create(app.store.api_key_hash(&key.hash), &owner)?,
        ])
        .await?
        .or(|| Error::broken("two API keys have the same hash"))?;
    Ok((key, secret))
}

/// # Errors
/// The actor may not see keys.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<ApiKey>, Error> {
    actor.require(Permission::WriteApiKeys)?;
    app.store
        .all(&app.store.workspace(&actor.workspace).api_keys())
        .await
}

/// Makes a key useless at once.
///
/// # Errors
/// The key does not exist in this workspace.
pub async fn revoke(app: &App, actor: &Actor, id: &ApiKeyId) -> Result<(), Error> {
    actor.require(Permission::WriteApiKeys)?;
    let place = app.store.workspace(&actor.workspace).api_key(id);
    let key: ApiKey = app
        .store
        .get(&place)
        .await?
        .ok_or_else(|| Error::not_found("the API key"))?;
    app.store
        .transact(vec![
            Write::delete(place),
            Write::delete(app.store.api_key_hash(&key.hash)),
        ])
        .await?;
    let scope = app.store.workspace(&actor.workspace);
    realtime::cut_off(app, scope, &realtime::Holder::Key(key.id)).await;
    Ok(())
}

/// The actor behind a key's secret.
///
/// # Errors
/// The key is unknown, revoked or expired.
pub async fn authenticate(app: &App, secret: &str) -> Result<Actor, Error> {
    if !secret.starts_with(PREFIX) {
        return Err(Error::Unauthenticated);
    }
    let owner: Owner = app
        .store
        .get(&app.store.api_key_hash(&secret::token_hash(secret)))
        .await?
        .ok_or(Error::Unauthenticated)?;
    let place = app.store.workspace(&owner.workspace).api_key(&owner.key);
    let key: ApiKey = app.store.get(&place).await?.ok_or(Error::Unauthenticated)?;
    if key.expires_at.is_some_and(|expiry| expiry <= app.now()) {
        return Err(Error::Unauthenticated);
    }
    Ok(Actor {
        workspace: owner.workspace,
        who: Who::Key {
            key: key.id,
            scopes: key.scopes,
        },
    })
}
