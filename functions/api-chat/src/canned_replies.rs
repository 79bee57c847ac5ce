//! `/v1/canned-replies`

use app::App;
use app::canned_reply::{self, CannedReply, Change, Filled};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{CannedReplyId, ChatId};
use http_api::{Authenticated, Failure, Id, Json, PageOut, PageQuery, Problem, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CannedReplyIn {
    /// 1 to 40 letters, digits, hyphens and underscores, without the slash; kept in lower case. No two are
    /// the same.
    #[schema(example = "thanks")]
    shortcut: String,
    /// 1 to 4096 characters. `{{contact.name}}`, `{{contact.first_name}}`, `{{contact.phone}}`,
    /// `{{contact.email}}`, `{{contact.attributes.…}}` and `{{agent.name}}` are filled; what stands after a
    /// bar is used when there is no value: `{{contact.first_name | friend}}`.
    #[schema(example = "Thank you, {{contact.first_name | friend}}!")]
    text: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CannedReplyChange {
    #[schema(example = "thanks")]
    shortcut: Option<String>,
    #[schema(example = "Thank you, {{contact.first_name | friend}}!")]
    text: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CannedReplyOut {
    #[schema(value_type = String)]
    id: CannedReplyId,
    #[schema(example = "thanks")]
    shortcut: String,
    #[schema(example = "Thank you, {{contact.first_name | friend}}!")]
    text: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CannedReplyQuery {
    /// What the shortcut begins with, in whatever case.
    #[serde(default)]
    shortcut: String,
    /// How many items, 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenderIn {
    /// The chat whose person it is for.
    #[schema(value_type = String)]
    chat: ChatId,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RenderedReplyOut {
    /// What has no value stands in it as it was written.
    #[schema(example = "Thank you, Sari!")]
    text: String,
    /// The variables without a value.
    #[schema(example = json!(["contact.email"]))]
    missing: Vec<String>,
}

/// Lists canned replies in the order of their shortcuts.
#[utoipa::path(get, path = "/v1/canned-replies", operation_id = "list_canned_replies", tag = "canned replies",
    security(("api_key" = []), ("session" = [])), params(CannedReplyQuery),
    responses((status = 200, body = PageOut<CannedReplyOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(query): Query<CannedReplyQuery>,
) -> Result<Json<PageOut<CannedReplyOut>>, Failure> {
    let CannedReplyQuery {
        shortcut,
        limit,
        cursor,
    } = query;
    let page = PageQuery { limit, cursor }.into();
    let page = canned_reply::list(&app, &actor, &shortcut, &page).await?;
    Ok(Json(PageOut::of(page, CannedReplyOut::from)))
}

/// Creates a canned reply.
#[utoipa::path(post, path = "/v1/canned-replies", operation_id = "create_canned_reply", tag = "canned replies",
    security(("api_key" = []), ("session" = [])), request_body = CannedReplyIn,
    responses((status = 201, body = CannedReplyOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<CannedReplyIn>,
) -> Result<(StatusCode, Json<CannedReplyOut>), Failure> {
    let reply = canned_reply::create(&app, &actor, &body.shortcut, &body.text).await?;
    Ok((StatusCode::CREATED, Json(reply.into())))
}

/// Reads a canned reply.
#[utoipa::path(get, path = "/v1/canned-replies/{canned_reply}", operation_id = "get_canned_reply", tag = "canned replies",
    security(("api_key" = []), ("session" = [])), params(("canned_reply" = String, Path)),
    responses((status = 200, body = CannedReplyOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CannedReplyId>,
) -> Result<Json<CannedReplyOut>, Failure> {
    Ok(Json(canned_reply::get(&app, &actor, &id).await?.into()))
}

/// Changes a canned reply.
#[utoipa::path(patch, path = "/v1/canned-replies/{canned_reply}", operation_id = "update_canned_reply", tag = "canned replies",
    security(("api_key" = []), ("session" = [])), params(("canned_reply" = String, Path)), request_body = CannedReplyChange,
    responses((status = 200, body = CannedReplyOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CannedReplyId>,
    Json(body): Json<CannedReplyChange>,
) -> Result<Json<CannedReplyOut>, Failure> {
    let CannedReplyChange { shortcut, text } = body;
    let change = Change { shortcut, text };
    let reply = canned_reply::update(&app, &actor, &id, change).await?;
    Ok(Json(reply.into()))
}

/// Deletes a canned reply. What was said with it stays.
#[utoipa::path(delete, path = "/v1/canned-replies/{canned_reply}", operation_id = "delete_canned_reply", tag = "canned replies",
    security(("api_key" = []), ("session" = [])), params(("canned_reply" = String, Path)),
    responses((status = 204), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CannedReplyId>,
) -> Result<StatusCode, Failure> {
    canned_reply::delete(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Fills a canned reply for a chat, and sends nothing. A variable without a value and a fallback stays in the
/// text as it was written, and is named.
#[utoipa::path(post, path = "/v1/canned-replies/{canned_reply}/render", operation_id = "render_canned_reply", tag = "canned replies",
    security(("api_key" = []), ("session" = [])), params(("canned_reply" = String, Path)), request_body = RenderIn,
    responses((status = 200, body = RenderedReplyOut), (status = "default", body = Problem)))]
pub(crate) async fn render(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CannedReplyId>,
    Json(body): Json<RenderIn>,
) -> Result<Json<RenderedReplyOut>, Failure> {
    let Filled { text, missing } = canned_reply::render(&app, &actor, &id, &body.chat).await?;
    Ok(Json(RenderedReplyOut { text, missing }))
}

impl From<CannedReply> for CannedReplyOut {
    fn from(reply: CannedReply) -> Self {
        Self {
            id: reply.id,
            shortcut: reply.shortcut,
            text: reply.text,
            created_at: reply.created_at,
            updated_at: reply.updated_at,
        }
    }
}
