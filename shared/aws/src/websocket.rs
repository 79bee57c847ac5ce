//! The shell of the function behind the websockets: API Gateway's events in, an answer to the client out.
//!
//! The routes have a route response, so what is returned for a frame is sent to its client, and this
//! function needs no right to push.

use std::future::Future;

use app::App;
use app::realtime::Call;
use domain::realtime::Frame;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use crate::{Error, start};

#[cfg(test)]
mod tests;

/// What API Gateway sends of a websocket (API Gateway: WebSocket mapping template reference).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    request_context: Context,
    #[serde(default)]
    query_string_parameters: Option<Parameters>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    event_type: EventType,
    connection_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventType {
    Connect,
    Message,
    Disconnect,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    ticket: String,
}

/// What API Gateway makes of the invocation: a refused `$connect` never opens, and a body goes to the
/// client.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

/// Runs the function of the websockets. Returns only when it cannot start.
///
/// # Errors
/// The environment is incomplete.
pub async fn websocket<F, Fut>(handler: F) -> Result<(), Error>
where
    F: Fn(App, Call) -> Fut,
    Fut: Future<Output = Result<Option<Frame>, app::Error>>,
{
    start::logs();
    let (app, _) = start::checked(start::app())?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        let app = app.until(start::deadline(&event.context));
        Ok::<_, Error>(answer(&app, event.payload, &handler).await)
    }))
    .await
}

/// Carries out one event.
pub async fn answer<F, Fut>(app: &App, event: Event, handler: &F) -> Answer
where
    F: Fn(App, Call) -> Fut,
    Fut: Future<Output = Result<Option<Frame>, app::Error>>,
{
    let socket = event.request_context.connection_id;
    let call = match event.request_context.event_type {
        EventType::Connect => Call::Connect {
            socket,
            ticket: event
                .query_string_parameters
                .map(|parameters| parameters.ticket)
                .unwrap_or_default(),
        },
        EventType::Message => Call::Message {
            socket,
            text: event.body.unwrap_or_default(),
        },
        EventType::Disconnect => Call::Disconnect { socket },
    };
    match Box::pin(handler(app.clone(), call)).await {
        Ok(frame) => Answer {
            status_code: 200,
            body: frame.and_then(|frame| serde_json::to_string(&frame).ok()),
        },
        Err(app::Error::Unauthenticated) => Answer {
            status_code: 401,
            body: None,
        },
        Err(error) => {
            tracing::error!(error = error.chain(), "a websocket's event failed");
            Answer {
                status_code: 500,
                body: None,
            }
        }
    }
}
