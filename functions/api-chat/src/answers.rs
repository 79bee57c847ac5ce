//! `/v1/inbox/automatic-answers`

use std::collections::BTreeSet;

use app::App;
use app::automatic::{self, AnswerPatch, NewAnswer};
use axum::extract::State;
use axum::http::StatusCode;
use domain::automatic::{Answer, Trigger};
use domain::chat::Content;
use domain::id::{AnswerId, ChannelId};
use http_api::{Authenticated, Failure, Id, Json, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutomaticAnswerIn {
    /// 1 to 80 characters; people who write never see it.
    #[schema(example = "Prices")]
    name: String,
    /// Whether it is given; `true` when left out.
    #[serde(default = "yes")]
    active: bool,
    /// What it is given to, by its `type`. `keyword`: `keywords`, and `match` as `exact`, `contains` (some word of
    /// the message begins with it) or `starts_with`. `welcome`: the first message of a person to a number, with
    /// `silence_days` also the first after so many days. `away`: outside the business hours. `period_minutes` is how
    /// long a person gets it only once: at first 1 for a keyword, 720 for `away`.
    #[schema(value_type = Object)]
    trigger: Trigger,
    /// Only to what is written to these channels; all when empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!([]))]
    channels: BTreeSet<ChannelId>,
    /// What is said: as in a message of a chat, but no reaction and no template.
    #[schema(value_type = Object)]
    content: Content,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutomaticAnswerChange {
    #[schema(example = "Prices")]
    name: Option<String>,
    active: Option<bool>,
    #[schema(value_type = Option<Object>)]
    trigger: Option<Trigger>,
    #[schema(value_type = Option<Vec<String>>)]
    channels: Option<BTreeSet<ChannelId>>,
    #[schema(value_type = Option<Object>)]
    content: Option<Content>,
    /// Its place in the list, from 0. Of several that fit, the first is given.
    position: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AutomaticAnswerOut {
    #[schema(value_type = String)]
    id: AnswerId,
    #[schema(example = "Prices")]
    name: String,
    active: bool,
    #[schema(value_type = Object)]
    trigger: Trigger,
    #[schema(value_type = Vec<String>, example = json!([]))]
    channels: BTreeSet<ChannelId>,
    #[schema(value_type = Object)]
    content: Content,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AutomaticAnswersOut {
    items: Vec<AutomaticAnswerOut>,
}

/// Lists all automatic answers in their order. A message gets one at most: the first keyword rule that fits,
/// else a welcome, else the first note that nobody is there.
#[utoipa::path(get, path = "/v1/inbox/automatic-answers", operation_id = "list_automatic_answers", tag = "inbox",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = AutomaticAnswersOut), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<AutomaticAnswersOut>, Failure> {
    let answers = automatic::answers(&app, &actor).await?.into_iter();
    let items = answers.map(AutomaticAnswerOut::from).collect();
    Ok(Json(AutomaticAnswersOut { items }))
}

/// Reads an automatic answer.
#[utoipa::path(get, path = "/v1/inbox/automatic-answers/{answer}", operation_id = "get_automatic_answer", tag = "inbox",
    security(("api_key" = []), ("session" = [])), params(("answer" = String, Path)),
    responses((status = 200, body = AutomaticAnswerOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AnswerId>,
) -> Result<Json<AutomaticAnswerOut>, Failure> {
    Ok(Json(automatic::get(&app, &actor, &id).await?.into()))
}

/// Creates an automatic answer, the last in the list.
#[utoipa::path(post, path = "/v1/inbox/automatic-answers", operation_id = "create_automatic_answer", tag = "inbox",
    security(("api_key" = []), ("session" = [])), request_body = AutomaticAnswerIn,
    responses((status = 201, body = AutomaticAnswerOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<AutomaticAnswerIn>,
) -> Result<(StatusCode, Json<AutomaticAnswerOut>), Failure> {
    let AutomaticAnswerIn {
        name,
        active,
        trigger,
        channels,
        content,
    } = body;
    let new = NewAnswer {
        name,
        active,
        trigger,
        channels,
        content,
    };
    let answer = automatic::create(&app, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(answer.into())))
}

/// Changes an automatic answer or its place; what is absent stays.
#[utoipa::path(patch, path = "/v1/inbox/automatic-answers/{answer}", operation_id = "update_automatic_answer", tag = "inbox",
    security(("api_key" = []), ("session" = [])), params(("answer" = String, Path)), request_body = AutomaticAnswerChange,
    responses((status = 200, body = AutomaticAnswerOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AnswerId>,
    Json(body): Json<AutomaticAnswerChange>,
) -> Result<Json<AutomaticAnswerOut>, Failure> {
    let AutomaticAnswerChange {
        name,
        active,
        trigger,
        channels,
        content,
        position,
    } = body;
    let patch = AnswerPatch {
        name,
        active,
        trigger,
        channels,
        content,
        position,
    };
    let answer = automatic::update(&app, &actor, &id, patch).await?;
    Ok(Json(answer.into()))
}

/// Deletes an automatic answer.
#[utoipa::path(delete, path = "/v1/inbox/automatic-answers/{answer}", operation_id = "delete_automatic_answer", tag = "inbox",
    security(("api_key" = []), ("session" = [])), params(("answer" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AnswerId>,
) -> Result<StatusCode, Failure> {
    automatic::delete(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Answer> for AutomaticAnswerOut {
    fn from(answer: Answer) -> Self {
        let Answer {
            id,
            name,
            active,
            trigger,
            channels,
            content,
            created_at,
        } = answer;
        Self {
            id,
            name,
            active,
            trigger,
            channels,
            content,
            created_at,
        }
    }
}
