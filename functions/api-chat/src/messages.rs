//! `/v1/chats/{chat}/messages`

use app::App;
use app::chat::{self, Inbound, Message, Outbound};
use axum::extract::State;
use axum::http::StatusCode;
use domain::event::InboundContent;
use domain::id::{ChatId, MessageId};
use domain::message::Outcome;
use http_api::{
    Authenticated, Failure, Id, IdempotencyKey, Json, Once, PageOut, PageQuery, Problem, Query,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageIn {
    /// 1 to 4096 characters.
    #[schema(example = "Your parcel is on its way.")]
    text: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChatMessageOut)]
pub(crate) struct MessageOut {
    #[schema(value_type = String)]
    id: MessageId,
    /// `inbound`: the person wrote it. `outbound`: the workspace did.
    direction: &'static str,
    /// `text`, `button`, or WhatsApp's word for another kind.
    kind: String,
    /// The text, the label of the button that was pressed or of what was chosen, or what stands below a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What the button or the choice carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    /// What a message of another kind says; of a kind that is not known here, as WhatsApp wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// Of an outbound message: `queued`, `accepted`, `delivered`, `read`, `failed` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// When the status was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    status_at: Option<Timestamp>,
    /// Meta's error code of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    /// Why it failed, or why nothing more is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Meta's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    wamid: Option<String>,
    /// Meta's id of the message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    context_wamid: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Lists the messages of a chat, the newest first.
#[utoipa::path(get, path = "/v1/chats/{chat}/messages", operation_id = "list_messages", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path), PageQuery),
    responses((status = 200, body = PageOut<MessageOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<PageOut<MessageOut>>, Failure> {
    let page = chat::messages(&app, &actor, &id, &page.into()).await?;
    Ok(Json(PageOut::of(page, MessageOut::from)))
}

/// Takes a text to be sent. It is sent after everything that was taken for the chat before it. Refused
/// with `window_closed` when the person has not written for 24 hours: then only a template may be sent.
#[utoipa::path(post, path = "/v1/chats/{chat}/messages", operation_id = "send_message", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path), IdempotencyKey), request_body = MessageIn,
    responses((status = 202, body = MessageOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn say(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
    Once(once): Once,
    Json(body): Json<MessageIn>,
) -> Result<(StatusCode, Json<MessageOut>), Failure> {
    let message = chat::say(&app, &actor, &id, &body.text, &once).await?;
    let message = Message::Outbound(message);
    Ok((StatusCode::ACCEPTED, Json(message.into())))
}

impl From<Message> for MessageOut {
    fn from(message: Message) -> Self {
        match message {
            Message::Inbound(inbound) => heard(inbound),
            Message::Outbound(outbound) => said(outbound),
        }
    }
}

fn heard(message: Inbound) -> MessageOut {
    let kind = message.content.kind().to_owned();
    let (text, payload, content) = match message.content {
        InboundContent::Text { body } => (Some(body), None, None),
        InboundContent::Button { text, payload } => (Some(text), Some(payload), None),
        InboundContent::Choice { id, title, .. } => (Some(title), Some(id), None),
        InboundContent::Other { value, .. } => (None, None, Some(value)),
        InboundContent::Media(media) => (media.caption.clone(), None, json(&media)),
        InboundContent::Location(place) => (None, None, json(&place)),
        InboundContent::Contacts(cards) => (None, None, json(&cards)),
        other => (None, None, inside(&other)),
    };
    MessageOut {
        id: message.id,
        direction: "inbound",
        kind,
        text,
        payload,
        content,
        status: None,
        status_at: None,
        code: None,
        reason: None,
        wamid: Some(message.wamid),
        context_wamid: message.context_wamid,
        at: message.at,
    }
}

fn json(value: &impl Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// What stands in the only field of a content: its name is told by the kind.
fn inside(content: &InboundContent) -> Option<Value> {
    match json(content)? {
        Value::Object(fields) => fields.into_iter().next().map(|(_, value)| value),
        other => Some(other),
    }
}

fn said(message: Outbound) -> MessageOut {
    MessageOut {
        direction: "outbound",
        kind: "text".to_owned(),
        reason: message.reason(),
        id: message.id,
        text: Some(message.text),
        payload: None,
        content: None,
        status: Some(message.status.map_or("queued", Outcome::as_str)),
        status_at: message.status_at,
        code: message.code,
        wamid: message.wamid,
        context_wamid: None,
        at: message.at,
    }
}
