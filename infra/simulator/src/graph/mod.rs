//! The Graph surface: any version, one node or one edge of it, a bearer token, JSON.
//!
//! It decides who may ask and which asset is meant; what an edge does is in the modules below and
//! in [`crate::messages`].

mod media;
mod nodes;
mod paging;
mod refusal;
mod transport;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get};

pub(crate) use media::address;
pub(crate) use refusal::Refusal;

use crate::connection::Scissors;
use crate::core::Core;
use crate::media::LARGEST_BODY;
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
    Option<Extension<ConnectInfo<Scissors>>>,
    Bytes,
);

pub(crate) fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/{version}/{node}", any(node))
        .route("/{version}/{node}/{edge}", any(edge))
        .route(media::DOWNLOADS, get(media::download))
        .fallback(async |State(core): State<Arc<Core>>| refuse(&core, &Refusal::unknown_path()))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn node(Path((version, id)): Path<(String, String)>, asked: Asked) -> Response {
    respond(version, id, String::new(), asked).await
}

async fn edge(Path((version, id, edge)): Path<(String, String, String)>, asked: Asked) -> Response {
    respond(version, id, edge, asked).await
}

async fn respond(version: String, id: String, edge: String, asked: Asked) -> Response {
    let (State(core), method, Query(query), headers, connection, body) = asked;
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
        return match outcome {
            Ok(answer) => {
                let scissors = connection.as_ref().map(|Extension(ConnectInfo(cut))| cut);
                transport::deliver(&core, scissors, &answer.body, answer.transport).await
            }
            Err(refusal) => {
                core.refused(&id, refusal.code.to_string(), arrived_us / 1000);
                refuse(&core, &refusal)
            }
        };
    }
    let outcome = match (authorize(&call, &headers), method.as_str(), edge.as_str()) {
        (Err(refusal), ..) => Err(refusal),
        (_, "GET", "") => nodes::one(&call, &id),
        (_, "DELETE", "") => media::delete(&call, &id),
        (_, "POST", "media") => media::upload(&call, &id, &headers, body).await,
        (_, "GET", "message_templates") => nodes::templates(&call, &id),
        (_, "GET", "phone_numbers") => nodes::phone_numbers(&call, &id),
        (_, _, "subscribed_apps") => nodes::subscribed_apps(&call, &method, &id, &body).await,
        _ => Err(Refusal::unknown_path()),
    };
    match outcome {
        Ok(value) => transport::json(&core, StatusCode::OK, Body::from(value.to_string())),
        Err(refusal) => refuse(&core, &refusal),
    }
}

fn authorize(call: &Call<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
    if !is_version(call.version) {
        return Err(Refusal::unknown_path());
    }
    authorize_with(call.core, headers, call.query)
}

fn authorize_with(
    core: &Core,
    headers: &HeaderMap,
    query: &HashMap<String, String>,
) -> Result<(), Refusal> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.or(query.get("access_token").map(String::as_str));
    let settings = core.settings();
    match token {
        Some(token) if token == settings.token && !settings.switches.token_revoked => Ok(()),
        _ => Err(Refusal::token()),
    }
}

fn refuse(core: &Core, refusal: &Refusal) -> Response {
    let trace = ids::trace(core.settings().seed, core.next_trace());
    let body = refusal.envelope(&trace).to_string();
    transport::traced(refusal.http, &trace, Body::from(body))
}

fn is_version(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor))
}
