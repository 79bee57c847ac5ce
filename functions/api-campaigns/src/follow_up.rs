//! `/v1/campaigns/{campaign}/clone`, `…/retry` and `…/follow-up`: a new draft like an earlier campaign, or
//! for its recipients.

use app::App;
use app::campaign::{self, FollowUp};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::CampaignId;
use domain::template::{HeaderInput, Mapping};
use http_api::{Authenticated, Failure, Id, IdempotencyKey, Json, Once, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::campaigns::{CampaignOut, out};

/// What is absent stays as in the earlier campaign.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FollowUpIn {
    name: Option<String>,
    /// The id of another approved template, which takes variables and a header of its own.
    template: Option<String>,
    #[schema(value_type = Option<Object>)]
    variables: Option<Mapping>,
    #[schema(value_type = Option<Object>)]
    header: Option<HeaderInput>,
}

/// Creates a draft with the same content, audience and channel, whatever the campaign's state.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/clone", operation_id = "clone_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), IdempotencyKey),
    responses((status = 201, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn clone(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Once(once): Once,
) -> Result<(StatusCode, Json<CampaignOut>), Failure> {
    let campaign = campaign::clone(&app, &actor, &id, &once).await?;
    Ok((
        StatusCode::CREATED,
        Json(out(&app, &actor, campaign).await?),
    ))
}

/// Creates a draft for those whose message failed for a reason that may have passed, with the same
/// content. What WhatsApp held back because a person gets many marketing messages counts after 24
/// hours. The pre-flight of the draft says who qualifies.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/retry", operation_id = "retry_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), IdempotencyKey),
    responses((status = 201, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn retry(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Once(once): Once,
) -> Result<(StatusCode, Json<CampaignOut>), Failure> {
    let campaign = campaign::retry(&app, &actor, &id, &once).await?;
    Ok((
        StatusCode::CREATED,
        Json(out(&app, &actor, campaign).await?),
    ))
}

/// Creates a draft for those who replied to a campaign. Without a body it has the same content.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/follow-up", operation_id = "follow_up_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), IdempotencyKey),
    request_body = Option<FollowUpIn>,
    responses((status = 201, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn follow_up(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Once(once): Once,
    body: Option<Json<FollowUpIn>>,
) -> Result<(StatusCode, Json<CampaignOut>), Failure> {
    let FollowUpIn {
        name,
        template,
        variables,
        header,
    } = body.map(|Json(body)| body).unwrap_or_default();
    let with = FollowUp {
        name,
        template,
        variables,
        header,
    };
    let campaign = campaign::follow_up(&app, &actor, &id, with, &once).await?;
    Ok((
        StatusCode::CREATED,
        Json(out(&app, &actor, campaign).await?),
    ))
}
