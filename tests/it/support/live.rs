//! A browser with an open websocket.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::journey::text;
use super::{Caller, TestApp};

/// A frame that takes longer does not come; nothing here takes a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Live {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The number of the log's last item when the ticket was made.
    pub(crate) last: u64,
}

impl Caller {
    /// A fresh ticket: the address to open a websocket at.
    pub(crate) async fn ticket(&self, t: &TestApp) -> Value {
        self.post(t, "/v1/realtime/ticket", Value::Null)
            .await
            .expect(201)
    }

    /// Opens a websocket, and returns when it is known to be open on both sides.
    pub(crate) async fn live(&self, t: &TestApp) -> Live {
        let ticket = self.ticket(t).await;
        let (stream, _) = connect_async(text(&ticket["url"])).await.unwrap();
        let last = ticket["last"].as_u64().unwrap();
        let mut live = Live { stream, last };
        live.ping().await;
        live
    }
}

/// The status with which a websocket is refused, or 101 when it opens.
pub(crate) async fn opening(url: &str) -> u16 {
    match connect_async(url).await {
        Ok((_, answer)) => answer.status().as_u16(),
        Err(Error::Http(answer)) => answer.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

impl Live {
    pub(crate) async fn send(&mut self, frame: Value) {
        let frame = Message::text(frame.to_string());
        self.stream.send(frame).await.unwrap();
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        let message = tokio::time::timeout(PATIENCE, self.stream.next()).await;
        let message = message.expect("a frame comes").unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    /// Asks something and returns the answer, which is the next frame.
    pub(crate) async fn ask(&mut self, frame: Value) -> Value {
        self.send(frame).await;
        self.next().await
    }

    /// The number of the log's last item. Nothing may have been pushed before.
    pub(crate) async fn ping(&mut self) -> u64 {
        let pong = self.ask(json!({"type": "ping"})).await;
        assert_eq!(pong["type"], "pong", "{pong}");
        pong["last"].as_u64().unwrap()
    }

    /// Everything that was pushed until now.
    pub(crate) async fn frames(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping"})).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "pong" || frame["code"] == "closed" {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// The events that were pushed until now, under contiguous numbers from the last ones on. What is of
    /// the moment has no number, and is left out.
    pub(crate) async fn events(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        let mut frames = self.frames().await;
        frames.retain(|frame| frame["type"] != "watched");
        frames.sort_by_key(|frame| frame["number"].as_u64());
        for frame in frames {
            assert_eq!(frame["number"], self.last + 1, "{frame}");
            self.last += 1;
            events.extend(frame["events"].as_array().unwrap().clone());
        }
        events
    }
}
