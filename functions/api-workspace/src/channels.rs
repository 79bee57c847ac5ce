//! `/v1/channels`

use app::channel::{self, Channel, Edit, NewChannel, OwnApp};
use app::{Actor, App};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::ChannelId;
use domain::workspace::Permission;
use http_api::{Authenticated, Failure, Id, Json, PageOut, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelIn {
    /// The number's verified name when absent.
    name: Option<String>,
    #[schema(example = "300000000000001")]
    waba_id: String,
    #[schema(example = "200000000000001")]
    phone_number_id: String,
    /// A system user's token for this account. It is stored encrypted and never shown again.
    access_token: String,
    /// The customer's own Meta app, where the number is not under the installation's.
    app: Option<AppIn>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppIn {
    /// The app secret, which signs webhooks. It is stored encrypted and never shown again.
    #[schema(example = "8f14e45fceea167a5a36dedd4bea2543")]
    secret: String,
    /// Made up by the customer and entered at Meta beside the webhook address.
    #[schema(example = "a-verify-token")]
    verify_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelChange {
    #[schema(example = "Customer care")]
    name: Option<String>,
    /// A new token; it is tried before it takes the place of the old one.
    access_token: Option<String>,
    /// A new secret of the number's own Meta app. The old one is accepted for 24 hours longer.
    app_secret: Option<String>,
    /// A new verify token of the number's own Meta app.
    verify_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelOut {
    #[schema(value_type = String)]
    id: ChannelId,
    /// `connected` or `disconnected`.
    state: &'static str,
    name: String,
    waba_id: String,
    phone_number_id: String,
    display_phone_number: String,
    verified_name: String,
    /// What Meta says to the verified name: `APPROVED`, `DECLINED`, `PENDING_REVIEW`.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_status: Option<String>,
    /// Meta's word for whether the number works: `CONNECTED`, `FLAGGED`, `BANNED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Meta's rating: `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    quality: String,
    /// New people in 24 hours: `TIER_250` to `TIER_UNLIMITED`.
    messaging_limit: String,
    /// How fast Meta lets this number send.
    messages_per_second: u32,
    /// Why Meta refuses messages of the account, while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<RestrictionOut>,
    /// The last that Meta had to say about the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<AlertOut>,
    /// Whether it is under an app of the customer's own.
    own_app: bool,
    /// Where the customer's own app sends webhooks; shown to those who may change channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_url: Option<String>,
    /// Until when the app's secret before the present one is accepted too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    old_secret_until: Option<Timestamp>,
    /// When Meta was last asked about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    refreshed_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RestrictionOut {
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AlertOut {
    message: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Connects a WhatsApp number, or one again that was disconnected. A number under the customer's own
/// Meta app gets a webhook address of its own, which is entered in that app's dashboard.
#[utoipa::path(post, path = "/v1/channels", operation_id = "connect_channel", tag = "channels",
    security(("api_key" = []), ("session" = [])), request_body = ChannelIn,
    responses((status = 201, body = ChannelOut), (status = 409), (status = 502), (status = "default", body = Problem)))]
pub(crate) async fn connect(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<ChannelIn>,
) -> Result<(StatusCode, Json<ChannelOut>), Failure> {
    let ChannelIn {
        name,
        waba_id,
        phone_number_id,
        access_token,
        app: own,
    } = body;
    let own = own.map(|own| OwnApp {
        secret: own.secret,
        verify_token: own.verify_token,
    });
    let new = NewChannel {
        name,
        waba_id,
        phone_number_id,
        access_token,
        app: own,
    };
    let channel = channel::connect(&app, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(out(&app, &actor, channel))))
}

/// Lists the connected numbers.
#[utoipa::path(get, path = "/v1/channels", operation_id = "list_channels", tag = "channels",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = PageOut<ChannelOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<PageOut<ChannelOut>>, Failure> {
    let channels = channel::list(&app, &actor).await?;
    Ok(Json(PageOut {
        items: channels
            .into_iter()
            .map(|channel| out(&app, &actor, channel))
            .collect(),
        next: None,
    }))
}

/// Reads a connected number.
#[utoipa::path(get, path = "/v1/channels/{channel}", operation_id = "get_channel", tag = "channels",
    security(("api_key" = []), ("session" = [])), params(("channel" = String, Path)),
    responses((status = 200, body = ChannelOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelOut>, Failure> {
    let channel = channel::get(&app, &actor, &id).await?;
    Ok(Json(out(&app, &actor, channel)))
}

/// Changes a connected number: its name, its access token, or the keys of its own Meta app.
#[utoipa::path(patch, path = "/v1/channels/{channel}", operation_id = "update_channel", tag = "channels",
    security(("api_key" = []), ("session" = [])), params(("channel" = String, Path)), request_body = ChannelChange,
    responses((status = 200, body = ChannelOut), (status = 409), (status = 502), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChannelId>,
    Json(body): Json<ChannelChange>,
) -> Result<Json<ChannelOut>, Failure> {
    let ChannelChange {
        name,
        access_token,
        app_secret,
        verify_token,
    } = body;
    let edit = Edit {
        name,
        access_token,
        app_secret,
        verify_token,
    };
    let channel = channel::edit(&app, &actor, &id, edit).await?;
    Ok(Json(out(&app, &actor, channel)))
}

/// Asks WhatsApp about a number again: its quality, limits, speed and name.
#[utoipa::path(post, path = "/v1/channels/{channel}/refresh", operation_id = "refresh_channel", tag = "channels",
    security(("api_key" = []), ("session" = [])), params(("channel" = String, Path)),
    responses((status = 200, body = ChannelOut), (status = 409), (status = 502), (status = "default", body = Problem)))]
pub(crate) async fn refresh(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelOut>, Failure> {
    let channel = channel::refresh(&app, &actor, &id).await?;
    Ok(Json(out(&app, &actor, channel)))
}

/// Disconnects a number: it neither sends nor receives, and its campaigns are paused. Its chats and
/// campaigns stay, and connecting the number again gives them back.
#[utoipa::path(post, path = "/v1/channels/{channel}/disconnect", operation_id = "disconnect_channel", tag = "channels",
    security(("api_key" = []), ("session" = [])), params(("channel" = String, Path)),
    responses((status = 200, body = ChannelOut), (status = 409), (status = 502), (status = "default", body = Problem)))]
pub(crate) async fn disconnect(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelOut>, Failure> {
    let channel = channel::disconnect(&app, &actor, &id).await?;
    Ok(Json(out(&app, &actor, channel)))
}

/// Stops accepting the old secret of the number's own Meta app before its 24 hours are over.
#[utoipa::path(delete, path = "/v1/channels/{channel}/old-secret", operation_id = "forget_old_secret", tag = "channels",
    security(("api_key" = []), ("session" = [])), params(("channel" = String, Path)),
    responses((status = 200, body = ChannelOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn forget_old_secret(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelOut>, Failure> {
    let channel = channel::forget_old_secret(&app, &actor, &id).await?;
    Ok(Json(out(&app, &actor, channel)))
}

/// The webhook address is for those who can enter it at Meta.
fn out(app: &App, actor: &Actor, channel: Channel) -> ChannelOut {
    let now = app.now();
    let may_change = actor.require(Permission::WriteChannels).is_ok();
    let url = channel.webhook_url(app).filter(|_| may_change);
    let in_force = |until: &Timestamp| *until > now;
    ChannelOut {
        own_app: channel.address.is_some(),
        webhook_url: url,
        old_secret_until: channel.old_secret_until.filter(in_force),
        id: channel.id,
        state: channel.state.as_str(),
        name: channel.name,
        waba_id: channel.waba_id,
        phone_number_id: channel.phone_number_id,
        display_phone_number: channel.display_phone_number,
        verified_name: channel.verified_name,
        name_status: channel.name_status,
        status: channel.status,
        quality: channel.quality,
        messaging_limit: channel.messaging_limit,
        messages_per_second: channel.messages_per_second.0,
        restriction: channel
            .restriction
            .filter(|restriction| restriction.until.as_ref().is_none_or(in_force))
            .map(|restriction| RestrictionOut {
                reason: restriction.reason,
                since: restriction.since,
                until: restriction.until,
            }),
        alert: channel.alert.map(|alert| AlertOut {
            message: alert.message,
            at: alert.at,
        }),
        refreshed_at: channel.refreshed_at,
        created_at: channel.created_at,
    }
}
