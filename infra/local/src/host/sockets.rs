//! The gateway of the websockets, by the rules of API Gateway's: a socket is opened when the function
//! agrees, each frame is an invocation whose answer goes to its client, and a socket ends after ten idle
//! minutes or two hours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::ports::{Push, Pushed};
use app::realtime::Call;
use app::{App, Error};
use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use domain::realtime::Frame;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::meter::Meter;
use crate::gauge::Gauge;

#[cfg(test)]
mod tests;

/// The largest message and the largest frame of one (API Gateway: websocket quotas).
const MESSAGE_MAX: usize = 128 * 1024;
const FRAME_MAX: usize = 32 * 1024;

/// How many frames may wait for a slow client.
const WAITING_MAX: usize = 256;

/// A client that takes longer for one frame is cut off.
const SLOW: Duration = Duration::from_secs(10);

/// When a socket ends by itself (API Gateway: websocket quotas).
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) idle: Duration,
    pub(super) life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(10 * 60),
            life: Duration::from_secs(2 * 60 * 60),
        }
    }
}

/// What the function makes of what the gateway reports.
pub(super) type Handler =
    Arc<dyn Fn(App, Call) -> BoxFuture<'static, Result<Option<Frame>, Error>> + Send + Sync>;

/// The open sockets of the process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Sockets(Arc<Open>);

#[derive(Debug, Default)]
struct Open {
    sockets: Mutex<HashMap<String, mpsc::Sender<Message>>>,
    stop: CancellationToken,
}

impl Sockets {
    /// Closes every socket, and each that is opened later.
    pub fn close(&self) {
        self.0.stop.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<Message>>> {
        let sockets = &self.0.sockets;
        sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Push for Sockets {
    fn push(&self, socket: &str, frame: Bytes) -> BoxFuture<'_, Pushed> {
        let sender = self.lock().get(socket).cloned();
        let text = String::from_utf8_lossy(&frame).into_owned();
        let pushed = match sender.map(|sender| sender.try_send(Message::Text(text.into()))) {
            Some(Ok(())) => Pushed::Sent,
            Some(Err(TrySendError::Full(_))) => Pushed::Retry,
            Some(Err(TrySendError::Closed(_))) | None => Pushed::Gone,
        };
        Box::pin(async move { pushed })
    }
}

/// The function behind the sockets, and what it takes to invoke it.
#[derive(Clone)]
pub(super) struct Gateway {
    pub(super) app: App,
    pub(super) function: String,
    pub(super) handler: Handler,
    pub(super) timeout: Duration,
    pub(super) limits: Limits,
    pub(super) sockets: Sockets,
    pub(super) open: Gauge,
    pub(super) meter: Meter,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    ticket: String,
}

pub(super) fn router(path: &str, gateway: Gateway) -> Router {
    Router::new()
        .route(path, get(connect))
        .with_state(Arc::new(gateway))
}

async fn connect(
    State(gateway): State<Arc<Gateway>>,
    Query(address): Query<Address>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let socket = format!("{:032x}", rand::random::<u128>());
    let call = Call::Connect {
        socket: socket.clone(),
        ticket: address.ticket,
    };
    match gateway.invoke(call).await {
        Ok(_) => upgrade
            .max_message_size(MESSAGE_MAX)
            .max_frame_size(FRAME_MAX)
            .on_upgrade(async move |stream| gateway.serve(socket, stream).await),
        Err(Error::Unauthenticated) => StatusCode::UNAUTHORIZED.into_response(),
        Err(error) => {
            tracing::error!(error = error.chain(), "a websocket cannot be opened");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Gateway {
    /// In a task of its own, so that a panic is an answer like any other.
    async fn invoke(&self, call: Call) -> Result<Option<Frame>, Error> {
        let open = (self.open.enter(), self.meter.begin(&self.function));
        let run = tokio::time::timeout(self.timeout, (self.handler)(self.app.clone(), call));
        let run = tokio::spawn(async move {
            let _open = open;
            run.await
        });
        match run.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::broken("an invocation took too long")),
            Err(error) => Err(Error::internal("an invocation panicked", error)),
        }
    }

    async fn serve(self: Arc<Self>, socket: String, mut stream: WebSocket) {
        let (sender, frames) = mpsc::channel(WAITING_MAX);
        self.sockets.lock().insert(socket.clone(), sender.clone());
        let reason = self.run(&socket, &mut stream, sender, frames).await;
        self.sockets.lock().remove(&socket);
        let close = Message::Close(Some(CloseFrame {
            code: close_code::AWAY,
            reason: reason.into(),
        }));
        // Usually the client has gone first.
        let _ = tokio::time::timeout(SLOW, stream.send(close)).await;
        if let Err(error) = self.invoke(Call::Disconnect { socket }).await {
            tracing::warn!(error = error.chain(), "a closed websocket stays listed");
        }
    }

    /// Carries frames in both directions until the socket ends; returns why.
    async fn run(
        self: &Arc<Self>,
        socket: &str,
        stream: &mut WebSocket,
        sender: mpsc::Sender<Message>,
        mut frames: mpsc::Receiver<Message>,
    ) -> &'static str {
        let end = Instant::now() + self.limits.life;
        let mut idle = Instant::now() + self.limits.idle;
        loop {
            tokio::select! {
                () = self.sockets.0.stop.cancelled() => return "the gateway stops",
                () = tokio::time::sleep_until(end) => return "Connection duration exceeded",
                () = tokio::time::sleep_until(idle) => return "Idle connection",
                Some(frame) = frames.recv() => {
                    match tokio::time::timeout(SLOW, stream.send(frame)).await {
                        Ok(Ok(())) => idle = Instant::now() + self.limits.idle,
                        Ok(Err(_)) | Err(_) => return "the client takes nothing",
                    }
                }
                message = stream.recv() => match message {
                    Some(Ok(Message::Text(text))) => {
                        idle = Instant::now() + self.limits.idle;
                        self.hear(socket.to_owned(), text.to_string(), sender.clone());
                    }
                    // The protocol's own pings do not count.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Binary(_))) => return "only text is taken",
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return "the client has gone",
                },
            }
        }
    }

    /// Every frame is an invocation of its own, beside the others.
    fn hear(self: &Arc<Self>, socket: String, text: String, sender: mpsc::Sender<Message>) {
        let gateway = Arc::clone(self);
        tokio::spawn(async move {
            let answer = match gateway.invoke(Call::Message { socket, text }).await {
                Ok(Some(frame)) => serde_json::to_string(&frame).ok(),
                Ok(None) => None,
                Err(error) => {
                    tracing::error!(error = error.chain(), "a websocket's frame failed");
                    // What API Gateway says then.
                    Some(r#"{"message":"Internal server error"}"#.to_owned())
                }
            };
            if let Some(text) = answer {
                // A socket that has closed meanwhile needs no answer.
                let _ = sender.send(Message::Text(text.into())).await;
            }
        });
    }
}
