//! How an answer reaches its client, or does not.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::connection::Scissors;
use crate::core::Core;
use crate::faults::Transport;
use crate::ids;

const ERROR_PAGE: &str = "<!DOCTYPE html><html><head><title>Error</title></head>\
    <body><h1>Sorry, something went wrong.</h1></body></html>";

/// Sends a body the way it was decided. Without a connection to cut, as in a router that is called
/// directly, the client gets an error page instead.
pub(super) async fn deliver(
    core: &Arc<Core>,
    scissors: Option<&Scissors>,
    body: &Value,
    transport: Transport,
) -> Response {
    match transport {
        Transport::Whole => json(core, StatusCode::OK, Body::from(body.to_string())),
        Transport::Html500 => error_page(StatusCode::INTERNAL_SERVER_ERROR),
        Transport::Hang(ms) => {
            let mut stopped = core.stopped.subscribe();
            let until_ms = later(core, ms);
            tokio::select! {
                () = core.requests.wait(core.time.as_ref(), until_ms) => {}
                // A simulator that stops waits for open calls, and this one has no answer.
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
            cut(scissors)
        }
        Transport::Cut => cut(scissors),
        Transport::Half => {
            let mut bytes = body.to_string().into_bytes();
            bytes.truncate(bytes.len() / 2);
            json(core, StatusCode::OK, Body::from(bytes))
        }
        Transport::Slow(ms) => json(core, StatusCode::OK, slowly(core, body, ms)),
    }
}

/// An answer of Graph's, with its trace.
pub(super) fn json(core: &Core, status: StatusCode, body: Body) -> Response {
    let trace = ids::trace(core.settings().seed, core.next_trace());
    traced(status, &trace, body)
}

/// The same with a trace that is also in the body.
pub(super) fn traced(status: StatusCode, trace: &str, body: Body) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE.as_str(),
            "application/json; charset=UTF-8",
        ),
        ("x-fb-trace-id", trace),
    ];
    (status, headers, body).into_response()
}

pub(super) fn error_page(status: StatusCode) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, headers, ERROR_PAGE).into_response()
}

fn cut(scissors: Option<&Scissors>) -> Response {
    if let Some(scissors) = scissors {
        scissors.cut();
    }
    error_page(StatusCode::BAD_GATEWAY)
}

/// One half at once and the other half later. The request counts as open until then.
fn slowly(core: &Arc<Core>, body: &Value, ms: u64) -> Body {
    let mut first = Bytes::from(body.to_string());
    let second = first.split_off(first.len() / 2);
    let entered = core.requests.enter();
    let core = Arc::clone(core);
    let until_ms = later(&core, ms);
    let rest = stream::once(async move {
        let _entered = entered;
        core.requests.wait(core.time.as_ref(), until_ms).await;
        second
    });
    let halves = stream::once(async move { first }).chain(rest);
    Body::from_stream(halves.map(Ok::<_, std::convert::Infallible>))
}

fn later(core: &Core, ms: u64) -> i64 {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX / 4);
    core.time.now_ms().saturating_add(ms)
}
