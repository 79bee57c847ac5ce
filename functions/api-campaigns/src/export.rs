//! `/v1/campaigns/{campaign}/export`

use app::App;
use app::campaign::ExportState;
use app::campaign::export::{self, Export, ExportFile};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::CampaignId;
use http_api::{Authenticated, Failure, Id, Json, Problem};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct ExportOut {
    /// `running` or `completed`.
    #[schema(value_type = String)]
    state: ExportState,
    /// How many recipients are written so far.
    rows: u64,
    /// Once it is completed: CSV files of up to a hundred thousand recipients each.
    files: Vec<ExportFileOut>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ExportFileOut {
    name: String,
    /// Works for fifteen minutes; read the export again for a new one.
    url: String,
}

/// Begins to write the results of a campaign into CSV files: each recipient's number, name, status,
/// reason, message id, times and values of the variables. While an export is running there is no
/// other.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/export", operation_id = "export_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 202, body = ExportOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn start(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Result<(StatusCode, Json<ExportOut>), Failure> {
    let export = export::start(&app, &actor, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(out(&export, Vec::new()))))
}

/// Reads the last export of a campaign, with links to its files. They are kept for a week.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}/export", operation_id = "get_campaign_export", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 200, body = ExportOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Result<Json<ExportOut>, Failure> {
    let (export, files) = export::get(&app, &actor, &id).await?;
    Ok(Json(out(&export, files)))
}

fn out(export: &Export, files: Vec<ExportFile>) -> ExportOut {
    let files = files.into_iter();
    let files = files.map(|ExportFile { name, url }| ExportFileOut { name, url });
    ExportOut {
        state: export.state,
        rows: export.rows,
        files: files.collect(),
        created_at: export.created_at,
        finished_at: export.finished_at,
    }
}
