//! Sessions of people: a random token in a cookie, of which only a hash is stored.
//!
//! The cookie begins with the person's id, which is no secret, so that a session lies with the others of
//! its person: listing and ending all of them is one query, and there is no second item to keep in step.

use domain::id::{SessionId, UserId, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::actor::Who;
use crate::store::commit::TRANSACTION_MAX;
use crate::store::{Committed, Write};
use crate::{Actor, App, Error, secret, workspace};

/// How long a session lives.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How exactly it is known when a session was last used.
const USED: SignedDuration = SignedDuration::from_hours(1);

/// How much of a browser's name is kept.
const USER_AGENT_MAX: usize = 300;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    /// The workspace that requests without an explicit one are for.
    pub workspace: Option<WorkspaceId>,
    pub csrf_token: String,
    pub created_at: Timestamp,
    /// To the hour.
    pub last_used_at: Timestamp,
    #[serde(flatten)]
    pub device: Device,
    /// Unix seconds; DynamoDB deletes expired items some time later, so it is checked as well.
    ttl: i64,
}

/// What a person signed in with, by which they recognise a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The browser's own words about itself.
    pub user_agent: Option<String>,
    /// The address the request came from, when it is known.
    pub address: Option<String>,
}

/// A session with the only copy of its token.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub token: String,
    pub session: Session,
}

/// A session that is not stored yet, and the write that stores it.
pub(crate) fn begin(
    app: &App,
    user: &UserId,
    workspace: Option<WorkspaceId>,
    device: Device,
) -> Result<(NewSession, Write), Error> {
    let secret = secret::random_token();
    let now = app.now();
    let cut = |text: String| text.chars().take(USER_AGENT_MAX).collect();
    let session = Session {
        id: id(&secret),
        user: user.clone(),
        workspace,
        csrf_token: secret::random_token(),
        created_at: now,
        last_used_at: now,
        device: Device {
            user_agent: device.user_agent.map(cut),
            address: device.address,
        },
        ttl: (now + LIFETIME).as_second(),
    };
    let write = Write::create(app.store.session(user, &session.id), &session)?;
    let token = format!("{user}.{secret}");
    Ok((NewSession { token, session }, write))
}

/// The living session of a token. Now and then it notes that the session is used.
///
/// # Errors
/// The token is not that of a living session.
pub async fn find(app: &App, token: &str) -> Result<Session, Error> {
    let (user, secret) = token.split_once('.').ok_or(Error::Unauthenticated)?;
    let user: UserId = user.parse().map_err(|_| Error::Unauthenticated)?;
    let key = app.store.session(&user, &id(secret));
    let session: Option<Session> = app.store.get(&key).await?;
    let now = app.now();
    let session = session
        .filter(|session| session.lives(now))
        .ok_or(Error::Unauthenticated)?;
    if now.duration_since(session.last_used_at) >= USED {
        // Only while it exists: a session that somebody is ending must not come back.
        let used = Write::update(key).set("last_used_at", &now)?.if_present();
        if let Err(error) = app.store.write(used).await {
            tracing::warn!(error = error.chain(), "the use of a session was not noted");
        }
    }
    Ok(session)
}

/// The living sessions of the person, the newest first.
///
/// # Errors
/// The store cannot be read.
pub async fn list(app: &App, own: &Session) -> Result<Vec<Session>, Error> {
    let mut sessions: Vec<Session> = app.store.all(&app.store.sessions(&own.user)).await?;
    sessions.retain(|session| session.lives(app.now()));
    sessions.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    Ok(sessions)
}

/// Ends one session of the person.
///
/// # Errors
/// They have no such session.
pub async fn end(app: &App, own: &Session, id: &SessionId) -> Result<(), Error> {
    let write = Write::delete(app.store.session(&own.user, id)).if_present();
    app.store
        .write(write)
        .await?
        .or(|| Error::not_found("the session"))
}

/// Ends every session of the person but the one they are asking with.
///
/// # Errors
/// The store cannot be written; some sessions may have ended.
pub async fn end_others(app: &App, own: &Session) -> Result<(), Error> {
    let ends = ends(app, &own.user, Some(&own.id)).await?;
    finish(app, ends).await
}

/// The writes that end every session of a person, but for one.
pub(crate) async fn ends(
    app: &App,
    user: &UserId,
    except: Option<&SessionId>,
) -> Result<Vec<Write>, Error> {
    let sessions: Vec<Session> = app.store.all(&app.store.sessions(user)).await?;
    Ok(sessions
        .iter()
        .filter(|session| Some(&session.id) != except)
        .map(|session| Write::delete(app.store.session(user, &session.id)))
        .collect())
}

/// Carries out the ends that did not fit the transaction they belong to.
pub(crate) async fn finish(app: &App, mut ends: Vec<Write>) -> Result<(), Error> {
    while !ends.is_empty() {
        let rest = ends.split_off(ends.len().min(TRANSACTION_MAX));
        app.store.transact(ends).await?;
        ends = rest;
    }
    Ok(())
}

/// Remembers which workspace the person is in now: requests without an explicit one are for it.
///
/// # Errors
/// They are not a member of it.
pub async fn switch(app: &App, own: &Session, workspace: &WorkspaceId) -> Result<(), Error> {
    workspace::role(app, workspace, &own.user).await?;
    move_to(app, own, Some(workspace)).await
}

pub(crate) async fn move_to(
    app: &App,
    own: &Session,
    workspace: Option<&WorkspaceId>,
) -> Result<(), Error> {
    let write = Write::update(app.store.session(&own.user, &own.id))
        .set("workspace", &workspace)?
        .if_present();
    match app.store.write(write).await? {
        Committed::Yes => Ok(()),
        Committed::No(_) => Err(Error::Unauthenticated),
    }
}

impl Session {
    /// The actor of this session in a workspace: the one asked for, or the session's own.
    ///
    /// # Errors
    /// The person is not a member of it.
    pub async fn actor(&self, app: &App, asked: Option<WorkspaceId>) -> Result<Actor, Error> {
        let workspace = asked
            .or_else(|| self.workspace.clone())
            .ok_or_else(|| Error::not_found("the workspace"))?;
        let role = workspace::role(app, &workspace, &self.user).await?;
        Ok(Actor {
            workspace,
            who: Who::Member {
                user: self.user.clone(),
                role,
            },
        })
    }

    /// Whether a request that changes something carries this session's CSRF token.
    #[must_use]
    pub fn csrf_matches(&self, given: &str) -> bool {
        self.csrf_token.as_bytes().ct_eq(given.as_bytes()).into()
    }

    fn lives(&self, now: Timestamp) -> bool {
        self.ttl > now.as_second()
    }
}

/// A session is named by the hash of its token: whoever sees its name cannot sign in with it.
fn id(secret: &str) -> SessionId {
    SessionId::derived(&["session", secret])
}
