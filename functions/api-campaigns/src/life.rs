//! `/v1/campaigns/{campaign}/…`: what is asked of a campaign during its life.

use app::campaign::{self, Campaign};
use app::{Actor, App, Error};
use axum::extract::State;
use axum::http::StatusCode;
use domain::campaign::AudienceForm;
use domain::id::CampaignId;
use domain::template::{HeaderInput, Mapping};
use http_api::{Authenticated, Failure, Id, IdempotencyKey, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::campaigns::{CampaignOut, out};

/// What is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignChange {
    #[schema(example = "November offers")]
    name: Option<String>,
    /// The id of an approved template of the channel's account.
    template: Option<String>,
    /// Who gets it, as when a campaign is made.
    #[schema(value_type = Option<Object>)]
    audience: Option<AudienceForm>,
    /// A source for each variable of the template.
    #[schema(value_type = Option<Object>)]
    variables: Option<Mapping>,
    /// What stands at the top of the message; another template takes one of its own.
    #[schema(value_type = Option<Object>)]
    header: Option<HeaderInput>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleIn {
    /// When to start: a time in the workspace's time zone, or one with its own offset.
    #[schema(example = "2026-12-01T09:00")]
    at: String,
}

type Accepted = Result<(StatusCode, Json<CampaignOut>), Failure>;

/// Changes a campaign that has not started.
#[utoipa::path(patch, path = "/v1/campaigns/{campaign}", operation_id = "update_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)), request_body = CampaignChange,
    responses((status = 200, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Json(body): Json<CampaignChange>,
) -> Result<Json<CampaignOut>, Failure> {
    let CampaignChange {
        name,
        template,
        audience,
        variables,
        header,
    } = body;
    let edit = campaign::Edit {
        name,
        template,
        audience,
        variables,
        header,
    };
    let campaign = campaign::edit(&app, &actor, &id, edit).await?;
    Ok(Json(out(&app, &actor, campaign).await?))
}

/// Sets the time at which a campaign starts by itself, within a minute. A second call moves it.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/schedule", operation_id = "schedule_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)), request_body = ScheduleIn,
    responses((status = 200, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn schedule(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Json(body): Json<ScheduleIn>,
) -> Result<Json<CampaignOut>, Failure> {
    let campaign = campaign::schedule(&app, &actor, &id, &body.at).await?;
    Ok(Json(out(&app, &actor, campaign).await?))
}

/// Makes a scheduled campaign a draft again.
#[utoipa::path(delete, path = "/v1/campaigns/{campaign}/schedule", operation_id = "unschedule_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 200, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn unschedule(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignOut>, Failure> {
    let campaign = campaign::unschedule(&app, &actor, &id).await?;
    Ok(Json(out(&app, &actor, campaign).await?))
}

/// Starts a campaign. It starts once: a second call is refused with `wrong_state`.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/start", operation_id = "start_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), IdempotencyKey),
    responses((status = 202, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn start(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Accepted {
    accepted(&app, &actor, campaign::start(&app, &actor, &id).await).await
}

/// Pauses a campaign. It is `pausing` until what is in flight has arrived, then `paused`.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/pause", operation_id = "pause_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 202, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn pause(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Accepted {
    accepted(&app, &actor, campaign::pause(&app, &actor, &id).await).await
}

/// Lets a paused campaign go on with those who were not sent to.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/resume", operation_id = "resume_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 202, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn resume(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Accepted {
    accepted(&app, &actor, campaign::resume(&app, &actor, &id).await).await
}

/// Ends a campaign for good. Who was not sent to stays `pending`.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/cancel", operation_id = "cancel_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 202, body = CampaignOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn cancel(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Accepted {
    accepted(&app, &actor, campaign::cancel(&app, &actor, &id).await).await
}

async fn accepted(app: &App, actor: &Actor, changed: Result<Campaign, Error>) -> Accepted {
    Ok((StatusCode::ACCEPTED, Json(out(app, actor, changed?).await?)))
}
