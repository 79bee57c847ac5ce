//! `/v1/imports`: prepare, upload to the URL given, start, watch.

use std::collections::BTreeMap;

use app::App;
use app::import::{self, Import, ImportState, NewImport};
use app::ports::Presigned;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use domain::id::{GroupId, ImportId};
use domain::phone::Region;
use http_api::{
    Authenticated, Failure, Id, IdempotencyKey, Json, PageOut, PageQuery, Problem, Query,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportIn {
    #[schema(example = "contacts.csv")]
    file_name: String,
    /// The file's exact size in bytes, at most 100 MB.
    #[schema(minimum = 1)]
    size: u64,
    /// Where numbers without a country code are from.
    #[schema(value_type = Option<String>, example = "ID")]
    default_region: Option<Region>,
    /// Column header to `name`, `phone`, `email`, `groups`, `attributes.<key>` or `ignore`. Columns
    /// that are not named here are recognised by their header.
    #[serde(default)]
    mapping: BTreeMap<String, String>,
    /// Whether rows change contacts that exist already; otherwise they count as duplicates.
    #[serde(default)]
    update_existing: bool,
    /// Ids of groups that every contact joins which the import creates or updates.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    groups: Vec<GroupId>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ImportOut {
    #[schema(value_type = String)]
    id: ImportId,
    file_name: String,
    size: u64,
    /// `waiting`, `running`, `completed` or `failed`.
    #[schema(value_type = String)]
    state: ImportState,
    /// How much of the file is done.
    bytes_done: u64,
    /// How many rows are done, without the header.
    rows_done: u64,
    accepted: u64,
    updated: u64,
    duplicates: u64,
    invalid: u64,
    /// Why the import failed.
    reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// Where to put the file; only in the answer that prepares the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<Upload>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Upload {
    method: &'static str,
    url: String,
    /// Headers to send along.
    headers: BTreeMap<String, String>,
}

/// Prepares an import.
#[utoipa::path(post, path = "/v1/imports", operation_id = "create_import", tag = "imports",
    security(("api_key" = []), ("session" = [])), request_body = ImportIn,
    responses((status = 201, body = ImportOut), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<ImportIn>,
) -> Result<(StatusCode, Json<ImportOut>), Failure> {
    let ImportIn {
        file_name,
        size,
        default_region,
        mapping,
        update_existing,
        groups,
    } = body;
    let new = NewImport {
        file_name,
        size,
        default_region,
        mapping,
        update_existing,
        groups,
    };
    let (import, upload) = import::create(&app, &actor, new).await?;
    let out = ImportOut {
        upload: Some(upload.into()),
        ..import.into()
    };
    Ok((StatusCode::CREATED, Json(out)))
}

/// Starts the import of an uploaded file.
#[utoipa::path(post, path = "/v1/imports/{import}/start", operation_id = "start_import", tag = "imports",
    security(("api_key" = []), ("session" = [])), params(("import" = String, Path), IdempotencyKey),
    responses((status = 202, body = ImportOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn start(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ImportId>,
) -> Result<(StatusCode, Json<ImportOut>), Failure> {
    let import = import::start(&app, &actor, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(import.into())))
}

/// Lists imports, newest first.
#[utoipa::path(get, path = "/v1/imports", operation_id = "list_imports", tag = "imports",
    security(("api_key" = []), ("session" = [])), params(PageQuery),
    responses((status = 200, body = PageOut<ImportOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(page): Query<PageQuery>,
) -> Result<Json<PageOut<ImportOut>>, Failure> {
    let page = import::list(&app, &actor, &page.into()).await?;
    Ok(Json(PageOut::of(page, ImportOut::from)))
}

/// Reads an import and its progress.
#[utoipa::path(get, path = "/v1/imports/{import}", operation_id = "get_import", tag = "imports",
    security(("api_key" = []), ("session" = [])), params(("import" = String, Path)),
    responses((status = 200, body = ImportOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ImportId>,
) -> Result<Json<ImportOut>, Failure> {
    Ok(Json(import::get(&app, &actor, &id).await?.into()))
}

/// The rows that were not imported, as CSV: row, problem, field, reason, value.
#[utoipa::path(get, path = "/v1/imports/{import}/failed-rows", operation_id = "get_import_failed_rows", tag = "imports",
    security(("api_key" = []), ("session" = [])), params(("import" = String, Path)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "default", body = Problem)))]
pub(crate) async fn failed_rows(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ImportId>,
) -> Result<impl IntoResponse, Failure> {
    let csv = import::failed_rows(&app, &actor, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"failed-rows.csv\"",
        ),
    ];
    Ok((headers, csv))
}

impl From<Import> for ImportOut {
    fn from(import: Import) -> Self {
        Self {
            id: import.id,
            file_name: import.file_name,
            size: import.size,
            state: import.state,
            bytes_done: if import.state == ImportState::Completed {
                import.size
            } else {
                import.offset
            },
            rows_done: import.row.saturating_sub(1),
            accepted: import.accepted,
            updated: import.updated,
            duplicates: import.duplicates,
            invalid: import.invalid,
            reason: import.reason,
            created_at: import.created_at,
            finished_at: import.finished_at,
            upload: None,
        }
    }
}

impl From<Presigned> for Upload {
    fn from(presigned: Presigned) -> Self {
        Self {
            method: "PUT",
            url: presigned.url,
            headers: presigned.headers.into_iter().collect(),
        }
    }
}
