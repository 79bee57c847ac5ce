//! What can go wrong at Meta, and what each trouble means for whoever sends.
//!
//! One table ([`table`]) gives every code its class and its words; campaigns, chats and failed
//! status webhooks all read it. The outcome of a send follows from the class:
//!
//! | What came back | Becomes | Sent? |
//! |---|---|---|
//! | no connection | [`SendError::NotSent`] | no |
//! | Meta's error, any class but `Unclear` | [`SendError::Refused`] | no |
//! | Meta's error, class `Unclear` (1, 2, 131000, 131016, 133004; an unknown code with a 5xx) | [`SendError::Unknown`] | perhaps |
//! | any other answer: bare 4xx or 5xx, HTML, a redirect, cut or unreadable JSON, 200 without an id | [`SendError::Unknown`] | perhaps |
//! | timeout or reset after the connection opened | [`SendError::Unknown`] | perhaps |
//!
//! "Perhaps" is never sent again by guess: Meta has no idempotency key, and a person must not
//! get the same message twice. The status webhook settles it.

mod table;

use serde_json::Value;

use crate::lenient;

/// The person has stopped marketing messages of this business (Meta: error codes).
pub const STOPPED: i64 = 131_050;

/// What a refusal asks of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The number or account sends too fast: slow it down and try this message again.
    Slow,
    /// This person got too many messages at once: try again in seconds; others are unaffected.
    HoldPerson,
    /// This message will not reach this person: it failed, with a reason in words.
    DropPerson,
    /// Everybody would be refused the same way: pause and tell the owner why.
    StopCampaign,
    /// As the answer to a send: it may have been accepted all the same. In a failed status the
    /// message simply failed.
    Unclear,
}

/// Whether "retry failed" should offer this message again, once it has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Again {
    /// Nothing would change until the person, the number or the content does.
    Never,
    /// The cause may be gone.
    Anytime,
    /// Meta punishes an earlier attempt (Meta: per-user marketing limits).
    AfterADay,
}

/// Meta's own error: proof that Meta read the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Meta refused the call: code {code}, HTTP {http_status}, trace {}", .fbtrace_id.as_deref().unwrap_or("none"))]
pub struct MetaError {
    pub code: i64,
    pub subcode: Option<i64>,
    /// Meta's title. It may change; decide by `code`.
    pub message: String,
    /// What exactly was wrong. It can quote what was sent, so it is for the owner, not for logs.
    pub details: Option<String>,
    pub http_status: u16,
    pub fbtrace_id: Option<String>,
}

/// Why a message has no wamid. The three must never be mixed up: see the module's table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Refused(#[from] MetaError),
    #[error("the message was not sent: {0}")]
    NotSent(String),
    #[error("it is unknown whether the message was sent: {0}")]
    Unknown(String),
}

/// Why a call that sends no message failed. All of these calls may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Refused(#[from] MetaError),
    #[error("WhatsApp could not be reached: {0}")]
    Unreachable(String),
    #[error("WhatsApp's answer could not be read: {0}")]
    Unreadable(String),
}

impl MetaError {
    pub fn class(&self) -> ErrorClass {
        class(self.code, self.subcode, Some(self.http_status))
    }

    /// What happened, in words for a person.
    pub fn reason(&self) -> &'static str {
        reason(self.code)
    }

    /// Reads Meta's error envelope. `None` when the body is anything else, however it failed.
    pub(crate) fn parse(http_status: u16, body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let error = body.get("error")?;
        Some(Self {
            code: lenient::integer(error, "code")?,
            subcode: lenient::integer(error, "error_subcode"),
            message: lenient::text(error, "message").unwrap_or_default(),
            details: lenient::details(error).or_else(|| lenient::text(error, "error_user_msg")),
            http_status,
            fbtrace_id: lenient::text(error, "fbtrace_id"),
        })
    }
}

/// The class of a code. `http_status` is absent for codes that came in a webhook; it only matters
/// for codes the table does not know (Meta: branch on the code, the status is a hint).
pub fn class(code: i64, subcode: Option<i64>, http_status: Option<u16>) -> ErrorClass {
    // "Object does not exist or no permission": the number is gone, not the request wrong.
    if code == 100 && subcode == Some(33) {
        return ErrorClass::StopCampaign;
    }
    if let Some(row) = table::row(code) {
        return row.class;
    }
    // A code Meta added later. On a server error it may come from behind the point where the
    // message was taken. Otherwise it is this message's own trouble until we know better: one
    // strange recipient must not stop a campaign, nor be tried for ever.
    match http_status {
        Some(500..) => ErrorClass::Unclear,
        Some(429) => ErrorClass::Slow,
        Some(401 | 403) => ErrorClass::StopCampaign,
        Some(_) | None => ErrorClass::DropPerson,
    }
}

/// Why a message failed, in words a person reads.
pub fn reason(code: i64) -> &'static str {
    table::row(code).map_or("WhatsApp did not deliver the message.", |row| row.reason)
}

/// Whether a message that failed with this code may be offered again.
pub fn again(code: i64) -> Again {
    table::row(code).map_or(Again::Anytime, |row| row.again)
}

#[cfg(test)]
mod tests;
