//! API keys: `sk_live_…`, shown once, stored as a hash, with scopes and an expiry.

use domain::id::{ApiKeyId, UserId, WorkspaceId};
use domain::workspace::{Permission, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::Who;
use crate::audit::{self, Action};
use crate::store::{Scope, Write};
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
    /// The member who made it; `None` when another key did.
    #[serde(default)]
    pub created_by: Option<UserId>,
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
        created_by: match &actor.who {
            Who::Member { user, .. } => Some(user.clone()),
            Who::Key { .. } => None,
        },
        expires_at: new.expires_at,
    };
    let owner = Owner {
        workspace: actor.workspace.clone(),
        key: key.id.clone(),
    };
    let scope = app.store.workspace(&actor.workspace);
    let mut writes = vec![
        Write::create(scope.api_key(&key.id), &key)?,
        Write::create(app.store.api_key_hash(&key.hash), &owner)?,
        audit::entry(app, actor, Action::ApiKeyCreated, key.id.as_str())?,
    ];
    if let Who::Member { user, role } = &actor.who {
        // Who is being removed in this moment makes no key that would be left behind.
        writes.push(Write::check(scope.member(user)).if_equals("role", role)?);
    }
    app.store.transact(writes).await?.or(|| {
        Error::refused(
            "changed",
            "your role was changed in this moment; look again",
        )
    })?;
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
            Write::delete(place).if_present(),
            Write::delete(app.store.api_key_hash(&key.hash)),
            audit::entry(app, actor, Action::ApiKeyRevoked, key.id.as_str())?,
        ])
        .await?
        .or(|| Error::not_found("the API key"))?;
    let scope = app.store.workspace(&actor.workspace);
    realtime::cut_off(app, scope, &realtime::Holder::Key(key.id)).await;
    Ok(())
}

/// What a person loses with a role: the keys they made that do more than the role allows, and all of them
/// when they go, because they may have kept the secrets.
pub(crate) async fn revocations(
    app: &App,
    scope: Scope<'_>,
    by: &UserId,
    role: Option<Role>,
) -> Result<Vec<Write>, Error> {
    let keys: Vec<ApiKey> = app.store.all(&scope.api_keys()).await?;
    let may = |scope: &Permission| role.is_some_and(|role| role.may(*scope));
    let too_much = keys
        .into_iter()
        .filter(|key| key.created_by.as_ref() == Some(by) && !key.scopes.iter().all(may));
    Ok(too_much
        .flat_map(|key| {
            [
                Write::delete(scope.api_key(&key.id)),
                Write::delete(app.store.api_key_hash(&key.hash)),
            ]
        })
        .collect())
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
