//! Sessions of people: a random token in a cookie, of which only the hash is stored.

use domain::id::{UserId, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::actor::Who;
use crate::store::Write;
use crate::{Actor, App, Error, secret, workspace};

/// How long a session lives.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 30);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    pub user: UserId,
    /// The workspace that requests without an explicit one are for.
    pub workspace: Option<WorkspaceId>,
    pub csrf_token: String,
    pub created_at: Timestamp,
    /// Unix seconds; DynamoDB deletes expired items some time later, so it is checked as well.
    ttl: i64,
}

/// A session with the only copy of its token.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub token: String,
    pub session: Session,
}

/// # Errors
/// The store cannot be written.
pub async fn create(
    app: &App,
    user: &UserId,
    workspace: Option<WorkspaceId>,
) -> Result<NewSession, Error> {
    let token = secret::random_token();
    let session = Session {
        user: user.clone(),
        workspace,
        csrf_token: secret::random_token(),
        created_at: app.now(),
        ttl: (app.now() + LIFETIME).as_second(),
    };
    let key = app.store.session(&secret::token_hash(&token));
    app.store.write(Write::put(key, &session)?).await?;
    Ok(NewSession { token, session })
}

/// # Errors
/// The token is not that of a living session.
pub async fn find(app: &App, token: &str) -> Result<Session, Error> {
    let session: Option<Session> = app
        .store
        .get(&app.store.session(&secret::token_hash(token)))
        .await?;
    session
        .filter(|session| session.ttl > app.now().as_second())
        .ok_or(Error::Unauthenticated)
}

/// # Errors
/// The store cannot be written.
pub async fn end(app: &App, token: &str) -> Result<(), Error> {
    app.store
        .write(Write::delete(app.store.session(&secret::token_hash(token))))
        .await?;
    Ok(())
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
}
