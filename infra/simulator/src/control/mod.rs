//! The control plane under `/_control` and the page at `/`: ours, not Meta's, and open to whoever
//! reaches the port.

mod events;
mod faults;
mod phone;

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use faults::turn_switches;

use crate::arrivals::Utterance;
use crate::core::{Core, lock};
use crate::media::LARGEST_BODY;
use crate::report::{Figures, Filter};
use crate::settings::{self, Change};
use crate::universe::{NUMBER, PORTFOLIO};
use crate::webhooks::{self, Said};

const PAGE: &str = include_str!("page.html");
const PHONE: &str = include_str!("phone.js");
const DEFAULT_LINES: usize = 50;
const MOST_LINES: usize = 10_000;

/// A body of JSON, or what is wrong with it.
type Body<T> = Result<Json<T>, JsonRejection>;

pub(crate) fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route(
            "/phone.js",
            get(async || ([(header::CONTENT_TYPE, "text/javascript")], PHONE)),
        )
        .route("/healthz", get(async || "ok"))
        .route("/_control/report", get(report))
        .route("/_control/messages", get(messages))
        .route("/_control/receipts", get(receipts))
        .route("/_control/universe", get(universe))
        .route("/_control/reset", post(reset))
        .route("/_control/settings", patch(change))
        .route("/_control/inbound", post(inbound))
        .route(
            "/_control/rules",
            get(faults::rules)
                .post(faults::add_rule)
                .delete(faults::remove_rules),
        )
        .route("/_control/rules/{id}", delete(faults::remove_rule))
        .route("/_control/scenarios", get(faults::scenarios))
        .route(
            "/_control/switches",
            get(faults::switches).patch(faults::turn),
        )
        .route("/_control/signatures", post(faults::signatures))
        .route(
            "/_control/phone",
            // A file in base64 is a third larger than its bytes.
            post(phone::doing).layer(DefaultBodyLimit::max(LARGEST_BODY * 4 / 3)),
        )
        .route("/_control/people", get(phone::people))
        .route(
            "/_control/people/{number}",
            get(phone::person).patch(phone::change),
        )
        .route("/_control/chat", get(phone::chat))
        .route("/_control/media/{id}", get(phone::file))
        .route("/_control/subscribe", post(subscribe))
        .route("/_control/events", post(events::tell))
}

async fn report(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Json<Value> {
    let figures = Figures::of(&lock(&core.ledger), &filter);
    let mut report = figures.report();
    let people = lock(&core.limits)
        .portfolios
        .people(PORTFOLIO, core.time.now_ms());
    let tier = core.settings().tier(PORTFOLIO);
    report["portfolios"] = json!({PORTFOLIO: {"tier": tier, "people": people}});
    report["media"] = json!(lock(&core.media).len());
    let outbox = lock(&core.outbox);
    report["webhooks"] = json!({
        "posts": outbox.posts,
        "retries": outbox.retries,
        "duplicates": outbox.duplicates,
        "waiting": outbox.waiting(),
        "undelivered": outbox.undelivered(),
    });
    Json(report)
}

#[derive(Deserialize)]
struct Lines {
    to: Option<String>,
    /// The entry of the ledger to begin with; lines are then listed oldest first.
    from: Option<u32>,
    limit: Option<usize>,
}

/// Who got what: the newest messages first, or with `from` page by page, oldest first, where
/// `next` is the `from` of the page that follows.
async fn messages(State(core): State<Arc<Core>>, Query(lines): Query<Lines>) -> Json<Value> {
    let to = lines.to.filter(|to| !to.is_empty());
    let to = to.map(|to| to.chars().filter(char::is_ascii_digit).collect::<String>());
    let limit = lines.limit.unwrap_or(DEFAULT_LINES).clamp(1, MOST_LINES);
    let (entries, end) = {
        let ledger = lock(&core.ledger);
        let entries = match lines.from {
            Some(from) => ledger.from(from, limit),
            None => ledger.newest(to.as_deref(), limit),
        };
        (entries, ledger.entries.len())
    };
    let next = entries.last().map(|(number, _)| number + 1);
    let more = lines.from.and(next).filter(|next| (*next as usize) < end);
    let data: Vec<_> = entries
        .iter()
        .map(|(number, entry)| entry.line(*number))
        .collect();
    Json(json!({"data": data, "next": more}))
}

/// Which messages of people were marked as read, and when somebody was typing.
async fn receipts(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!({"data": lock(&core.ledger).receipts}))
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

/// Applies a change and answers with what is in force.
async fn change(State(core): State<Arc<Core>>, change: Body<Change>) -> Response {
    let change = match change {
        Ok(Json(change)) => change,
        Err(rejection) => return wrong(&rejection.body_text()),
    };
    if let Err(reason) = change.check() {
        return wrong(&reason);
    }
    core.change_settings(|now| settings::apply(now, change));
    Json(settings::in_force(&core.settings())).into_response()
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
    text: Option<String>,
    button: Option<Pressed>,
    /// A message of any other kind: its fields as Meta writes them, `type` among them.
    message: Option<Map<String, Value>>,
    /// The id of the message that is answered, or whose button is pressed.
    context: Option<String>,
}

/// A quick reply of a template. Its payload is its text unless the send gave it another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    text: String,
    payload: Option<String>,
}

