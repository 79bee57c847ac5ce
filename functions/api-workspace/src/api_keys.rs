//! `/v1/api-keys`

use app::App;
use app::api_key::{self, ApiKey, NewApiKey};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::ApiKeyId;
use domain::workspace::Permission;
use http_api::{Authenticated, Failure, Id, Json, PageOut, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyIn {
    #[schema(example = "Web shop")]
    name: String,
    #[schema(value_type = Vec<String>, example = json!(["contacts:read", "campaigns:write"]))]
    scopes: Vec<Permission>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyOut {
    #[schema(value_type = String)]
    id: ApiKeyId,
    name: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Permission>,
    /// The last four characters of the key.
    hint: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The key itself; only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyChange {
    #[schema(example = "Web shop")]
    name: String,
}

/// Creates an API key.
#[utoipa::path(post, path = "/v1/api-keys", operation_id = "create_api_key", tag = "api keys",
    security(("api_key" = []), ("session" = [])), request_body = ApiKeyIn,
    responses((status = 201, body = ApiKeyOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<ApiKeyIn>,
) -> Result<(StatusCode, Json<ApiKeyOut>), Failure> {
    let ApiKeyIn {
        name,
        scopes,
        expires_at,
    } = body;
    let (key, secret) = api_key::create(
        &app,
        &actor,
        NewApiKey {
            name,
            scopes,
            expires_at,
        },
    )
    .await?;
    Ok((
        StatusCode::CREATED,
        Json(ApiKeyOut {
            secret: Some(secret),
            ..key.into()
        }),
    ))
}

/// Lists API keys.
#[utoipa::path(get, path = "/v1/api-keys", operation_id = "list_api_keys", tag = "api keys",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = PageOut<ApiKeyOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<PageOut<ApiKeyOut>>, Failure> {
    let keys = api_key::list(&app, &actor).await?;
    Ok(Json(PageOut {
        items: keys.into_iter().map(ApiKeyOut::from).collect(),
        next: None,
    }))
}

/// Renames an API key.
#[utoipa::path(patch, path = "/v1/api-keys/{api_key}", operation_id = "rename_api_key", tag = "api keys",
    security(("api_key" = []), ("session" = [])), params(("api_key" = String, Path)), request_body = ApiKeyChange,
    responses((status = 200, body = ApiKeyOut), (status = "default", body = Problem)))]
pub(crate) async fn rename(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ApiKeyId>,
    Json(body): Json<ApiKeyChange>,
) -> Result<Json<ApiKeyOut>, Failure> {
    let key = api_key::rename(&app, &actor, &id, &body.name).await?;
    Ok(Json(key.into()))
}

/// Revokes an API key at once.
#[utoipa::path(delete, path = "/v1/api-keys/{api_key}", operation_id = "revoke_api_key", tag = "api keys",
    security(("api_key" = []), ("session" = [])), params(("api_key" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, Failure> {
    api_key::revoke(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ApiKey> for ApiKeyOut {
    fn from(key: ApiKey) -> Self {
        let ApiKey {
            id,
            name,
            scopes,
            hint,
            created_at,
            expires_at,
            last_used_at,
            ..
        } = key;
        Self {
            id,
            name,
            scopes,
            hint,
            created_at,
            expires_at,
            last_used_at,
            secret: None,
        }
    }
}
