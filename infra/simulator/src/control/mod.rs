//! The control plane under `/_control` and the page at `/`: ours, not Meta's, and open to whoever
//! reaches the port.

mod change;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::core::{Core, lock};
use crate::ledger::Filter;
use crate::universe::NUMBER;
use crate::webhooks;

const PAGE: &str = include_str!("page.html");
const DEFAULT_LINES: usize = 50;
const MOST_LINES: usize = 10_000;

pub(crate) fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/healthz", get(async || "ok"))
        .route("/_control/report", get(report))
        .route("/_control/messages", get(messages))
        .route("/_control/universe", get(universe))
        .route("/_control/reset", post(reset))
        .route("/_control/settings", patch(change::settings))
        .route("/_control/inbound", post(inbound))
        .route("/_control/subscribe", post(subscribe))
}

async fn report(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Json<Value> {
    let mut report = lock(&core.ledger).report(&filter);
    let outbox = lock(&core.outbox);
    report["webhooks"] = json!({
        "posts": outbox.posts,
        "retries": outbox.retries,
        "waiting": outbox.waiting(),
    });
    Json(report)
}

#[derive(Deserialize)]
struct Lines {
    to: Option<String>,
    limit: Option<usize>,
}

async fn messages(State(core): State<Arc<Core>>, Query(lines): Query<Lines>) -> Json<Value> {
    let to = lines.to.filter(|to| !to.is_empty());
    let to = to.map(|to| to.chars().filter(char::is_ascii_digit).collect::<String>());
    let limit = lines.limit.unwrap_or(DEFAULT_LINES).min(MOST_LINES);
    let lines = lock(&core.ledger).newest(to.as_deref(), limit);
    Json(json!({"data": lines}))
}

/// The accounts and their numbers, for whoever sets up a client by hand.
async fn universe(State(core): State<Arc<Core>>) -> Json<Value> {
    let wabas: Vec<_> = core
        .universe
        .wabas()
        .map(|waba| {
            let numbers = core
                .universe
                .numbers
                .iter()
                .filter(|number| number.waba == waba.id);
            let numbers: Vec<_> = numbers
                .map(|number| json!({"id": number.id, "name": number.verified_name}))
                .collect();
            json!({"id": waba.id, "numbers": numbers})
        })
        .collect();
    Json(json!({"data": wabas}))
}

async fn reset(State(core): State<Arc<Core>>) -> Json<Value> {
    core.reset();
    Json(json!({"success": true}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inbound {
    phone_number_id: Option<String>,
    from: String,
    name: Option<String>,
    text: String,
}

async fn inbound(State(core): State<Arc<Core>>, Json(inbound): Json<Inbound>) -> Response {
    let id = inbound.phone_number_id.as_deref().unwrap_or(NUMBER);
    let Some(number) = core.universe.number(id) else {
        return wrong(&format!("no phone number has the id {id}"));
    };
    let from: String = inbound.from.chars().filter(char::is_ascii_digit).collect();
    if !(7..=15).contains(&from.len()) {
        return wrong("from is not a phone number");
    }
    if inbound.text.is_empty() {
        return wrong("text is empty");
    }
    let name = inbound.name.as_deref().filter(|name| !name.is_empty());
    let id = core.receive(number, &from, name.unwrap_or("Ada"), &inbound.text);
    Json(json!({"id": id})).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscription {
    callback_url: String,
    verify_token: String,
}

/// Uses a callback only after it has passed the handshake.
async fn subscribe(
    State(core): State<Arc<Core>>,
    Json(subscription): Json<Subscription>,
) -> Response {
    let Subscription {
        callback_url,
        verify_token,
    } = subscription;
    match webhooks::handshake(&core, &callback_url, &verify_token).await {
        Ok(()) => {
            core.set_callback(&callback_url, &verify_token);
            Json(json!({"success": true})).into_response()
        }
        Err(reason) => wrong(&reason),
    }
}

fn wrong(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": reason}))).into_response()
}
