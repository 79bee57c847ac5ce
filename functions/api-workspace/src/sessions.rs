//! `/v1/sessions`: where a person is signed in.

use app::App;
use app::session::{self, Session};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::SessionId;
use http_api::{Failure, Id, Json, PageOut, Person, Problem};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionOut {
    #[schema(value_type = String, example = "se_0198c0de000070008000000000000001")]
    id: SessionId,
    /// Whether this is the session that asks.
    #[schema(example = true)]
    current: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-11-25T09:30:00Z")]
    created_at: Timestamp,
    /// To the hour.
    #[schema(value_type = String, format = DateTime, example = "2026-11-25T09:30:00Z")]
    last_used_at: Timestamp,
    /// The browser's own words about itself.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64)")]
    user_agent: Option<String>,
    /// The address it was begun from.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
}

/// Lists where the signed-in person is signed in, the newest first.
#[utoipa::path(get, path = "/v1/sessions", operation_id = "list_sessions", tag = "account",
    security(("session" = [])),
    responses((status = 200, body = PageOut<SessionOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    person: Person,
) -> Result<Json<PageOut<SessionOut>>, Failure> {
    let own = &person.session.id;
    let sessions = session::list(&app, &person.session).await?;
    let out = |session: Session| SessionOut {
        current: session.id == *own,
        id: session.id,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        user_agent: session.device.user_agent,
        address: session.device.address,
    };
    Ok(Json(PageOut {
        items: sessions.into_iter().map(out).collect(),
        next: None,
    }))
}

/// Ends every session of the signed-in person but this one.
#[utoipa::path(delete, path = "/v1/sessions", operation_id = "end_other_sessions", tag = "account",
    security(("session" = [])),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn end_others(
    State(app): State<App>,
    person: Person,
) -> Result<StatusCode, Failure> {
    session::end_others(&app, &person.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session of the signed-in person.
#[utoipa::path(delete, path = "/v1/sessions/{session}", operation_id = "end_session", tag = "account",
    security(("session" = [])), params(("session" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn end(
    State(app): State<App>,
    person: Person,
    Id(id): Id<SessionId>,
) -> Result<StatusCode, Failure> {
    session::end(&app, &person.session, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
