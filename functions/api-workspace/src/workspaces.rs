//! `/v1/workspaces`: those of the signed-in person.

use app::{App, member, session, workspace};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::WorkspaceId;
use http_api::{Failure, Id, Json, PageOut, Person, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::account::MembershipOut;
use crate::workspace::WorkspaceOut;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkspaceIn {
    #[schema(example = "Toko Sari Bandung")]
    name: String,
}

/// Creates a workspace that the signed-in person owns, and switches the session to it.
#[utoipa::path(post, path = "/v1/workspaces", operation_id = "create_workspace", tag = "workspace",
    security(("session" = [])), request_body = WorkspaceIn,
    responses((status = 201, body = WorkspaceOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    person: Person,
    Json(body): Json<WorkspaceIn>,
) -> Result<(StatusCode, Json<WorkspaceOut>), Failure> {
    let workspace = workspace::create(&app, &person.session, &body.name).await?;
    Ok((StatusCode::CREATED, Json(workspace.into())))
}

/// Lists the workspaces of the signed-in person, with their role in each.
#[utoipa::path(get, path = "/v1/workspaces", operation_id = "list_workspaces", tag = "workspace",
    security(("session" = [])),
    responses((status = 200, body = PageOut<MembershipOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    person: Person,
) -> Result<Json<PageOut<MembershipOut>>, Failure> {
    let workspaces = workspace::of_user(&app, &person.session.user).await?;
    let items = workspaces
        .into_iter()
        .map(|(workspace, role)| MembershipOut {
            id: workspace.id,
            name: workspace.name,
            role,
        });
    Ok(Json(PageOut {
        items: items.collect(),
        next: None,
    }))
}

/// Remembers the workspace for the session: requests without `X-Workspace` are for it from now on.
#[utoipa::path(post, path = "/v1/workspaces/{workspace}/switch", operation_id = "switch_workspace",
    tag = "workspace", security(("session" = [])), params(("workspace" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn switch(
    State(app): State<App>,
    person: Person,
    Id(id): Id<WorkspaceId>,
) -> Result<StatusCode, Failure> {
    session::switch(&app, &person.session, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leaves a workspace. The last owner cannot.
#[utoipa::path(post, path = "/v1/workspaces/{workspace}/leave", operation_id = "leave_workspace",
    tag = "workspace", security(("session" = [])), params(("workspace" = String, Path)),
    responses((status = 204), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn leave(
    State(app): State<App>,
    person: Person,
    Id(id): Id<WorkspaceId>,
) -> Result<StatusCode, Failure> {
    let actor = person.session.actor(&app, Some(id)).await?;
    member::leave(&app, &person.session, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
