//! `/v1/chats`

use std::collections::BTreeSet;

use app::App;
use app::chat::{self, Assignee, Chat, Filter, Line, Listed, NewChat, Opened, Patch};
use app::contact::Contact;
use app::realtime;
use axum::extract::State;
use axum::http::StatusCode;
use domain::campaign::Excluded;
use domain::chat::Status;
use domain::id::{ChannelId, ChatId, ContactId, LabelId, MessageId, UserId};
use domain::realtime::Direction;
use http_api::{Authenticated, Failure, Id, Json, PageOut, PageQuery, Problem, Query};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatIn {
    #[schema(value_type = String)]
    contact: ContactId,
    /// The channel that writes to the contact.
    #[schema(value_type = String)]
    channel: ChannelId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatQuery {
    /// `open`, `pending`, `snoozed` or `resolved`; without it chats of every status.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// Only the chats of a member by their id, of yourself (`me`), or of `nobody`.
    assignee: Option<String>,
    /// Only chats in which something was not seen yet.
    #[serde(default)]
    unread: bool,
    /// Only chats with this label.
    #[param(value_type = Option<String>)]
    label: Option<LabelId>,
    /// Only chats of this number.
    #[param(value_type = Option<String>)]
    channel: Option<ChannelId>,
    /// Only chats with this contact.
    #[param(value_type = Option<String>)]
    contact: Option<ContactId>,
    /// How many items, 1 to 100. A page may hold fewer although more follow.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatPatch {
    /// `open`, `pending`, `snoozed` or `resolved`.
    #[schema(value_type = Option<String>)]
    status: Option<Status>,
    /// Until when it is snoozed; without it until the person writes. Only together with `snoozed`.
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
    /// Who is to answer; `null`: nobody.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    assignee: Option<Option<UserId>>,
    /// All labels that the chat is to have.
    #[schema(value_type = Option<Vec<String>>)]
    labels: Option<BTreeSet<LabelId>>,
    /// `true` marks it as not seen again.
    unread: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChatOut {
    #[schema(value_type = String)]
    id: ChatId,
    #[schema(value_type = String)]
    contact: ContactId,
    /// The contact's name, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_phone: Option<String>,
    /// Why nothing may be sent to the contact: `opted_out` or `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    barred: Option<&'static str>,
    #[schema(value_type = String)]
    channel: ChannelId,
    /// `open`, `pending`, `snoozed` or `resolved`.
    status: &'static str,
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
    /// Who is to answer.
    #[schema(value_type = Option<String>)]
    assignee: Option<UserId>,
    #[schema(value_type = Vec<String>)]
    labels: BTreeSet<LabelId>,
    /// How many messages of the person nobody has seen.
    unread: u32,
    /// The newest message.
    last_message: Option<LineOut>,
    /// When somebody last said something; lists are ordered by it.
    #[schema(value_type = String, format = DateTime)]
    active_at: Timestamp,
    /// When the person last wrote.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_inbound_at: Option<Timestamp>,
    /// Until when anything may be sent; absent when only a template may.
    #[schema(value_type = Option<String>, format = DateTime)]
    window_open_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LineOut {
    #[schema(value_type = String)]
    id: MessageId,
    /// `inbound` or `outbound`.
    direction: &'static str,
    /// WhatsApp's word for what it is.
    kind: String,
    /// Its beginning, when it has words.
    text: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
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
    Ok((status, Json(one(&app, &actor, chat).await?)))
}

/// Lists chats, the latest activity first. A chat that gets a message moves to the front, where the live
/// events show it, so that the pages after it stay as they were.
#[utoipa::path(get, path = "/v1/chats", operation_id = "list_chats", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(ChatQuery),
    responses((status = 200, body = PageOut<ChatOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(query): Query<ChatQuery>,
) -> Result<Json<PageOut<ChatOut>>, Failure> {
    let filter = Filter {
        status: query.status,
        assignee: query
            .assignee
            .map(|whose| Assignee::parse(&actor, &whose))
            .transpose()?,
        unread: query.unread,
        label: query.label,
        channel: query.channel,
        contact: query.contact,
    };
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let page = chat::list(&app, &actor, &filter, &page.into()).await?;
    Ok(Json(PageOut::of(page, |listed| out(&app, listed))))
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
    let chat = chat::get(&app, &actor, &id).await?;
    Ok(Json(one(&app, &actor, chat).await?))
}

/// Changes how far a chat is, who is to answer, its labels, or whether it was seen.
#[utoipa::path(patch, path = "/v1/chats/{chat}", operation_id = "update_chat", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path)), request_body = ChatPatch,
    responses((status = 200, body = ChatOut), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
    Json(body): Json<ChatPatch>,
) -> Result<Json<ChatOut>, Failure> {
    let ChatPatch {
        status,
        snoozed_until,
        assignee,
        labels,
        unread,
    } = body;
    let patch = Patch {
        status,
        snoozed_until,
        assignee,
        labels,
        unread,
    };
    let chat = chat::update(&app, &actor, &id, patch).await?;
    Ok(Json(one(&app, &actor, chat).await?))
}

/// Says that everything the person wrote was seen. They are told so, once.
#[utoipa::path(post, path = "/v1/chats/{chat}/read", operation_id = "read_chat", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path)),
    responses((status = 200, body = ChatOut), (status = "default", body = Problem)))]
pub(crate) async fn read(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
) -> Result<Json<ChatOut>, Failure> {
    let chat = chat::read(&app, &actor, &id).await?;
    Ok(Json(one(&app, &actor, chat).await?))
}

/// Shows the person that somebody is typing, until the next message or for 25 seconds. It tells them as
/// well that what they wrote was read.
#[utoipa::path(post, path = "/v1/chats/{chat}/typing", operation_id = "type_in_chat", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(("chat" = String, Path)),
    responses((status = 202), (status = "default", body = Problem)))]
