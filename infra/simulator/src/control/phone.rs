//! People and their phones: what they are like, what they do, and the chat that they see.

use std::sync::Arc;

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, wrong};
use crate::core::{Core, lock};
use crate::people::{Habit, Person, Shows};
use crate::phone::{Doing, act, digits};
use crate::universe::NUMBER;

/// How long somebody is shown as typing, unless they write (Meta: typing indicators).
const TYPING_MS: i64 = 25_000;

/// How many messages of a chat are listed when nobody says.
const DEFAULT_LINES: usize = 50;

/// Somebody writes or does something.
pub(super) async fn doing(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    doing: Body<Doing>,
) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    match doing {
        Ok(Json(doing)) => match act(&core, host.unwrap_or("localhost"), doing) {
            Ok(done) => Json(done).into_response(),
            Err(reason) => wrong(&reason),
        },
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

pub(super) async fn people(State(core): State<Arc<Core>>) -> Json<Value> {
    let people = lock(&core.people);
    let all: Vec<_> = people
        .all()
        .map(|(number, person)| described(number, person, &people.user_id(number)))
        .collect();
    Json(json!({"data": all}))
}

pub(super) async fn person(State(core): State<Arc<Core>>, Path(number): Path<String>) -> Response {
    match digits(&number) {
        Ok(number) => Json(about(&core, &number)).into_response(),
        Err(reason) => wrong(&reason),
    }
}

/// A change of what a person is like. What is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    name: Option<String>,
    shows: Option<Shows>,
    reads: Option<Habit>,
    plays: Option<Habit>,
}

pub(super) async fn change(
    State(core): State<Arc<Core>>,
    Path(number): Path<String>,
    change: Body<Change>,
) -> Response {
    let number = match digits(&number) {
        Ok(number) => number,
        Err(reason) => return wrong(&reason),
    };
    let change = match change {
        Ok(Json(change)) => change,
        Err(rejection) => return wrong(&rejection.body_text()),
    };
    core.change_person(&number, |person| {
        if let Some(name) = change.name {
            person.name = Some(name).filter(|name| !name.is_empty());
        }
        person.shows = change.shows.unwrap_or(person.shows);
        person.reads = change.reads.unwrap_or(person.reads);
        person.plays = change.plays.unwrap_or(person.plays);
    });
    Json(about(&core, &number)).into_response()
}

fn about(core: &Core, number: &str) -> Value {
    let people = lock(&core.people);
    described(number, &people.get(number), &people.user_id(number))
}

fn described(number: &str, person: &Person, user_id: &str) -> Value {
    let mut described = json!(person);
    described["number"] = json!(number);
    described["user_id"] = json!(user_id);
    described
}

#[derive(Deserialize)]
pub(super) struct Chat {
    phone_number_id: Option<String>,
    person: String,
    limit: Option<usize>,
}

/// What a person sees: the newest messages between them and a number, oldest first. Each has `sent` or
/// `heard`, by its direction as the business sees it.
pub(super) async fn chat(State(core): State<Arc<Core>>, Query(chat): Query<Chat>) -> Response {
    let number = chat.phone_number_id.as_deref().unwrap_or(NUMBER);
    let person = match digits(&chat.person) {
        Ok(person) => person,
        Err(reason) => return wrong(&reason),
    };
    let limit = chat.limit.unwrap_or(DEFAULT_LINES);
    let now_ms = core.time.now_ms();
    let ledger = lock(&core.ledger);
    let sent = ledger
        .sent_to(&person)
        .iter()
        .rev()
        .filter_map(|entry| Some((*entry, ledger.get(*entry)?)))
        .filter(|(_, entry)| entry.message.phone_number_id == number)
        .take(limit)
        .map(|(place, entry)| (entry.message.arrived_us, json!({"sent": entry.line(place)})));
    let theirs = || {
        let heard = ledger.inbound.iter().rev();
        heard.filter(|heard| heard.phone_number_id == number && heard.from == person)
    };
    // What is marked as read takes everything before it along.
    let read_us = theirs()
        .find(|heard| {
            ledger
                .receipts
                .iter()
                .any(|receipt| receipt.message_id == heard.id)
        })
        .map(|heard| heard.at_us);
    let heard = theirs().take(limit).map(|heard| {
        let mut line = heard.line();
        line["read"] = json!(read_us.is_some_and(|read_us| heard.at_us <= read_us));
        (heard.at_us, json!({"heard": line}))
    });
    let mut lines: Vec<_> = sent.chain(heard).collect();
    // At the same instant the one that was entered first stays first.
    lines.reverse();
    lines.sort_by_key(|(at_us, _)| *at_us);
    let first = lines.len().saturating_sub(limit);
    let typing = ledger.receipts.iter().rev().any(|receipt| {
        receipt.typing
            && now_ms - receipt.at_ms < TYPING_MS
            && ledger
                .heard(&receipt.message_id)
                .is_some_and(|heard| heard.from == person && heard.phone_number_id == number)
            && lines
                .iter()
                .all(|(at_us, line)| line.get("sent").is_none() || *at_us / 1000 < receipt.at_ms)
    });
    let data: Vec<_> = lines.drain(first..).map(|(_, line)| line).collect();
    Json(json!({"data": data, "typing": typing})).into_response()
}

/// A file for the page, which has no token. Whatever it is, it runs nothing.
pub(super) async fn file(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    let file = lock(&core.media)
        .find(&id, None, core.time.now_ms())
        .cloned();
    let Some(file) = file else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, file.mime.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ),
    ];
    (headers, Bytes::from(file.bytes.clone())).into_response()
}
