//! `/v1/workspace`: the workspace of the request.

use app::App;
use app::workspace::{self, Change, Workspace};
use axum::extract::State;
use domain::id::WorkspaceId;
use http_api::{Authenticated, Failure, Json, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkspaceChange {
    #[schema(example = "Toko Sari")]
    name: Option<String>,
    /// An IANA name, in which times without an offset are meant.
    #[schema(example = "Asia/Jakarta")]
    time_zone: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkspaceOut {
    #[schema(value_type = String, example = "ws_0198c0de000070008000000000000001")]
    id: WorkspaceId,
    #[schema(example = "Toko Sari")]
    name: String,
    #[schema(example = "Asia/Jakarta")]
    time_zone: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Workspace> for WorkspaceOut {
    fn from(workspace: Workspace) -> Self {
        Self {
            id: workspace.id,
            name: workspace.name,
            time_zone: workspace.time_zone.as_str().to_owned(),
            created_at: workspace.created_at,
        }
    }
}

/// Reads the workspace.
#[utoipa::path(get, path = "/v1/workspace", operation_id = "get_workspace", tag = "workspace",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = WorkspaceOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<WorkspaceOut>, Failure> {
    Ok(Json(workspace::get(&app, &actor.workspace).await?.into()))
}

/// Changes the workspace; what is absent stays. Campaigns that are scheduled keep their instant.
#[utoipa::path(patch, path = "/v1/workspace", operation_id = "update_workspace", tag = "workspace",
    security(("api_key" = []), ("session" = [])), request_body = WorkspaceChange,
    responses((status = 200, body = WorkspaceOut), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<WorkspaceChange>,
) -> Result<Json<WorkspaceOut>, Failure> {
    let WorkspaceChange { name, time_zone } = body;
    let change = Change { name, time_zone };
    Ok(Json(workspace::update(&app, &actor, change).await?.into()))
}