async fn inbound(State(core): State<Arc<Core>>, inbound: Body<Inbound>) -> Response {
    let inbound = match inbound {
        Ok(Json(inbound)) => inbound,
        Err(rejection) => return wrong(&rejection.body_text()),
    };
    let id = inbound.phone_number_id.as_deref().unwrap_or(NUMBER);
    let Some(number) = core.universe.number(id) else {
        return wrong(&format!("no phone number has the id {id}"));
    };
    let from: String = inbound.from.chars().filter(char::is_ascii_digit).collect();
    if !(7..=15).contains(&from.len()) {
        return wrong("from is not a phone number");
    }
    let said = match (&inbound.text, &inbound.button, &inbound.message) {
        (Some(text), None, None) if !text.is_empty() => Said::Text(text),
        (Some(_), None, None) => return wrong("text is empty"),
        (None, Some(button), None) if inbound.context.is_some() => Said::Button {
            text: &button.text,
            payload: button.payload.as_ref().unwrap_or(&button.text),
        },
        (None, Some(_), None) => return wrong("a button needs the context it belongs to"),
        (None, None, Some(fields)) if fields.contains_key("type") => Said::Other(fields),
        (None, None, Some(_)) => return wrong("a message needs its type"),
        _ => return wrong("one of text, button and message is needed"),
    };
    let mut appearance = core.appearance(&from);
    if let Some(name) = inbound.name.filter(|name| !name.is_empty()) {
        appearance.name = name.into();
    }
    let utterance = Utterance {
        from: &from,
        appearance: &appearance,
        said,
        context: inbound.context.as_deref(),
    };
    Json(json!({"id": core.receive(number, &utterance)})).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscription {
    callback_url: String,
    verify_token: String,
    /// The callback of the app that this account is under, where it is not the simulated one.
    waba_id: Option<String>,
}

/// Uses a callback only after it has passed the handshake.
async fn subscribe(
    State(core): State<Arc<Core>>,
    Json(subscription): Json<Subscription>,
) -> Response {
    let Subscription {
        callback_url,
        verify_token,
        waba_id,
    } = subscription;
    match webhooks::handshake(&core, &callback_url, &verify_token).await {
        Ok(()) => {
            match waba_id {
                Some(waba) => core.set_own_callback(&waba, &callback_url),
                None => core.set_callback(&callback_url, &verify_token),
            }
            Json(json!({"success": true})).into_response()
        }
        Err(reason) => wrong(&reason),
    }
}

fn wrong(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": reason}))).into_response()
}
