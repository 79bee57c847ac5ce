//! `/v1/realtime/ticket`, `/v1/events`

use app::App;
use app::realtime::{self, Logged, NewTicket, Since};
use axum::extract::State;
use axum::http::StatusCode;
use http_api::{Authenticated, Failure, Json, Problem, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::events::EventOut;

/// Opens one websocket, once and soon.
#[derive(Serialize, ToSchema)]
pub(crate) struct TicketOut {
    /// Where to open the websocket, with the ticket in it.
    #[schema(example = "wss://blazz.example/ws?ticket=2Zl1…")]
    url: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The number of the last events: what is read from now on is at least as new.
    #[schema(example = 1_795_000_000_000_u64)]
    last: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// The number of the last events that the client has.
    #[param(example = 1_795_000_000_000_u64)]
    #[param(format = "uint64")]
    after: u64,
}

/// What happened since.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventsOut {
    /// In order and without a gap.
    items: Vec<EventsItemOut>,
    /// The number to continue after.
    #[schema(example = 1_795_000_000_003_u64)]
    last: u64,
    /// There may be further items after `last`.
    more: bool,
    /// The events do not reach back that far: read everything anew, and continue after `last`.
    reload: bool,
}

/// Events under one number; without those that the caller may not read, so there may be none.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventsItemOut {
    #[schema(example = 1_795_000_000_001_u64)]
    number: u64,
    events: Vec<EventOut>,
}

impl From<Logged> for EventsItemOut {
    fn from(item: Logged) -> Self {
        Self {
            number: item.number,
            events: item.events.into_iter().map(EventOut::from).collect(),
        }
    }
}

/// Makes a ticket that opens one websocket within 30 seconds.
#[utoipa::path(post, path = "/v1/realtime/ticket", operation_id = "create_realtime_ticket", tag = "realtime",
    security(("api_key" = []), ("session" = [])),
    responses((status = 201, body = TicketOut), (status = "default", body = Problem)))]
pub(crate) async fn ticket(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<(StatusCode, Json<TicketOut>), Failure> {
    let NewTicket {
        ticket,
        expires_at,
        last,
    } = realtime::ticket(&app, &actor).await?;
    let url = format!("{}?ticket={ticket}", app.config.realtime_url);
    let out = TicketOut {
        url,
        expires_at,
        last,
    };
    Ok((StatusCode::CREATED, Json(out)))
}

/// Reads the events after a number, for a client that missed some.
#[utoipa::path(get, path = "/v1/events", operation_id = "list_events", tag = "realtime",
    security(("api_key" = []), ("session" = [])), params(EventsQuery),
    responses((status = 200, body = EventsOut), (status = "default", body = Problem)))]
pub(crate) async fn events(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsOut>, Failure> {
    let Since {
        items,
        last,
        more,
        reload,
    } = realtime::since(&app, &actor, query.after).await?;
    Ok(Json(EventsOut {
        items: items.into_iter().map(EventsItemOut::from).collect(),
        last,
        more,
        reload,
    }))
}
