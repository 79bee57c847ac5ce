//! Open websockets at API Gateway, through its management API.

use std::time::Duration;

use app::ports::{Push, Pushed};
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;
use futures::future::BoxFuture;

#[cfg(test)]
mod tests;

/// A frame that takes longer is lost, which its client will notice; nobody else is to wait for it.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct GatewayPush {
    /// `None` in a function that has no right to push.
    client: Option<Client>,
}

impl GatewayPush {
    #[must_use]
    pub fn new(client: Option<Client>) -> Self {
        Self { client }
    }
}

impl Push for GatewayPush {
    fn push(&self, socket: &str, frame: Bytes) -> BoxFuture<'_, Pushed> {
        let Some(client) = &self.client else {
            tracing::error!("this function was not given the address to push to");
            return Box::pin(async { Pushed::Retry });
        };
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE);
        let overridden =
            aws_sdk_apigatewaymanagement::Config::builder().timeout_config(timeouts.build());
        let sent = client
            .post_to_connection()
            .connection_id(socket)
            .data(Blob::new(frame))
            .customize()
            .config_override(overridden)
            .send();
        Box::pin(async move {
            match sent.await {
                Ok(_) => Pushed::Sent,
                // By the status, which is there whatever the gateway says besides.
                Err(error) if error.raw_response().is_some_and(is_gone) => Pushed::Gone,
                Err(error) => {
                    tracing::warn!(%error, "a frame was not pushed");
                    Pushed::Retry
                }
            }
        })
    }
}

/// The connection is closed (API Gateway: `POST @connections`).
fn is_gone(answer: &HttpResponse) -> bool {
    answer.status().as_u16() == 410
}
