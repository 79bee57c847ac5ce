//! An open screen: the events of a workspace as they come over a websocket.

use anyhow::{Context, bail};
use futures::StreamExt;
use reqwest::Client;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::access::Access;

pub struct Live {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Live {
    /// Opens one with the key of an instance's demo workspace.
    ///
    /// # Errors
    /// The instance gives no ticket, or refuses it.
    pub async fn open(access: &Access) -> anyhow::Result<Self> {
        let url = format!("{}/v1/realtime/ticket", access.url);
        let answer = Client::new()
            .post(&url)
            .bearer_auth(&access.api_key)
            .send()
            .await?;
        let ticket: Value = answer.error_for_status()?.json().await?;
        let url = ticket["url"].as_str().context("a ticket has no address")?;
        let (stream, _) = connect_async(url).await?;
        Ok(Self { stream })
    }

    /// The next frame.
    ///
    /// # Errors
    /// The socket is closed, or what came is not JSON.
    pub async fn next(&mut self) -> anyhow::Result<Value> {
        let Some(message) = self.stream.next().await else {
            bail!("the websocket is closed");
        };
        Ok(serde_json::from_str(message?.to_text()?)?)
    }
}
