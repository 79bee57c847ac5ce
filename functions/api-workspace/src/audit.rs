//! `/v1/audit`

use app::App;
use app::audit::{self, Action, By, Entry};
use axum::extract::State;
use domain::id::AuditId;
use http_api::{Authenticated, Failure, Json, PageOut, PageQuery, Problem, Query};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// One act: who did what to what.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntryOut {
    #[schema(value_type = String, example = "au_0198c0de000070008000000000000001")]
    id: AuditId,
    #[schema(value_type = String, format = DateTime, example = "2026-11-25T09:30:00Z")]
    at: Timestamp,
    by: AuditorOut,
    /// What was done: `member.removed`, `api_key.created`, `campaign.started` and so on.
    #[schema(value_type = String, example = "member.role_changed")]
    action: Action,
    /// The id of what it was done to.
    #[schema(example = "us_0198c0de000070008000000000000002")]
    target: String,
    /// A few words more, such as the role that was given.
    #[schema(example = json!({"role": "admin"}))]
    details: std::collections::BTreeMap<String, String>,
}

/// Who did it: a person or an API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditorOut {
    /// `user` or `api_key`.
    #[schema(example = "user")]
    kind: &'static str,
    #[schema(example = "us_0198c0de000070008000000000000001")]
    id: String,
    /// A person's present name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Sari Wijaya")]
    name: Option<String>,
}

/// Lists who did what, newest first.
#[utoipa::path(get, path = "/v1/audit", operation_id = "list_audit", tag = "audit",
    security(("api_key" = []), ("session" = [])), params(PageQuery),
    responses((status = 200, body = PageOut<AuditEntryOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(page): Query<PageQuery>,
) -> Result<Json<PageOut<AuditEntryOut>>, Failure> {
    let page = audit::list(&app, &actor, page.into()).await?;
    Ok(Json(PageOut::of(page, AuditEntryOut::from)))
}

impl From<(Entry, Option<String>)> for AuditEntryOut {
    fn from((entry, name): (Entry, Option<String>)) -> Self {
        let (kind, id) = match entry.by {
            By::User(id) => ("user", id.to_string()),
            By::ApiKey(id) => ("api_key", id.to_string()),
        };
        Self {
            id: entry.id,
            at: entry.at,
            by: AuditorOut { kind, id, name },
            action: entry.action,
            target: entry.target,
            details: entry.details,
        }
    }
}
