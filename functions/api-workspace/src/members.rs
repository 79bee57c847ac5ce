//! `/v1/members`: the people of a workspace.

use app::App;
use app::member::{self, Member};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::UserId;
use domain::workspace::Role;
use http_api::{Authenticated, Failure, Id, Json, PageOut, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct MemberOut {
    /// The person's id, which is the same in every workspace.
    #[schema(value_type = String, example = "us_0198c0de000070008000000000000001")]
    id: UserId,
    #[schema(example = "Sari Wijaya")]
    name: String,
    #[schema(example = "sari@example.com")]
    email: String,
    /// `owner`, `admin` or `agent`.
    #[schema(value_type = String, example = "admin")]
    role: Role,
    #[schema(value_type = String, format = DateTime, example = "2026-11-25T09:30:00Z")]
    joined_at: Timestamp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// `owner`, `admin` or `agent`. Only owners make owners.
    #[schema(value_type = String, example = "admin")]
    role: Role,
}

/// Lists the members.
#[utoipa::path(get, path = "/v1/members", operation_id = "list_members", tag = "members",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = PageOut<MemberOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<PageOut<MemberOut>>, Failure> {
    let members = member::list(&app, &actor).await?;
    Ok(Json(PageOut {
        items: members.into_iter().map(MemberOut::from).collect(),
        next: None,
    }))
}

/// Gives a member another role, at once. A workspace keeps one owner at least. API keys that the member
/// made and that do more than the new role may are revoked.
#[utoipa::path(patch, path = "/v1/members/{member}", operation_id = "update_member", tag = "members",
    security(("api_key" = []), ("session" = [])), params(("member" = String, Path)),
    request_body = MemberChange,
    responses((status = 200, body = MemberOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<UserId>,
    Json(body): Json<MemberChange>,
) -> Result<Json<MemberOut>, Failure> {
    let member = member::change_role(&app, &actor, &id, body.role).await?;
    Ok(Json(member.into()))
}

/// Removes a member, at once. The API keys that they made are revoked, and so are their invitations.
#[utoipa::path(delete, path = "/v1/members/{member}", operation_id = "remove_member", tag = "members",
    security(("api_key" = []), ("session" = [])), params(("member" = String, Path)),
    responses((status = 204), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn remove(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<UserId>,
) -> Result<StatusCode, Failure> {
    member::remove(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Member> for MemberOut {
    fn from(member: Member) -> Self {
        Self {
            id: member.user,
            name: member.name,
            email: member.email,
            role: member.role,
            joined_at: member.joined_at,
        }
    }
}
