//! The mailbox of the local process: what would be mailed is kept in a file and shown on a page.
//!
//! Each mail is a line of JSON. The file is part of the data folder and so readable to its owner only; the
//! page is there for whoever reaches the process, which is why only the local process has it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use app::ports::{Clock, Letter, Mail, NotMailed};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many mails are shown, the newest first.
const SHOWN: usize = 100;

const PAGE: &str = include_str!("mailbox/page.html");

/// A mail as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    pub at: Timestamp,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Keeps mails instead of sending them. Clones are the same mailbox.
#[derive(Clone)]
pub struct Mailbox(Arc<Parts>);

struct Parts {
    path: PathBuf,
    /// One writer at a time, so that lines stay whole.
    file: Mutex<File>,
    clock: Arc<dyn Clock>,
}

impl Mailbox {
    /// # Errors
    /// The file cannot be written.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(path)?;
        Ok(Self(Arc::new(Parts {
            path: path.to_owned(),
            file: Mutex::new(file),
            clock,
        })))
    }

    /// The newest mails, the newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn newest(&self) -> std::io::Result<Vec<Kept>> {
        let mut mails = Vec::new();
        for line in BufReader::new(File::open(&self.0.path)?).lines() {
            // A process that died while it wrote leaves half a line behind.
            if let Ok(mail) = serde_json::from_str::<Kept>(&line?) {
                mails.push(mail);
            }
        }
        mails.reverse();
        mails.truncate(SHOWN);
        Ok(mails)
    }

    fn keep(&self, letter: Letter) -> std::io::Result<()> {
        let Letter {
            to,
            subject,
            text,
            html,
        } = letter;
        let kept = Kept {
            at: self.0.clock.now(),
            to,
            subject,
            text,
            html,
        };
        // It begins with a line break, in case the line before was not finished.
        let line = format!("\n{}\n", serde_json::to_string(&kept)?);
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes())
    }

    /// `GET /_local/mailbox`: a page for people, and below it the mails as JSON.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/_local/mailbox", get(page))
            .route("/_local/mailbox.json", get(mails))
            .with_state(self.clone())
    }
}

impl Mail for Mailbox {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), NotMailed>> {
        let kept = self.keep(letter);
        Box::pin(async { kept.map_err(|error| NotMailed::Unavailable(error.to_string())) })
    }
}

/// What a mail says is shown in a frame that can run nothing.
async fn page() -> Response {
    let mut response = Html(PAGE).into_response();
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
             frame-src 'self'; frame-ancestors 'none'",
        ),
    );
    response
}

async fn mails(State(mailbox): State<Mailbox>) -> Json<Value> {
    match tokio::task::spawn_blocking(move || mailbox.newest()).await {
        Ok(Ok(mails)) => Json(json!({ "items": mails })),
        Ok(Err(error)) => {
            tracing::error!(%error, "the mailbox cannot be read");
            Json(json!({ "items": [] }))
        }
        Err(error) => {
            tracing::error!(%error, "the mailbox cannot be read");
            Json(json!({ "items": [] }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::clock::SystemClock;

    #[tokio::test]
    async fn mails_are_kept_over_a_restart_and_half_a_line_hides_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mailbox.jsonl");
        let letter = |subject: &str| Letter {
            to: "a@example.com".to_owned(),
            subject: subject.to_owned(),
            text: "two\nlines".to_owned(),
            html: "<p>".to_owned(),
        };
        let open = || Mailbox::open(&path, Arc::new(SystemClock)).unwrap();
        open().send(letter("first")).await.unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"at\":\"2026-").unwrap();
        open().send(letter("second")).await.unwrap();
        let subjects: Vec<_> = open()
            .newest()
            .unwrap()
            .into_iter()
            .map(|mail| mail.subject)
            .collect();
        assert_eq!(subjects, ["second", "first"]);
    }
}
