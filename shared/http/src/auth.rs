//! Who is asking. A handler that takes [`Authenticated`] acts for one workspace, because the proof of
//! it is the argument.

use app::session::Session;
use app::{Actor, App, Error, api_key, session};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::id::WorkspaceId;

use crate::{Failure, cookie};

/// The header that names the workspace of a session's request.
pub const WORKSPACE_HEADER: &str = "x-workspace";
/// The header that carries the CSRF token of a session.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// A member or an API key, acting for one workspace.
#[derive(Clone)]
pub struct Authenticated(pub Actor);

/// A signed-in person, whatever the workspace.
pub struct Person {
    pub token: String,
    pub session: Session,
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        // Whoever stands before the handler may have asked already.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        if let Some(header) = parts.headers.get(header::AUTHORIZATION) {
            let secret = header
                .to_str()
                .ok()
                .and_then(|value| value.split_once(' '))
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, secret)| secret);
            let secret = secret.ok_or(Error::Unauthenticated)?;
            return Ok(Self(api_key::authenticate(app, secret.trim()).await?));
        }
        let person = Person::from_request_parts(parts, app).await?;
        let asked = workspace(&parts.headers)?;
        Ok(Self(person.session.actor(app, asked).await?))
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = cookie::read(&app.config, &parts.headers)
            .ok_or(Error::Unauthenticated)?
            .to_owned();
        let session = session::find(app, &token).await?;
        if !parts.method.is_safe() {
            let given = parts
                .headers
                .get(CSRF_HEADER)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            if !session.csrf_matches(given) {
                return Err(Error::Forbidden {
                    needed: "the X-CSRF-Token header of this session",
                }
                .into());
            }
        }
        Ok(Self { token, session })
    }
}

fn workspace(headers: &HeaderMap) -> Result<Option<WorkspaceId>, Error> {
    let Some(header) = headers.get(WORKSPACE_HEADER) else {
        return Ok(None);
    };
    let id = header.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some)
        .ok_or_else(|| Error::not_found("the workspace"))
}
