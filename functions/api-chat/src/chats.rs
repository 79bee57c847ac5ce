//! `/v1/chats`

use app::App;
use app::chat::{self, Chat, NewChat, Opened};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{ChannelId, ChatId, ContactId};
use http_api::{Authenticated, Failure, Id, Json, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatIn {
    #[schema(value_type = String)]
    contact: ContactId,
    /// The channel that writes to the contact.
    #[schema(value_type = String)]
    channel: ChannelId,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChatOut {
    #[schema(value_type = String)]
    id: ChatId,
    #[schema(value_type = String)]
    contact: ContactId,
    #[schema(value_type = String)]
    channel: ChannelId,
    /// When the person last wrote.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_inbound_at: Option<Timestamp>,
    /// Until when texts may be sent; absent when only a template may.
    #[schema(value_type = Option<String>, format = DateTime)]
    window_open_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Opens the chat of a contact and a channel. There is one: opening it again answers 200 with the same.
#[utoipa::path(post, path = "/v1/chats", operation_id = "open_chat", tag = "chats",
    security(("api_key" = []), ("session" = [])), request_body = ChatIn,
    responses((status = 201, body = ChatOut), (status = 200, body = ChatOut), (status = "default", body = Problem)))]
pub(crate) async fn open(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<ChatIn>,
) -> Result<(StatusCode, Json<ChatOut>), Failure> {
    let ChatIn { contact, channel } = body;
    let Opened { chat, new } = chat::open(&app, &actor, NewChat { contact, channel }).await?;
    let status = if new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(out(&app, chat))))
}

/// Reads a chat.
#[utoipa::path(get, path = "/v1/chats/{chat}", operation_id = "get_chat", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path)),
    responses((status = 200, body = ChatOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
) -> Result<Json<ChatOut>, Failure> {
    Ok(Json(out(&app, chat::get(&app, &actor, &id).await?)))
}

fn out(app: &App, chat: Chat) -> ChatOut {
    ChatOut {
        window_open_until: domain::chat::window(chat.last_inbound_at, app.now()),
        id: chat.id,
        contact: chat.contact,
        channel: chat.channel,
        last_inbound_at: chat.last_inbound_at,
        created_at: chat.created_at,
    }
}
