//! `/v1/campaigns`

use app::campaign::{self, Campaign, NewCampaign, Stats};
use app::{Actor, App, Error};
use axum::extract::State;
use axum::http::StatusCode;
use domain::campaign::{Audience, AudienceForm, State as CampaignState};
use domain::id::{CampaignId, ChannelId};
use domain::template::{HeaderContent, HeaderInput, Mapping};
use http_api::{
    Authenticated, Failure, Id, IdempotencyKey, Json, Once, PageOut, PageQuery, Problem, Query,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignIn {
    #[schema(example = "November offers")]
    name: String,
    /// The channel to send from.
    #[schema(value_type = String)]
    channel: ChannelId,
    /// The id of an approved template of the channel's account.
    template: String,
    /// Who gets it, each person once: groups and single contacts together, or all contacts, narrowed by
    /// a filter whose conditions must all hold; or `{"campaign": "cp_…", "outcome": "failed"}` for the
    /// recipients of an earlier campaign whose failure may have passed, or `replied` for who wrote back. A condition looks at a `field`
    /// (`name`, `phone`, `email`, `created_at`) or an `attribute` and has one test: `is`, `is_not`,
    /// `contains`, `starts_with`, `exists`, `before` or `after`.
    #[schema(value_type = Object, example = json!({
        "groups": ["gr_…"], "contacts": ["ct_…"],
        "filter": [{"attribute": "city", "is": "Bandung"}, {"field": "created_at", "after": "2026-11-01"}]
    }))]
    audience: AudienceForm,
    /// A source for each variable of the template: a fixed text, a field of the contact, or an attribute.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({
        "body.1": {"from": "field", "field": "first_name", "fallback": "there"},
        "body.2": {"from": "attribute", "key": "company", "fallback": "your company"},
        "body.3": {"from": "text", "value": "Friday"}
    }))]
    variables: Mapping,
    /// What stands at the top of the message, when the template has a picture, video or document there:
    /// a `link` that WhatsApp fetches, or the id of an uploaded `media`; a document has a `file_name`.
    /// For a template with a place: `latitude`, `longitude`, `name` and `address`.
    #[schema(value_type = Option<Object>, example = json!({"link": "https://shop.example/menu.jpg"}))]
    header: Option<HeaderInput>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignOut {
    #[schema(value_type = String)]
    id: CampaignId,
    name: String,
    /// `draft`, `scheduled`, `preparing`, `sending`, `pausing`, `paused`, `completed`, `cancelled`, `failed`.
    #[schema(value_type = String)]
    state: CampaignState,
    /// Why the campaign stopped by itself.
    reason: Option<String>,
    #[schema(value_type = String)]
    channel: ChannelId,
    template: TemplateRef,
    #[schema(value_type = Object)]
    audience: Audience,
    #[schema(value_type = Object)]
    variables: Mapping,
    #[schema(value_type = Option<Object>)]
    header: Option<HeaderContent>,
    statistics: StatisticsOut,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it starts by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    scheduled_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateRef {
    id: String,
    name: String,
    language: String,
}

/// `recipients` is always the sum of `pending`, `sent`, `failed`, `excluded` and `unknown`; `sent`
/// includes `delivered`, which includes `read`.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatisticsOut {
    recipients: i64,
    pending: i64,
    sent: i64,
    delivered: i64,
    read: i64,
    failed: i64,
    excluded: i64,
    /// May have been sent: the call to WhatsApp ended without a clear answer.
    unknown: i64,
    /// Wrote back; counted under their status as well.
    replied: i64,
    /// Messages a second since sending began.
    rate_per_second: f64,
    /// How long the pending ones will take; absent when nothing is being sent.
    seconds_left: Option<u64>,
    /// Until when WhatsApp's limit of new people in 24 hours holds the campaign up.
    #[schema(value_type = Option<String>, format = DateTime)]
    limited_until: Option<Timestamp>,
}

/// Creates a draft.
#[utoipa::path(post, path = "/v1/campaigns", operation_id = "create_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(IdempotencyKey), request_body = CampaignIn,
    responses((status = 201, body = CampaignOut), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Once(once): Once,
    Json(body): Json<CampaignIn>,
) -> Result<(StatusCode, Json<CampaignOut>), Failure> {
    let CampaignIn {
        name,
        channel,
        template,
        audience,
        variables,
        header,
    } = body;
    let new = NewCampaign {
        name,
        channel,
        template,
        audience,
        variables,
        header,
    };
    let campaign = campaign::create(&app, &actor, new, &once).await?;
    Ok((
        StatusCode::CREATED,
        Json(out(&app, &actor, campaign).await?),
    ))
}

/// Lists campaigns, newest first.
#[utoipa::path(get, path = "/v1/campaigns", operation_id = "list_campaigns", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(PageQuery),
    responses((status = 200, body = PageOut<CampaignOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(page): Query<PageQuery>,
) -> Result<Json<PageOut<CampaignOut>>, Failure> {
    let page = campaign::list(&app, &actor, &page.into()).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for campaign in page.items {
        items.push(out(&app, &actor, campaign).await?);
    }
    Ok(Json(PageOut {
        items,
        next: page.next,
    }))
}

/// Reads a campaign with its live figures.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}", operation_id = "get_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 200, body = CampaignOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignOut>, Failure> {
    let campaign = campaign::get(&app, &actor, &id).await?;
    Ok(Json(out(&app, &actor, campaign).await?))
}

/// Deletes a campaign that never started.
#[utoipa::path(delete, path = "/v1/campaigns/{campaign}", operation_id = "delete_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path)),
    responses((status = 204), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
) -> Result<StatusCode, Failure> {
    campaign::delete(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn out(
    app: &App,
    actor: &Actor,
    campaign: Campaign,
) -> Result<CampaignOut, Error> {
    let Stats {
        counters,
        rate_per_second,
        seconds_left,
        limited_until,
    } = campaign::stats(app, actor, &campaign).await?;
    Ok(CampaignOut {
        id: campaign.id,
        name: campaign.name,
        state: campaign.state,
        reason: campaign.reason,
        channel: campaign.channel,
        template: TemplateRef {
            id: campaign.template.id,
            name: campaign.template.name,
            language: campaign.template.language,
        },
        audience: campaign.audience,
        variables: campaign.variables,
        header: campaign.header,
        statistics: StatisticsOut {
            recipients: counters.recipients,
            pending: counters.pending,
            sent: counters.sent,
            delivered: counters.delivered,
            read: counters.read,
            failed: counters.failed,
            excluded: counters.excluded,
            unknown: counters.unknown,
            replied: counters.replied,
            rate_per_second,
            seconds_left,
            limited_until,
        },
        created_at: campaign.created_at,
        scheduled_at: campaign.scheduled_at,
        started_at: campaign.started_at,
        completed_at: campaign.completed_at,
    })
}
