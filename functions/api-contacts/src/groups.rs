//! `/v1/groups`

use app::App;
use app::group::{self, Group};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::GroupId;
use http_api::{Authenticated, Failure, Id, Json, PageOut, PageQuery, Problem, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupIn {
    #[schema(example = "Customers")]
    name: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct GroupOut {
    #[schema(value_type = String)]
    id: GroupId,
    name: String,
    /// How many contacts are in the group.
    members: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Creates a group.
#[utoipa::path(post, path = "/v1/groups", operation_id = "create_group", tag = "groups",
    security(("api_key" = []), ("session" = [])), request_body = GroupIn,
    responses((status = 201, body = GroupOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<GroupIn>,
) -> Result<(StatusCode, Json<GroupOut>), Failure> {
    let group = group::create(&app, &actor, &body.name).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}

/// Lists groups.
#[utoipa::path(get, path = "/v1/groups", operation_id = "list_groups", tag = "groups",
    security(("api_key" = []), ("session" = [])), params(PageQuery),
    responses((status = 200, body = PageOut<GroupOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(page): Query<PageQuery>,
) -> Result<Json<PageOut<GroupOut>>, Failure> {
    let page = group::list(&app, &actor, &page.into()).await?;
    Ok(Json(PageOut::of(page, GroupOut::from)))
}

/// Reads a group.
#[utoipa::path(get, path = "/v1/groups/{group}", operation_id = "get_group", tag = "groups",
    security(("api_key" = []), ("session" = [])), params(("group" = String, Path)),
    responses((status = 200, body = GroupOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<GroupId>,
) -> Result<Json<GroupOut>, Failure> {
    Ok(Json(group::get(&app, &actor, &id).await?.into()))
}

/// Renames a group.
#[utoipa::path(patch, path = "/v1/groups/{group}", operation_id = "rename_group", tag = "groups",
    security(("api_key" = []), ("session" = [])), params(("group" = String, Path)), request_body = GroupIn,
    responses((status = 200, body = GroupOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn rename(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<GroupId>,
    Json(body): Json<GroupIn>,
) -> Result<Json<GroupOut>, Failure> {
    Ok(Json(
        group::rename(&app, &actor, &id, &body.name).await?.into(),
    ))
}

/// Deletes a group; its contacts stay.
#[utoipa::path(delete, path = "/v1/groups/{group}", operation_id = "delete_group", tag = "groups",
    security(("api_key" = []), ("session" = [])), params(("group" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<GroupId>,
) -> Result<StatusCode, Failure> {
    group::delete(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Group> for GroupOut {
    fn from(group: Group) -> Self {
        let Group {
            id,
            name,
            members,
            created_at,
        } = group;
        Self {
            id,
            name,
            members,
            created_at,
        }
    }
}
