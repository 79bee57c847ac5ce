//! The Graph surface: any version, one node or one edge of it, a bearer token, JSON.
//!
//! It decides who may ask and which asset is meant; what an edge does is in the modules below and
//! in [`crate::messages`].

mod nodes;
mod paging;
mod refusal;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::Value;

pub(crate) use refusal::Refusal;

use crate::core::Core;
use crate::{ids, messages};

/// A request to Graph whose version and token are in order.
pub(crate) struct Call<'a> {
    pub(crate) core: &'a Core,
    version: &'a str,
    host: &'a str,
    query: &'a HashMap<String, String>,
}

type Asked = (
    State<Arc<Core>>,
    Method,
    Query<HashMap<String, String>>,
    HeaderMap,
    Bytes,
);

pub(crate) fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/{version}/{node}", any(node))
        .route("/{version}/{node}/{edge}", any(edge))
        .fallback(async |State(core): State<Arc<Core>>| answer(&core, Err(Refusal::unknown_path())))
}

async fn node(Path((version, id)): Path<(String, String)>, asked: Asked) -> Response {
    respond(version, id, String::new(), asked).await
}

async fn edge(Path((version, id, edge)): Path<(String, String, String)>, asked: Asked) -> Response {
    respond(version, id, edge, asked).await
}

async fn respond(version: String, id: String, edge: String, asked: Asked) -> Response {
    let (State(core), method, Query(query), headers, body) = asked;
    // Before anything else: this is the instant the throughput of a number is counted by.
    let arrived_us = core.time.now_us();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let call = Call {
        core: &core,
        version: &version,
        host: host.unwrap_or("localhost"),
        query: &query,
    };
    if (&method, edge.as_str()) == (&Method::POST, "messages") {
        let outcome = match authorize(&call, &headers) {
            Ok(()) => messages::send(&core, &id, &body, arrived_us).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = &outcome {
            core.refused(&id, refusal.code, arrived_us / 1000);
        }
        return answer(&core, outcome);
    }
    let outcome =
        authorize(&call, &headers).and_then(|()| match (method.as_str(), edge.as_str()) {
            ("GET", "") => nodes::one(&call, &id),
            ("GET", "message_templates") => nodes::templates(&call, &id),
            ("GET", "phone_numbers") => nodes::phone_numbers(&call, &id),
            (_, "subscribed_apps") => nodes::subscribed_apps(&call, &method, &id, &body),
            _ => Err(Refusal::unknown_path()),
        });
    answer(&core, outcome)
}

fn authorize(call: &Call<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
    if !is_version(call.version) {
        return Err(Refusal::unknown_path());
    }
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.or(call.query.get("access_token").map(String::as_str));
    match token {
        Some(token) if token == call.core.settings().token => Ok(()),
        _ => Err(Refusal::token()),
    }
}

fn answer(core: &Core, outcome: Result<Value, Refusal>) -> Response {
    let trace = ids::trace(core.settings().seed, core.next_trace());
    let (status, body) = match outcome {
        Ok(value) => (StatusCode::OK, value),
        Err(refusal) => (refusal.http, refusal.envelope(&trace)),
    };
    let headers = [
        ("content-type", "application/json; charset=UTF-8"),
        ("x-fb-trace-id", trace.as_str()),
    ];
    (status, headers, body.to_string()).into_response()
}

fn is_version(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor))
}
