//! `/v1/inbox/business-hours`

use std::collections::BTreeSet;

use app::{App, automatic};
use axum::extract::State;
use domain::automatic::{Hours, Weekly};
use http_api::{Authenticated, Failure, Json, Problem};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BusinessHoursBody {
    /// The open intervals of each day of the week, `monday` to `sunday`, on the clocks of the workspace's time
    /// zone; a day that is left out is closed. The end of an interval is closed, and the end of a day is `24:00`.
    #[schema(value_type = Object, example = json!({
        "monday": [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "17:30"}],
        "saturday": [{"from": "09:00", "to": "12:00"}]}))]
    weekly: Weekly,
    /// Days on which the business is closed.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["2026-12-25"]))]
    holidays: BTreeSet<Date>,
}

/// Reads when the business is open. Until it is set it is never closed.
#[utoipa::path(get, path = "/v1/inbox/business-hours", operation_id = "get_business_hours", tag = "inbox",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = BusinessHoursBody), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<BusinessHoursBody>, Failure> {
    Ok(Json(automatic::hours(&app, &actor).await?.into()))
}

/// Sets when the business is open.
#[utoipa::path(put, path = "/v1/inbox/business-hours", operation_id = "set_business_hours", tag = "inbox",
    security(("api_key" = []), ("session" = [])), request_body = BusinessHoursBody,
    responses((status = 200, body = BusinessHoursBody), (status = "default", body = Problem)))]
pub(crate) async fn set(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<BusinessHoursBody>,
) -> Result<Json<BusinessHoursBody>, Failure> {
    let BusinessHoursBody { weekly, holidays } = body;
    let new = Hours { weekly, holidays };
    Ok(Json(automatic::set_hours(&app, &actor, new).await?.into()))
}

impl From<Hours> for BusinessHoursBody {
    fn from(hours: Hours) -> Self {
        let Hours { weekly, holidays } = hours;
        Self { weekly, holidays }
    }
}
