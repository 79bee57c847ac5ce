//! `/v1/chats/{chat}/messages`

use app::App;
use app::chat::{
    self, Activity, Author, CampaignMessage, Entry, Frozen, Inbound, Message, NewMessage, Note,
    Outbound, Shown,
};
use axum::extract::State;
use axum::http::StatusCode;
use domain::chat::{Amendment, Content, Tick};
use domain::event::InboundContent;
use domain::id::{CampaignId, ChatId, MessageId, UserId};
use http_api::{
    Authenticated, Failure, Id, IdempotencyKey, Ids, Json, Once, PageOut, PageQuery, Problem, Query,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::media::MessageMediaOut;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageIn {
    /// 1 to 4096 characters; short for a content of the type `text`.
    #[schema(example = "Your parcel is on its way.")]
    text: Option<String>,
    /// What to say, by its `type`: `text`, `media`, `location`, `contacts`, `reaction`, `buttons`, `list`,
    /// `link` or `template`.
    #[schema(value_type = Option<Object>, example = json!({"type": "media", "media": "md_…", "caption": "The menu"}))]
    content: Option<Content>,
    /// The message of this chat that is to be quoted.
    #[schema(value_type = Option<String>)]
    reply_to: Option<MessageId>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChatMessageOut)]
pub(crate) struct MessageOut {
    /// Of what a campaign sent: campaign, chunk and index.
    id: String,
    /// `inbound`: the person wrote it. `outbound`: the workspace did. `internal`: the person never sees it.
    direction: &'static str,
    /// `text`, `button`, or WhatsApp's word for another kind; `note` and `activity` are internal.
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
    /// The file that a person sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<MessageMediaOut>,
    /// Of an outbound message: `queued`, `accepted`, `sent`, `delivered`, `read`, `played`, `failed` or
    /// `unknown`.
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
    reason: Option<String>,
    /// Whether it can be sent again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    retryable: bool,
    /// The new attempt that was made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    retried_as: Option<MessageId>,
    /// Meta's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    wamid: Option<String>,
    /// Meta's id of the message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    context_wamid: Option<String>,
    /// The message of this chat that this one quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reply_to: Option<MessageId>,
    /// Who wrote it: `{"type": "user", "id": "us_…"}`, `{"type": "api_key", …}` or `{"type": "automatic"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    by: Option<Author>,
    /// The campaign that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    campaign: Option<CampaignId>,
    /// Members whom a note is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    mentions: Vec<UserId>,
    /// The person's reaction on it, an emoji.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "👍")]
    reaction: Option<String>,
    /// The workspace's own reaction on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "🎉")]
    own_reaction: Option<String>,
    /// When the person last put other words in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    edited_at: Option<Timestamp>,
    /// What it said at first, of a message that was edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_text: Option<String>,
    /// When the person took it back. What it said is not shown any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Lists the messages of a chat, the newest first: what campaigns sent, notes and what happened to the chat
/// are among them.
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

/// Takes a message to be sent. It is sent after everything that was taken for the chat before it. Refused
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
    let short = body.text.is_some();
    let content = match (body.text, body.content) {
        (Some(text), None) => Content::Text { text },
        (None, Some(content)) => content,
        _ => {
            let message = "give either a \"text\" or a \"content\"";
            return Err(app::Error::invalid("content", message).into());
        }
    };
    let new = NewMessage {
        content,
        reply_to: body.reply_to,
    };
    let message = chat::say(&app, &actor, &id, new, &once).await;
    let message = message.map_err(|error| if short { as_given(error) } else { error })?;
    Ok((StatusCode::ACCEPTED, Json(said(&message))))
}

/// A text that was given by itself is refused by that name.
fn as_given(error: app::Error) -> app::Error {
    match error {
        app::Error::Invalid(mut fields) => {
            for fault in &mut fields {
                fault.field = fault.field.replacen("content.", "", 1);
            }
            app::Error::Invalid(fields)
        }
        error => error,
    }
}

/// Sends a message again that failed, or that may not have been sent: as one new message, however often it
/// is asked for. Of a message whose status is `unknown` the person may get both.
#[utoipa::path(post, path = "/v1/chats/{chat}/messages/{message}/retry", operation_id = "retry_message", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path), ("message" = String, Path)),
    responses((status = 202, body = MessageOut), (status = "default", body = Problem)))]
pub(crate) async fn retry(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Ids(chat, message): Ids<ChatId, MessageId>,
) -> Result<(StatusCode, Json<MessageOut>), Failure> {
    let message = chat::retry(&app, &actor, &chat, &message).await?;
    Ok((StatusCode::ACCEPTED, Json(said(&message))))
}

impl From<Shown> for MessageOut {
    fn from(shown: Shown) -> Self {
        let amendment = shown.amendment.as_ref();
        let message = match shown.entry {
            Entry::Campaign(message) => from_campaign(*message),
            Entry::Message(message) => match *message {
                Message::Inbound(inbound) => heard_now(inbound, amendment),
                Message::Outbound(outbound) => said(&outbound),
                Message::Note(note) => noted(note),
                Message::Activity(activity) => happened(activity),
            },
        };
        let reaction = |which: fn(&Amendment) -> Option<&str>| {
            let emoji = amendment.and_then(which);
            emoji.map(str::to_owned)
        };
        Self {
            reaction: reaction(Amendment::reaction),
            own_reaction: reaction(Amendment::own_reaction),
            ..message
        }
    }
}

