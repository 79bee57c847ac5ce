//! The configuration: one struct, read once. The only place that reads the environment.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use crate::secret::MasterKey;
use crate::task::QueueName;

#[derive(Debug, Clone)]
pub struct Config {
    /// Where the product is reached from outside, without a trailing slash.
    pub public_url: String,
    /// Where browsers open websockets: `wss://…/ws`.
    pub realtime_url: String,
    /// Meta's Graph API with its version: `https://graph.facebook.com/v26.0`.
    pub graph_url: String,
    /// How long a call to Meta may take before its result is unknown.
    pub graph_timeout: Duration,
    /// The secrets of the installation's own Meta app; two while one is being rotated.
    pub app_secrets: Vec<String>,
    /// What Meta must present when it verifies the webhook address.
    pub verify_token: String,
    /// Encrypts access tokens at rest.
    pub master_key: MasterKey,
    pub tables: Tables,
    pub queues: Queues,
    pub bucket: String,
    /// Session cookies are `__Host-` and Secure; a local installation on plain HTTP may turn it off.
    pub secure_cookies: bool,
    /// How many requests a minute an API key may make, half of them at once.
    pub requests_per_minute: u32,
    /// How many proxies of ours stand before the gateway: each notes in `X-Forwarded-For` whom it was
    /// asked by, and what is noted before the first of them is the caller's own invention.
    pub proxies: usize,
}

/// The names of the tables.
#[derive(Debug, Clone)]
pub struct Tables {
    pub main: String,
    pub contacts: String,
    pub campaigns: String,
    pub chats: String,
    pub search: String,
    pub ephemeral: String,
}

/// The address of each queue.
#[derive(Debug, Clone, Default)]
pub struct Queues(pub HashMap<QueueName, String>);

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the environment variable {0} is not set")]
    Missing(String),
    #[error("the environment variable {0} cannot be used: {1}")]
    Invalid(&'static str, String),
}

impl Config {
    /// The configuration of a deployed function. A function is given only what its role may use, so
    /// a table or queue that is absent is an empty name; using it fails at AWS, not silently.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        let optional = |name: &str| required(name).unwrap_or_default();
        let queues = QueueName::ALL
            .into_iter()
            .map(|queue| (queue, optional(&queue_variable(queue))))
            .filter(|(_, url)| !url.is_empty())
            .collect();
        Ok(Self {
            public_url: required("PUBLIC_URL")?,
            realtime_url: optional("REALTIME_URL"),
            graph_url: required("GRAPH_URL")?,
            graph_timeout: Duration::from_secs(30),
            app_secrets: optional("APP_SECRETS")
                .split(',')
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect(),
            verify_token: optional("VERIFY_TOKEN"),
            master_key: MasterKey::parse(&required("MASTER_KEY")?)
                .map_err(|error| ConfigError::Invalid("MASTER_KEY", error.to_string()))?,
            tables: Tables {
                main: optional("TABLE_MAIN"),
                contacts: optional("TABLE_CONTACTS"),
                campaigns: optional("TABLE_CAMPAIGNS"),
                chats: optional("TABLE_CHATS"),
                search: optional("TABLE_SEARCH"),
                ephemeral: optional("TABLE_EPHEMERAL"),
            },
            queues: Queues(queues),
            bucket: optional("BUCKET"),
            secure_cookies: true,
            requests_per_minute: number("REQUESTS_PER_MINUTE", REQUESTS_PER_MINUTE)?,
            proxies: number("PROXIES", 0)?,
        })
    }
}

/// What an API key may ask for when nothing else is said.
pub const REQUESTS_PER_MINUTE: u32 = 600;

/// The variable that holds a queue's address: `QUEUE_CAMPAIGN_PLAN`.
#[must_use]
pub fn queue_variable(queue: QueueName) -> String {
    format!("QUEUE_{}", queue.as_str().to_uppercase().replace('-', "_"))
}

/// A number, or the usual one when the variable is not set.
fn number<T: FromStr>(name: &'static str, usual: T) -> Result<T, ConfigError> {
    match required(name) {
        Ok(text) if !text.is_empty() => text
            .parse()
            .map_err(|_| ConfigError::Invalid(name, "it must be a number".to_owned())),
        Ok(_) | Err(_) => Ok(usual),
    }
}

/// A variable of the local process, which has settings of its own beside these.
///
/// # Errors
/// It is not set.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
pub fn required(name: &str) -> Result<String, ConfigError> {
    std::env::var(name).map_err(|_| ConfigError::Missing(name.to_owned()))
}
