//! `/v1/presence`

use std::collections::BTreeSet;

use app::App;
use app::realtime;
use axum::extract::State;
use domain::id::UserId;
use http_api::{Authenticated, Failure, Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct PresenceOut {
    /// The members who are at a screen now.
    #[schema(value_type = Vec<String>, example = json!(["us_0198c0de0198c0de0198c0de0198c0de"]))]
    online: BTreeSet<UserId>,
}

/// Says which members are at a screen now. Somebody whose connection broke without a word counts for three
/// minutes more.
#[utoipa::path(get, path = "/v1/presence", operation_id = "get_presence", tag = "chats",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = PresenceOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<PresenceOut>, Failure> {
    let online = realtime::online(&app, &actor).await?;
    Ok(Json(PresenceOut { online }))
}
