//! `/v1/campaigns/{campaign}/retry`: a new draft for recipients of an earlier campaign.

use app::App;
use app::campaign;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::CampaignId;
use http_api::{Authenticated, Failure, Id, Json, Problem};

use crate::campaigns::{CampaignOut, out};

/// Creates a draft for those whose message failed for a reason that may have passed, with the same
/// content. What WhatsApp held back because a person gets many marketing messages counts after 24
/// hours. The pre-flight of the draft says who qualifies.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/retry", operation_id = "retry_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 201, body = CampaignOut), (status = "default", body = Problem)))]
pub(crate) async fn retry(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Result<(StatusCode, Json<CampaignOut>), Failure> {
    let campaign = campaign::retry(&app, &actor, &id).await?;
    Ok((
        StatusCode::CREATED,
        Json(out(&app, &actor, campaign).await?),
    ))
}
