//! API keys: `sk_live_…`, shown once, stored as a hash, with scopes and an expiry.

use domain::id::{ApiKeyId, UserId, WorkspaceId};
use domain::workspace::{Permission, Role};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::actor::Who;
use crate::audit::{self, Action};
use crate::store::key::Key;
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, limit, realtime, secret};

const PREFIX: &str = "sk_live_";

/// How many keys a workspace may have. Two that are made at the same instant may pass it.
const KEYS_MAX: usize = 50;

/// How exactly it is known when a key was last used.
const USED: SignedDuration = SignedDuration::from_mins(1);

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
    /// To the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
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
    let name = name(&new.name)?;
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
    if list(app, actor).await?.len() >= KEYS_MAX {
        return Err(Error::refused(
            "too_many_api_keys",
            format!("a workspace has at most {KEYS_MAX} API keys; revoke one that is not used"),
        ));
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
        last_used_at: None,
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

/// Names a key anew.
///
/// # Errors
/// The name is not acceptable, or the key does not exist in this workspace.
pub async fn rename(app: &App, actor: &Actor, id: &ApiKeyId, to: &str) -> Result<ApiKey, Error> {
    actor.require(Permission::WriteApiKeys)?;
    let place = app.store.workspace(&actor.workspace).api_key(id);
    let rename = Write::update(place.clone())
        .set("name", &name(to)?)?
        .if_present();
    let entry = audit::entry(app, actor, Action::ApiKeyUpdated, id.as_str())?;
    let missing = || Error::not_found("the API key");
    let renamed = app.store.transact(vec![rename, entry]).await?;
    renamed.or(missing)?;
    app.store.get(&place).await?.ok_or_else(missing)
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
/// The key is unknown, revoked or expired, or has asked too much ([`Error::Limited`]).
pub async fn authenticate(app: &App, secret: &str) -> Result<Actor, Error> {
    if !secret.starts_with(PREFIX) {
        return Err(Error::Unauthenticated);
    }
    let owner: Owner = app
        .store
        .get(&app.store.api_key_hash(&secret::token_hash(secret)))
        .await?
        .ok_or(Error::Unauthenticated)?;
    let scope = app.store.workspace(&owner.workspace);
    let place = scope.api_key(&owner.key);
    let key: ApiKey = app.store.get(&place).await?.ok_or(Error::Unauthenticated)?;
    if key.expires_at.is_some_and(|expiry| expiry <= app.now()) {
        return Err(Error::Unauthenticated);
    }
    limit::count(app, scope, &key.id).await?;
    if let Err(error) = used(app, place, &key).await {
        tracing::warn!(error = error.chain(), key = %key.id, "the use of a key was not noted");
    }
    Ok(Actor {
        workspace: owner.workspace,
        who: Who::Key {
            key: key.id,
            scopes: key.scopes,
        },
    })
}

/// Notes that a key is used, at most once a minute. Of those who would note it together one does.
async fn used(app: &App, place: Key, key: &ApiKey) -> Result<(), Error> {
    let now = app.now();
    if key
        .last_used_at
        .is_some_and(|at| now.duration_since(at) < USED)
    {
        return Ok(());
    }
    let write = Write::update(place).set("last_used_at", &now)?.if_present();
    let write = match &key.last_used_at {
        Some(at) => write.if_equals("last_used_at", at)?,
        None => write.if_missing("last_used_at"),
    };
    app.store.write(write).await.map(|_| ())
}

fn name(text: &str) -> Result<String, Error> {
    domain::contact::name(text)?.ok_or_else(|| Error::invalid("name", "a key needs a name"))
}
