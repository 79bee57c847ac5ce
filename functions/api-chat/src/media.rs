//! `/v1/chats/{chat}/messages/{message}/media`: the files of messages.

use app::App;
use app::chat::Inbound;
use app::media::message::{self, Link, Part};
use app::media::received::{Kept, Received};
use axum::extract::State;
use domain::event::InboundMedia;
use domain::id::{ChatId, MessageId};
use domain::media::{FileState, MediaType};
use http_api::{Authenticated, Failure, Ids, Json, Problem};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// What is known of the file that a person sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageMediaOut {
    /// `downloading` until it is fetched from WhatsApp; then `ready`, or `failed` when it will not come.
    #[schema(value_type = String, example = "ready")]
    state: FileState,
    /// As the person named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "photo.jpg")]
    file_name: Option<String>,
    /// What the file was found to be, whatever it was called; absent when that is nothing that can be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    mime_type: Option<MediaType>,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 48_213)]
    size: Option<u64>,
    /// Of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1200)]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1600)]
    height: Option<u32>,
    /// Whether there is a small picture.
    thumbnail: bool,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Where to look at a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct MediaLinkOut {
    /// Whoever has it can read the file.
    url: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The name that it is saved under.
    #[schema(example = "photo.jpg")]
    file_name: String,
    /// Absent when it can only be saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    mime_type: Option<MediaType>,
}

/// Answers a link to the file of a message, good for some minutes. Refused with `file_downloading` until
/// it is fetched from WhatsApp, and with `file_lost` and the reason when it will not come.
#[utoipa::path(get, path = "/v1/chats/{chat}/messages/{message}/media", operation_id = "get_message_media", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path), ("message" = String, Path)),
    responses((status = 200, body = MediaLinkOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn whole(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Ids(chat, message): Ids<ChatId, MessageId>,
) -> Result<Json<MediaLinkOut>, Failure> {
    let link = message::link(&app, &actor, &chat, &message, Part::Whole).await?;
    Ok(Json(link.into()))
}

/// Answers a link to a small picture of the picture that a message shows, of at most 320 points.
#[utoipa::path(get, path = "/v1/chats/{chat}/messages/{message}/thumbnail", operation_id = "get_message_thumbnail", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path), ("message" = String, Path)),
    responses((status = 200, body = MediaLinkOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn thumbnail(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Ids(chat, message): Ids<ChatId, MessageId>,
) -> Result<Json<MediaLinkOut>, Failure> {
    let link = message::link(&app, &actor, &chat, &message, Part::Thumbnail).await?;
    Ok(Json(link.into()))
}

impl From<Link> for MediaLinkOut {
    fn from(link: Link) -> Self {
        Self {
            url: link.url,
            expires_at: link.expires_at,
            file_name: link.file_name,
            mime_type: link.mime_type,
        }
    }
}

impl MessageMediaOut {
    /// Of a message that shows this file.
    pub(crate) fn of(message: &Inbound, media: &InboundMedia) -> Self {
        let out = Self {
            state: FileState::Downloading,
            file_name: media.file_name.clone(),
            mime_type: None,
            size: None,
            width: None,
            height: None,
            thumbnail: false,
            reason: None,
        };
        match message.media.clone() {
            None => out,
            Some(Received::Failed { loss }) => Self {
                state: FileState::Failed,
                reason: Some(loss.in_words()),
                ..out
            },
            Some(Received::Ready(Kept {
                mime_type,
                size,
                width,
                height,
                thumbnail,
            })) => Self {
                state: FileState::Ready,
                mime_type,
                size: Some(size),
                width,
                height,
                thumbnail: thumbnail.is_some(),
                ..out
            },
        }
    }
}
