//! `/v1/channels`

use app::App;
use app::channel::{self, Channel, NewChannel};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::ChannelId;
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
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelOut {
    #[schema(value_type = String)]
    id: ChannelId,
    name: String,
    waba_id: String,
    phone_number_id: String,
    display_phone_number: String,
    verified_name: String,
    /// Meta's rating: `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    quality: String,
    /// New people in 24 hours: `TIER_250` to `TIER_UNLIMITED`.
    messaging_limit: String,
    /// How fast Meta lets this number send.
    messages_per_second: u32,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Connects a WhatsApp number.
#[utoipa::path(post, path = "/v1/channels", operation_id = "connect_channel", tag = "channels",
    security(("api_key" = []), ("session" = [])), request_body = ChannelIn,
    responses((status = 201, body = ChannelOut), (status = "default", body = Problem)))]
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
    } = body;
    let new = NewChannel {
        name,
        waba_id,
        phone_number_id,
        access_token,
    };
    let channel = channel::connect(&app, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(channel.into())))
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
        items: channels.into_iter().map(ChannelOut::from).collect(),
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
    Ok(Json(channel::get(&app, &actor, &id).await?.into()))
}

impl From<Channel> for ChannelOut {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id,
            name: channel.name,
            waba_id: channel.waba_id,
            phone_number_id: channel.phone_number_id,
            display_phone_number: channel.display_phone_number,
            verified_name: channel.verified_name,
            quality: channel.quality,
            messaging_limit: channel.messaging_limit,
            messages_per_second: channel.messages_per_second.0,
            created_at: channel.created_at,
        }
    }
}
