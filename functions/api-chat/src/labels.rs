//! `/v1/labels`

use app::App;
use app::label::{self, Label, LabelPatch};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::LabelId;
use http_api::{Authenticated, Failure, Id, Json, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelIn {
    /// 1 to 50 characters; two labels never have the same name, in whatever case.
    #[schema(example = "Complaint")]
    name: String,
    /// `#` and six hexadecimal digits.
    #[schema(example = "#12b76a")]
    colour: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelChange {
    #[schema(example = "Complaint")]
    name: Option<String>,
    #[schema(example = "#12b76a")]
    colour: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LabelOut {
    #[schema(value_type = String)]
    id: LabelId,
    #[schema(example = "Complaint")]
    name: String,
    #[schema(example = "#12b76a")]
    colour: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LabelsOut {
    items: Vec<LabelOut>,
}

/// Lists all labels of the workspace, by name.
#[utoipa::path(get, path = "/v1/labels", operation_id = "list_labels", tag = "labels",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = LabelsOut), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<LabelsOut>, Failure> {
    let labels = label::list(&app, &actor).await?.into_iter();
    let items = labels.map(LabelOut::from).collect();
    Ok(Json(LabelsOut { items }))
}

/// Creates a label.
#[utoipa::path(post, path = "/v1/labels", operation_id = "create_label", tag = "labels",
    security(("api_key" = []), ("session" = [])), request_body = LabelIn,
    responses((status = 201, body = LabelOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<LabelIn>,
) -> Result<(StatusCode, Json<LabelOut>), Failure> {
    let new = LabelPatch {
        name: Some(body.name),
        colour: body.colour,
    };
    let label = label::create(&app, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(label.into())))
}

/// Changes a label wherever it is.
#[utoipa::path(patch, path = "/v1/labels/{label}", operation_id = "update_label", tag = "labels",
    security(("api_key" = []), ("session" = [])), params(("label" = String, Path)), request_body = LabelChange,
    responses((status = 200, body = LabelOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<LabelId>,
    Json(body): Json<LabelChange>,
) -> Result<Json<LabelOut>, Failure> {
    let LabelChange { name, colour } = body;
    let patch = LabelPatch { name, colour };
    Ok(Json(label::update(&app, &actor, &id, patch).await?.into()))
}

/// Deletes a label. Chats that had it keep its id, which names nothing any more.
#[utoipa::path(delete, path = "/v1/labels/{label}", operation_id = "delete_label", tag = "labels",
    security(("api_key" = []), ("session" = [])), params(("label" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<LabelId>,
) -> Result<StatusCode, Failure> {
    label::delete(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Label> for LabelOut {
    fn from(label: Label) -> Self {
        let Label {
            id,
            name,
            colour,
            created_at,
        } = label;
        Self {
            id,
            name,
            colour,
            created_at,
        }
    }
}
