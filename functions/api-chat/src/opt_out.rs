//! `/v1/inbox/opt-out`

use app::{App, automatic};
use axum::extract::State;
use domain::contact::OptOut;
use http_api::{Authenticated, Failure, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptOutBody {
    /// 1 to 100 words. Each ends messages when it is a person's whole message, or what a button carries; case,
    /// accents, spaces and signs do not count.
    #[schema(example = json!(["STOP", "BERHENTI"]))]
    stop_words: Vec<String>,
    /// 1 to 100 words that take it back. None of them is a stop word.
    #[schema(example = json!(["START", "MULAI"]))]
    start_words: Vec<String>,
    /// What whoever opts out is told, once; `null`: nothing.
    #[schema(
        example = "You will not receive any more messages from us. Reply START to receive them again."
    )]
    stop_answer: Option<String>,
    /// What whoever opts in again is told, once; `null`: nothing.
    #[schema(example = "You will receive our messages again. Reply STOP to end them.")]
    start_answer: Option<String>,
}

/// Reads how people opt out, and what they are told then. At first there are words in English and Indonesian.
#[utoipa::path(get, path = "/v1/inbox/opt-out", operation_id = "get_opt_out", tag = "inbox",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = OptOutBody), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<OptOutBody>, Failure> {
    Ok(Json(automatic::opt_out(&app, &actor).await?.into()))
}

/// Sets how people opt out. It holds within seconds, for messages that come in from then on.
#[utoipa::path(put, path = "/v1/inbox/opt-out", operation_id = "set_opt_out", tag = "inbox",
    security(("api_key" = []), ("session" = [])), request_body = OptOutBody,
    responses((status = 200, body = OptOutBody), (status = "default", body = Problem)))]
pub(crate) async fn set(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<OptOutBody>,
) -> Result<Json<OptOutBody>, Failure> {
    let OptOutBody {
        stop_words,
        start_words,
        stop_answer,
        start_answer,
    } = body;
    let new = OptOut {
        stop_words,
        start_words,
        stop_answer,
        start_answer,
    };
    Ok(Json(
        automatic::set_opt_out(&app, &actor, new).await?.into(),
    ))
}

impl From<OptOut> for OptOutBody {
    fn from(opt_out: OptOut) -> Self {
        let OptOut {
            stop_words,
            start_words,
            stop_answer,
            start_answer,
        } = opt_out;
        Self {
            stop_words,
            start_words,
            stop_answer,
            start_answer,
        }
    }
}
