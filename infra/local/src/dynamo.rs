//! DynamoDB in this process: the real SDK client, answered by an engine over SQLite.
//!
//! The seam is the SDK's HTTP client, so everything above it is the code that runs on AWS:
//! serialisation, expressions, typed errors, paginators. Not reproduced: throttling, conflicts
//! between transactions, reads that are behind, latency, lost answers. Whoever needs them puts an
//! [`Interceptor`] between the client and the engine.
//!
//! The engine blocks and has one lock, so it runs on threads of its own and never on the runtime,
//! which has to keep time. A commit survives the death of the process; a power cut may take back
//! the last ones (synchronous=NORMAL).

mod connector;
mod counts;
mod engine;
mod request;
mod tables;
mod wire;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use app::ports::Clock;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig,
};
use futures::future::BoxFuture;

use crate::template::Table;
pub use counts::{Count, Counts};
use engine::Engine;

/// Where the data is.
pub enum Place {
    /// Gone with the process. Expiry follows the given clock.
    Memory(Arc<dyn Clock>),
    File(PathBuf),
}

/// The database of one local process.
#[derive(Clone)]
pub struct Dynamo {
    client: Client,
    engine: Engine,
    counts: Arc<Counts>,
}

#[derive(Debug, thiserror::Error)]
pub enum DynamoError {
    #[error("the database cannot be opened: {0}")]
    Open(String),
    #[error("the table {table} cannot be made: {message}")]
    Table { table: String, message: String },
}

/// A request as it is on its way to DynamoDB.
#[derive(Debug, Clone)]
pub struct Call {
    /// `PutItem`, `TransactWriteItems`, …
    pub operation: String,
    /// The request in JSON.
    pub body: String,
}

/// What DynamoDB says.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// The answer did not arrive. Whether the request was carried out is not known to the caller.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection was lost")]
pub struct Lost;

/// Stands between the client and the engine, to be slow, refuse, repeat or lose.
pub trait Interceptor: Send + Sync {
    /// Passes the call on with [`Next::run`], once, several times or not at all.
    fn call(&self, call: Call, next: Next) -> BoxFuture<'static, Result<Answer, Lost>>;
}

/// The way on to the engine.
#[derive(Clone)]
pub struct Next {
    engine: Engine,
    counts: Arc<Counts>,
}

impl Dynamo {
    /// Opens the database and makes the tables, indexes and expiries that are not there yet.
    ///
    /// # Errors
    /// The file cannot be opened, or a table cannot be made as the template says.
    pub fn open(place: Place, tables: &[Table]) -> Result<Self, DynamoError> {
        Self::open_with(place, tables, None)
    }

    /// The same, with something between the client and the engine.
    ///
    /// # Errors
    /// As [`Dynamo::open`].
    pub fn open_with(
        place: Place,
        tables: &[Table],
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Result<Self, DynamoError> {
        let engine = Engine::open(place)?;
        for table in tables {
            tables::ensure(engine.database(), table)?;
        }
        let counts = Arc::<Counts>::default();
        let next = Next {
            engine: engine.clone(),
            counts: Arc::clone(&counts),
        };
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("local"))
            .endpoint_url("http://dynamodb.local")
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .http_client(connector::InProcess::new(next, interceptor))
            // What would be repeated here is a failure that a test put in, or a defect.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .idempotency_token_provider(request::NO_TOKEN)
            .build();
        Ok(Self {
            client: Client::from_conf(config),
            engine,
            counts,
        })
    }

    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Requests that have not been answered.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.counts.open.read()
    }

    /// What was asked of the database so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Deletes the items whose time is over, as DynamoDB does within days. How many there were.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn sweep_expired(&self) -> Result<usize, DynamoError> {
        let swept = self
            .engine
            .run(|database| database.sweep_ttl().map_err(|error| error.to_string()))
            .await;
        swept
            .unwrap_or_else(|| Err("its thread is gone".to_owned()))
            .map_err(DynamoError::Open)
    }
}

impl Next {
    pub async fn run(&self, call: Call) -> Answer {
        let counts = Arc::clone(&self.counts);
        let answer = self
            .engine
            .run(move |database| request::execute(database, &call, &counts))
            .await;
        answer.unwrap_or_else(|| Answer::error(500, "InternalServerError", "the database failed"))
    }
}

impl Answer {
    /// A refusal with one of DynamoDB's error codes, for example `ThrottlingException`.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
        Self {
            status,
            body: serde_json::json!({ "__type": kind, "message": message }).to_string(),
        }
    }
}
