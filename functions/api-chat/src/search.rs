//! `/v1/messages`

use app::App;
use app::search::{self, Hit};
use axum::extract::State;
use domain::id::ChatId;
use domain::search::Piece;
use http_api::{Authenticated, Failure, Json, PageOut, PageQuery, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::chats::{self, ChatOut};
use crate::messages::MessageOut;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    /// Words, of which a message has all: each is the beginning of a word, or in double quotes a whole one.
    /// At least one has three letters or more and is not in every other sentence, as `yang` or `the` are.
    /// Case and accents do not count.
    #[serde(default)]
    #[param(required = true, example = "harga botol")]
    search: String,
    /// Only messages of this chat.
    #[param(value_type = Option<String>)]
    chat: Option<ChatId>,
    /// How many items, 1 to 100. A page may hold fewer although more follow.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HitOut {
    chat: ChatOut,
    message: MessageOut,
    /// The part of the text in which the words were found, in pieces.
    excerpt: Vec<PieceOut>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PieceOut {
    text: String,
    /// Whether it is one of the words that were asked for.
    found: bool,
}

/// Searches what people, members and API keys wrote in chats, and notes; the newest first. What campaigns,
/// templates and automatic answers say is not searched.
#[utoipa::path(get, path = "/v1/messages", operation_id = "search_messages", tag = "chats",
    security(("api_key" = []), ("session" = [])), params(SearchQuery),
    responses((status = 200, body = PageOut<HitOut>), (status = "default", body = Problem)))]
pub(crate) async fn messages(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(query): Query<SearchQuery>,
) -> Result<Json<PageOut<HitOut>>, Failure> {
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let chat = query.chat.as_ref();
    let page = search::messages(&app, &actor, &query.search, chat, &page.into()).await?;
    Ok(Json(PageOut::of(page, |hit| out(&app, hit))))
}

fn out(app: &App, hit: Hit) -> HitOut {
    let pieces = hit
        .excerpt
        .into_iter()
        .map(|Piece { text, found }| PieceOut { text, found });
    HitOut {
        chat: chats::out(app, hit.chat),
        message: hit.shown.into(),
        excerpt: pieces.collect(),
    }
}
