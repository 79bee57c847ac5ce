//! Where the outside begins. Each port has one implementation for AWS and one for the local process,
//! and one contract suite that both must pass.

use std::time::Duration;

use bytes::Bytes;
use domain::media::MediaType;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;
use crate::task::QueueName;

/// Time. Nothing in this crate reads or waits for any other.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Resolves at the instant, at once if it has passed.
    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()>;
}

/// One message on its way to a queue.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub queue: QueueName,
    pub body: String,
    /// Messages of one group share the queue's attention (standard) or its order (FIFO).
    pub group: String,
    /// At most 15 minutes (SQS: message timers).
    pub delay: Duration,
}

/// Durable, at least once. In no promised order, but for FIFO queues, which deliver a group's messages
/// one after the other; a message of theirs cannot be delayed (SQS: FIFO queues).
pub trait Queue: Send + Sync {
    /// Returns when every message is durable.
    fn send(&self, messages: Vec<Outgoing>) -> BoxFuture<'_, Result<(), Error>>;
}

/// A URL that lets its holder do one thing with one file for a while.
#[derive(Debug, Clone)]
pub struct Presigned {
    pub url: String,
    /// Headers that the caller must send along.
    pub headers: Vec<(String, String)>,
}

/// What whoever opens a file's URL is told of it.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// The name that it is saved under.
    pub name: &'a str,
    /// What it was found to be. Only what shows itself without running is shown in place; anything else
    /// is saved, because a page that somebody uploaded or sent must not run.
    pub mime_type: Option<MediaType>,
}

/// What an extended header parameter may carry as it is (RFC 8187, attr-char), less the few that
/// nobody misses in a file name.
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

impl<'a> Served<'a> {
    /// Saved under a name, and never shown.
    #[must_use]
    pub fn saved(name: &'a str) -> Self {
        let mime_type = None;
        Self { name, mime_type }
    }

    /// The header `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.mime_type
            .map_or("application/octet-stream", MediaType::as_str)
    }

    /// The header `Content-Disposition`. The plain name is for clients that know only ASCII (RFC 6266);
    /// names come from people, so nothing of one may end the header's value.
    #[must_use]
    pub fn disposition(&self) -> String {
        let shown = self.mime_type.is_some_and(MediaType::is_shown);
        let kind = if shown { "inline" } else { "attachment" };
        let plain: String = self
            .name
            .chars()
            .map(|c| match c {
                ' ' | '-' | '.' | '_' => c,
                c if c.is_ascii_alphanumeric() => c,
                _ => '_',
            })
            .collect();
        let full = utf8_percent_encode(self.name, ATTR_CHAR);
        format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{full}")
    }
}

/// Files, private unless a presigned URL is handed out.
pub trait Files: Send + Sync {
    /// A URL to `PUT` exactly `size` bytes.
    fn presign_put(
        &self,
        key: &str,
        size: u64,
        expires: Duration,
    ) -> BoxFuture<'_, Result<Presigned, Error>>;

    /// A URL to `GET` the file.
    fn presign_get(
        &self,
        key: &str,
        served: Served<'_>,
        expires: Duration,
    ) -> BoxFuture<'_, Result<Presigned, Error>>;

    /// The file's size, or `None` when it does not exist.
    fn size(&self, key: &str) -> BoxFuture<'_, Result<Option<u64>, Error>>;

    /// The bytes from `offset` on.
    fn open(
        &self,
        key: &str,
        offset: u64,
    ) -> BoxFuture<'_, Result<BoxStream<'static, std::io::Result<Bytes>>, Error>>;

    fn put(&self, key: &str, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>>;

    /// Deletes the file; one that does not exist is deleted already.
    fn delete(&self, key: &str) -> BoxFuture<'_, Result<(), Error>>;
}

/// A whole file, for one that is known to be small.
///
/// # Errors
/// The file does not exist or cannot be read.
pub(crate) async fn read(files: &dyn Files, key: &str) -> Result<Vec<u8>, Error> {
    let mut pieces = files.open(key, 0).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Error::unavailable("a file cannot be read", error))?;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// What became of a frame on its way to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    Sent,
    /// The socket is closed and never comes back.
    Gone,
    /// Not now: the socket is slow or the gateway is out of reach. The frame is lost, and whoever misses
    /// it asks for it.
    Retry,
}

/// Open websockets, wherever they end.
pub trait Push: Send + Sync {
    /// Sends a frame of text to the socket with the gateway's id.
    fn push(&self, socket: &str, frame: Bytes) -> BoxFuture<'_, Pushed>;
}

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    /// The same text twice: plain, and as a page of HTML.
    pub text: String,
    pub html: String,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum NotMailed {
    /// The letter itself is refused, so the same one is refused again.
    #[error("the mail was refused: {0}")]
    Refused(String),
    /// Whoever carries mails cannot be reached, or wants no more of them for a while.
    #[error("mail cannot be sent at the moment: {0}")]
    Unavailable(String),
}

/// Mails to people. None of its implementations knows a letter that it was given before, so whoever calls
/// it twice sends twice.
pub trait Mail: Send + Sync {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), NotMailed>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_the_header_it_stands_in() {
        let served = Served::saved("a\"; x=\"b\r\nSet-Cookie: c.csv");
        assert_eq!(
            served.disposition(),
            "attachment; filename=\"a__ x__b__Set-Cookie_ c.csv\"; filename*=UTF-8''a%22%3B%20x%3D%22b%0D%0ASet-Cookie%3A%20c.csv"
        );
    }

    #[test]
    fn only_what_shows_itself_is_shown_in_place() {
        let served = |mime_type| Served {
            name: "a",
            mime_type,
        };
        for shown in [
            MediaType::Jpeg,
            MediaType::Mp4,
            MediaType::Ogg,
            MediaType::Pdf,
        ] {
            assert!(served(Some(shown)).disposition().starts_with("inline;"));
            assert_eq!(served(Some(shown)).content_type(), shown.as_str());
        }
        for saved in [Some(MediaType::Text), Some(MediaType::WordXml), None] {
            assert!(served(saved).disposition().starts_with("attachment;"));
        }
        assert_eq!(served(None).content_type(), "application/octet-stream");
    }
}
