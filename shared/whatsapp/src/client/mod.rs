//! The HTTP client: connections, and one call from its start to the last byte of the answer.
//!
//! It never retries and never follows a redirect, because only the caller knows whether a second
//! attempt could reach a person twice. What one call tells about the message is decided in
//! [`send`]; calls that may be repeated are in [`account`] and [`media`].

mod account;
mod download;
mod gauge;
mod media;
mod receipt;
mod send;

use std::{error::Error, fmt, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode, Url, redirect};

pub use account::{Callback, Page, PhoneNumber};
pub use download::{DOWNLOAD_AT_MOST, DownloadError, MediaAddress};
pub use media::{KEPT, UPLOAD_AT_MOST, Upload, UploadedMedia};
pub use send::Accepted;

use gauge::Gauge;

/// Reused connections spare a handshake per message, and a number at 1,000 messages a second
/// keeps more than a thousand of them busy.
const IDLE_CONNECTIONS: usize = 2_048;
const IDLE_FOR: Duration = Duration::from_secs(90);
const CONNECT_AT_MOST: Duration = Duration::from_secs(5);

/// A client of the Cloud API at one address and version. Cheap to clone; clones share their
/// connections and their count of open calls.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    gauge: Gauge,
}

/// A business's token. It never shows in logs, whatever it is part of.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(pub String);

/// The address of the Cloud API in the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{base_url}` cannot be the address of the Cloud API: {problem}")]
pub struct InvalidBaseUrl {
    base_url: String,
    problem: String,
}

/// What came back, before anybody asked what it means.
enum Answer {
    Complete {
        status: StatusCode,
        body: Vec<u8>,
    },
    /// The connection never opened, so not one byte of the request left.
    NotConnected(String),
    /// The connection opened; anything may have happened.
    Lost(String),
}

impl Client {
    /// `base_url` carries the version: `https://graph.facebook.com/v26.0`. `timeout` covers a
    /// whole call, body included.
    pub fn new(base_url: &str, timeout: Duration) -> Result<Self, InvalidBaseUrl> {
        let invalid = |problem: String| InvalidBaseUrl {
            base_url: base_url.to_owned(),
            problem,
        };
        let base = Url::parse(base_url).map_err(|error| invalid(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid("it must begin with https:// or http://".to_owned()));
        }
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(timeout)
            // Shorter than the whole, so that a connection that never opens is told apart from
            // an answer that never comes.
            .connect_timeout(CONNECT_AT_MOST.min(timeout / 2))
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_FOR)
            .tcp_nodelay(true);
        // Plain http is a simulator on this machine or network; a proxy has no business there.
        if base.scheme() == "http" {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| invalid(chain(&error)))?;
        Ok(Self {
            http,
            base,
            gauge: Gauge::default(),
        })
    }

    /// How many calls are open right now, over all clones.
    pub fn open_calls(&self) -> usize {
        self.gauge.count()
    }

    /// Each part becomes one path segment, escaped: an id can never lead somewhere else.
    fn request(&self, method: Method, token: &AccessToken, path: [&str; 2]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(path.iter().filter(|part| !part.is_empty()));
        }
        self.http.request(method, url).bearer_auth(&token.0)
    }

    async fn call(&self, request: RequestBuilder) -> Answer {
        let _open = self.gauge.open();
        let response = match request.send().await {
            Ok(response) => response,
            // A request that could not even be built has not left either.
            Err(error) if error.is_connect() || error.is_builder() => {
                return Answer::NotConnected(chain(&error.without_url()));
            }
            Err(error) => return Answer::Lost(chain(&error.without_url())),
        };
        let status = response.status();
        match response.bytes().await {
            Ok(body) => Answer::Complete {
                status,
                body: body.into(),
            },
            Err(error) => Answer::Lost(chain(&error.without_url())),
        }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(hidden)")
    }
}

/// An error with its causes: the outermost alone only says that sending failed.
fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
