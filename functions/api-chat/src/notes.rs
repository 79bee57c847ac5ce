//! `/v1/chats/{chat}/notes`

use app::App;
use app::chat;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{ChatId, UserId};
use http_api::{Authenticated, Failure, Id, IdempotencyKey, Json, Once, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::messages::{MessageOut, noted};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteIn {
    /// 1 to 4096 characters.
    #[schema(example = "She wants it delivered before Friday.")]
    text: String,
    /// Members whom it is for.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["us_0198c0de0198c0de0198c0de0198c0de"]))]
    mentions: Vec<UserId>,
}

/// Writes a private note into a chat. The person never sees it.
#[utoipa::path(post, path = "/v1/chats/{chat}/notes", operation_id = "write_note", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path), IdempotencyKey), request_body = NoteIn,
    responses((status = 201, body = MessageOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn write(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
    Once(once): Once,
    Json(body): Json<NoteIn>,
) -> Result<(StatusCode, Json<MessageOut>), Failure> {
    let NoteIn { text, mentions } = body;
    let note = chat::note(&app, &actor, &id, &text, mentions, &once).await?;
    Ok((StatusCode::CREATED, Json(noted(note))))
}