pub(crate) async fn typing(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
) -> Result<StatusCode, Failure> {
    chat::typing(&app, &actor, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Tells the others who have the chat open that you are writing an answer. It holds for ten seconds; to be
/// said again every few seconds for as long as it does. Whoever has a websocket says so there.
#[utoipa::path(post, path = "/v1/chats/{chat}/answering", operation_id = "answer_in_chat", tag = "chats",
    security(("session" = [])), params(("chat" = String, Path)),
    responses((status = 202), (status = "default", body = Problem)))]
pub(crate) async fn answering(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ChatId>,
) -> Result<StatusCode, Failure> {
    realtime::answering(&app, &actor, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn one(app: &App, actor: &app::Actor, chat: Chat) -> Result<ChatOut, Failure> {
    let listed = chat::with_contact(app, actor, chat).await?;
    Ok(out(app, listed))
}

pub(crate) fn out(app: &App, listed: Listed) -> ChatOut {
    let Listed { chat, contact } = listed;
    let barred = contact.as_ref().and_then(Contact::barred);
    let (contact_name, contact_phone) = match contact {
        Some(contact) => (contact.name, contact.phone.map(|phone| phone.to_string())),
        None => (None, None),
    };
    ChatOut {
        window_open_until: domain::chat::window(chat.last_inbound_at, app.now()),
        id: chat.id,
        contact: chat.contact,
        contact_name,
        contact_phone,
        barred: barred.map(Excluded::as_str),
        channel: chat.channel,
        status: chat.status.as_str(),
        snoozed_until: chat.snoozed_until,
        assignee: chat.assignee,
        labels: chat.labels,
        unread: chat.unread,
        last_message: chat.last.map(LineOut::from),
        active_at: chat.active_at,
        last_inbound_at: chat.last_inbound_at,
        created_at: chat.created_at,
    }
}

impl From<Line> for LineOut {
    fn from(line: Line) -> Self {
        Self {
            id: line.message,
            direction: match line.direction {
                Direction::Inbound => "inbound",
                Direction::Outbound => "outbound",
                Direction::Internal => "internal",
            },
            kind: line.kind,
            text: line.text,
            at: line.at,
        }
    }
}

/// Tells a field that is `null` from one that is left out.
fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
