//! `/v1/inbox/assignment`

use std::collections::BTreeSet;

use app::App;
use app::assignment::{self, Assignment};
use axum::extract::State;
use domain::id::UserId;
use http_api::{Authenticated, Failure, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentBody {
    /// Whether a chat that nobody is to answer is assigned to a member who is at a screen, each in turn, when the
    /// person writes. `false` until it is set.
    active: bool,
    /// Ids of the members who take part; everybody who may write in chats when empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!([]))]
    members: BTreeSet<UserId>,
}

/// Reads how chats are assigned by themselves.
#[utoipa::path(get, path = "/v1/inbox/assignment", operation_id = "get_assignment", tag = "inbox",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = AssignmentBody), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<AssignmentBody>, Failure> {
    Ok(Json(assignment::get(&app, &actor).await?.into()))
}

/// Sets how chats are assigned by themselves.
#[utoipa::path(put, path = "/v1/inbox/assignment", operation_id = "set_assignment", tag = "inbox",
    security(("api_key" = []), ("session" = [])), request_body = AssignmentBody,
    responses((status = 200, body = AssignmentBody), (status = "default", body = Problem)))]
pub(crate) async fn set(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<AssignmentBody>,
) -> Result<Json<AssignmentBody>, Failure> {
    let AssignmentBody { active, members } = body;
    let new = Assignment { active, members };
    Ok(Json(assignment::set(&app, &actor, new).await?.into()))
}

impl From<Assignment> for AssignmentBody {
    fn from(assignment: Assignment) -> Self {
        let Assignment { active, members } = assignment;
        Self { active, members }
    }
}