impl MessageOut {
    /// One of which nothing but this is known.
    fn new(id: String, direction: &'static str, kind: impl Into<String>, at: Timestamp) -> Self {
        Self {
            id,
            direction,
            kind: kind.into(),
            text: None,
            payload: None,
            content: None,
            media: None,
            status: None,
            status_at: None,
            code: None,
            reason: None,
            retryable: false,
            retried_as: None,
            wamid: None,
            context_wamid: None,
            reply_to: None,
            by: None,
            campaign: None,
            mentions: Vec::new(),
            reaction: None,
            own_reaction: None,
            edited_at: None,
            first_text: None,
            revoked_at: None,
            at,
        }
    }
}

/// What a person wrote, as it is after they changed it.
fn heard_now(mut message: Inbound, amendment: Option<&Amendment>) -> MessageOut {
    let Some(amendment) = amendment else {
        return heard(message);
    };
    if let Some(at) = amendment.revoked_at() {
        return MessageOut {
            text: None,
            payload: None,
            content: None,
            media: None,
            revoked_at: Some(at),
            ..heard(message)
        };
    }
    let first_text = amendment
        .edited_at()
        .map(|_| message.content.words().to_owned());
    message.content = amendment.content(&message.content);
    MessageOut {
        edited_at: amendment.edited_at(),
        first_text,
        ..heard(message)
    }
}

fn heard(message: Inbound) -> MessageOut {
    let kind = message.content.kind().to_owned();
    let media = match &message.content {
        InboundContent::Media(media) => Some(MessageMediaOut::of(&message, media)),
        _ => None,
    };
    let (text, payload, content) = match message.content {
        InboundContent::Text { body } => (Some(body), None, None),
        InboundContent::Button { text, payload } => (Some(text), Some(payload), None),
        InboundContent::Choice { id, title, .. } => (Some(title), Some(id), None),
        InboundContent::Other { value, .. } => (None, None, Some(value)),
        InboundContent::Media(media) => (media.caption.clone(), None, value(&media)),
        InboundContent::Location(place) => (None, None, value(&place)),
        InboundContent::Contacts(cards) => (None, None, value(&cards)),
        other => (None, None, inside(&other)),
    };
    MessageOut {
        text,
        payload,
        content,
        media,
        wamid: Some(message.wamid),
        context_wamid: message.context_wamid,
        ..MessageOut::new(message.id.to_string(), "inbound", kind, message.at)
    }
}

fn value(value: &impl Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// What stands in the only field of a content: its name is told by the kind.
fn inside(content: &InboundContent) -> Option<Value> {
    match value(content)? {
        Value::Object(fields) => fields.into_iter().next().map(|(_, value)| value),
        other => Some(other),
    }
}

fn said(message: &Outbound) -> MessageOut {
    let rendered = message.rendered();
    let text = match &rendered {
        Some(rendered) => Some(rendered.body.clone()),
        None => Some(message.content.words().to_owned()).filter(|words| !words.is_empty()),
    };
    let mut content = match &message.content {
        Content::Text { .. } => None,
        content => value(content),
    };
    if let Some(Value::Object(fields)) = &mut content {
        if let Some(rendered) = &rendered {
            fields.insert("message".to_owned(), json!(rendered));
        }
        if let Some(file @ Frozen::File { .. }) = &message.frozen
            && let Some(Value::Object(file)) = value(file)
        {
            fields.extend(file.into_iter().filter(|(name, _)| name != "type"));
        }
    }
    MessageOut {
        text,
        content,
        status: Some(message.tick().as_str()),
        status_at: message.status_at,
        code: message.code,
        reason: message.reason().map(str::to_owned),
        retryable: message.retryable(),
        wamid: message.wamid.clone(),
        reply_to: message.reply_to.clone(),
        retried_as: message.retried_as.clone(),
        by: Some(message.by.clone()),
        ..MessageOut::new(
            message.id.to_string(),
            "outbound",
            message.kind(),
            message.at,
        )
    }
}

fn from_campaign(message: CampaignMessage) -> MessageOut {
    let id = message.recipient.to_string();
    MessageOut {
        text: message.message.as_ref().map(|message| message.body.clone()),
        content: message
            .message
            .map(|rendered| json!({"name": message.name, "message": rendered})),
        status: Some(Tick::from(message.status).as_str()),
        code: message.code,
        reason: message.reason.map(str::to_owned),
        wamid: message.wamid,
        campaign: Some(message.campaign),
        ..MessageOut::new(id, "outbound", "template", message.at)
    }
}

pub(crate) fn noted(note: Note) -> MessageOut {
    MessageOut {
        text: Some(note.text),
        mentions: note.mentions,
        by: Some(note.by),
        ..MessageOut::new(note.id.to_string(), "internal", "note", note.at)
    }
}

fn happened(activity: Activity) -> MessageOut {
    MessageOut {
        content: value(&activity.what),
        by: Some(activity.by),
        ..MessageOut::new(activity.id.to_string(), "internal", "activity", activity.at)
    }
}
