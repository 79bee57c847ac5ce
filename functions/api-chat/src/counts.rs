//! `/v1/chats/counts`

use std::collections::BTreeMap;

use app::App;
use app::chat::{self, Counts};
use axum::extract::State;
use http_api::{Authenticated, Failure, Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// How many chats there are of each status.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountsOut {
    /// By status: `open`, `pending`, `snoozed` and `resolved`.
    statuses: BTreeMap<&'static str, StatusCounts>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChatCounts)]
pub(crate) struct StatusCounts {
    all: u64,
    /// With something that nobody has seen.
    unread: u64,
    /// Yours; a key has none.
    mine: u64,
    unassigned: u64,
    /// By the id of whoever is to answer.
    assignees: BTreeMap<String, u64>,
    /// By the id of the label.
    labels: BTreeMap<String, u64>,
    /// By the id of the channel.
    channels: BTreeMap<String, u64>,
}

/// Counts the chats of every status, exactly.
#[utoipa::path(get, path = "/v1/chats/counts", operation_id = "count_chats", tag = "chats",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = CountsOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<CountsOut>, Failure> {
    let counts = chat::counts(&app, &actor).await?.into_iter();
    let statuses = counts.map(|(status, counts)| (status.as_str(), counts.into()));
    Ok(Json(CountsOut {
        statuses: statuses.collect(),
    }))
}

impl From<Counts> for StatusCounts {
    fn from(counts: Counts) -> Self {
        let Counts {
            all,
            unread,
            unassigned,
            mine,
            assignees,
            labels,
            channels,
        } = counts;
        Self {
            all,
            unread,
            mine,
            unassigned,
            assignees,
            labels,
            channels,
        }
    }
}
