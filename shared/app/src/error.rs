//! The one error of every act: what the caller may read, and what only the operator reads.
//!
//! It knows no status code and no acknowledgement. HTTP answers are made of it in `http`, and
//! ack or retry in the queue shell through [`Error::retry_after`].

use std::time::Duration;

use domain::contact::InvalidField;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// One field that was refused, with the fix in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing does not exist, or belongs to another workspace: the two look the same.
    #[error("{what} was not found")]
    NotFound { what: &'static str },
    /// Something given is not acceptable; every refused field is named.
    #[error("{}", summary(.0))]
    Invalid(Vec<FieldError>),
    /// The request is fine, but not in the present state.
    #[error("{message}")]
    Refused { code: &'static str, message: String },
    #[error("sign in, or send an API key that is valid")]
    Unauthenticated,
    #[error("this is not allowed here: {needed}")]
    Forbidden { needed: &'static str },
    /// Another system, WhatsApp above all, refused or could not be reached.
    #[error("{message}")]
    Upstream { message: String, retryable: bool },
    /// Not now: the work is someone else's until then.
    #[error("this is being worked on; try again in {} s", whole_seconds(*.after))]
    Later { after: Duration },
    /// More was asked than is allowed in this time.
    #[error("too many requests; try again in {} s", whole_seconds(*.after))]
    Limited { after: Duration },
    /// A defect or an outage of ours. The person reads only that it failed.
    #[error("{context}")]
    Internal {
        context: &'static str,
        retryable: bool,
        #[source]
        cause: Option<Cause>,
    },
}

impl Error {
    #[must_use]
    pub fn not_found(what: &'static str) -> Self {
        Self::NotFound { what }
    }

    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::Refused {
            code,
            message: message.into(),
        }
    }

    /// A failure that a repetition does not cure.
    pub fn internal(context: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Internal {
            context,
            retryable: false,
            cause: Some(cause.into()),
        }
    }

    /// A failure of something that usually works.
    pub fn unavailable(context: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Internal {
            context,
            retryable: true,
            cause: Some(cause.into()),
        }
    }

    /// A stored item that cannot be read, or a rule of ours that did not hold.
    #[must_use]
    pub fn broken(context: &'static str) -> Self {
        Self::Internal {
            context,
            retryable: false,
            cause: None,
        }
    }

    /// The stable word for machines. The web application and callers of the API decide by it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Refused { code, .. } => code,
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::Upstream { .. } => "upstream",
            Self::Later { .. } => "later",
            Self::Limited { .. } => "rate_limited",
            Self::Internal { .. } => "internal",
        }
    }

    /// Whether the same task may succeed when it is run again.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Later { .. } | Self::Limited { .. } => true,
            Self::Upstream { retryable, .. } | Self::Internal { retryable, .. } => *retryable,
            Self::NotFound { .. }
            | Self::Invalid(_)
            | Self::Refused { .. }
            | Self::Unauthenticated
            | Self::Forbidden { .. } => false,
        }
    }

    /// The error with its causes, for the log line where it is handled.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl From<InvalidField> for Error {
    fn from(refused: InvalidField) -> Self {
        Self::invalid(refused.field, refused.message)
    }
}

impl From<domain::campaign::Refused> for Error {
    fn from(refused: domain::campaign::Refused) -> Self {
        Self::refused("wrong_state", refused.to_string())
    }
}

/// A wait in whole seconds, never too short.
#[must_use]
pub fn whole_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1)
}

fn summary(fields: &[FieldError]) -> String {
    match fields {
        [one] => format!("{}: {}", one.field, one.message),
        many => format!("{} fields are not acceptable", many.len()),
    }
}

impl From<InvalidField> for FieldError {
    fn from(refused: InvalidField) -> Self {
        Self {
            field: refused.field,
            message: refused.message,
        }
    }
}
