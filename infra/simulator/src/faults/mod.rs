//! What can be made to go wrong with a send, and who decides it: a rule of the control plane, or
//! the last digits of the recipient.

mod magic;
mod rules;

use serde::{Deserialize, Serialize};

pub(crate) use magic::{SCENARIOS, scenario};
pub(crate) use rules::{Rule, Rules, Seen};

use crate::fate::Cause;
use crate::graph::Refusal;

/// What happens to a send that passed Meta's own checks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Effect {
    /// Refused with a code; the HTTP status is the usual one of the code unless it is given.
    Error { code: u32, http: Option<u16> },
    /// Accepted, and failed later.
    Failed { code: u32, delay_ms: Option<u64> },
    /// An error page of the edge, which no client of an API expects.
    #[serde(rename = "html_500")]
    Html500 {
        #[serde(default)]
        accepted: bool,
    },
    /// No answer for a minute, or for as long as it says; then the connection is cut.
    Timeout {
        accepted: bool,
        after_ms: Option<u64>,
    },
    /// The connection is cut when the answer is due.
    Reset { accepted: bool },
    /// The first half of the answer, as if it were all.
    Truncated { accepted: bool },
    /// An answer whose second half comes this much later than its first.
    SlowBody { ms: u64 },
    /// Accepted, and nobody ever hears of it again.
    Silent {},
    /// Accepted to be looked at first (Meta: template pacing).
    Held { then: Then, after_ms: u64 },
}

/// What becomes of a message that was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    Release,
    Drop,
}

/// How the answer gets to the client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Transport {
    Whole,
    Html500,
    /// Nothing for so many milliseconds, then the end of the connection.
    Hang(u64),
    Cut,
    Half,
    Slow(u64),
}

const HANG_MS: u64 = 60_000;

impl Effect {
    /// The refusal it makes of a send.
    pub(crate) fn refusal(self) -> Option<Refusal> {
        match self {
            Effect::Error { code, http } => Some(Refusal::told(code, http)),
            _ => None,
        }
    }

    /// Whether the message gets into the ledger.
    pub(crate) fn accepts(self) -> bool {
        match self {
            Effect::Error { .. } => false,
            Effect::Html500 { accepted }
            | Effect::Timeout { accepted, .. }
            | Effect::Reset { accepted }
            | Effect::Truncated { accepted } => accepted,
            Effect::Failed { .. }
            | Effect::SlowBody { .. }
            | Effect::Silent {}
            | Effect::Held { .. } => true,
        }
    }

    pub(crate) fn transport(self) -> Transport {
        match self {
            Effect::Html500 { .. } => Transport::Html500,
            Effect::Timeout { after_ms, .. } => Transport::Hang(after_ms.unwrap_or(HANG_MS)),
            Effect::Reset { .. } => Transport::Cut,
            Effect::Truncated { .. } => Transport::Half,
            Effect::SlowBody { ms } => Transport::Slow(ms),
            Effect::Error { .. }
            | Effect::Failed { .. }
            | Effect::Silent {}
            | Effect::Held { .. } => Transport::Whole,
        }
    }

    /// The fate it gives to an accepted message; `None` leaves that to what comes after.
    pub(crate) fn cause(self) -> Option<Cause> {
        match self {
            Effect::Failed { code, delay_ms } => Some(Cause::Failure { code, delay_ms }),
            Effect::Silent {} => Some(Cause::Silence),
            Effect::Held { then, after_ms } => Some(Cause::Held { then, after_ms }),
            _ => None,
        }
    }

    /// Under which name the report counts the sends it swallowed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Effect::Error { .. } => "error",
            Effect::Failed { .. } => "failed",
            Effect::Html500 { .. } => "html_500",
            Effect::Timeout { .. } => "timeout",
            Effect::Reset { .. } => "reset",
            Effect::Truncated { .. } => "truncated",
            Effect::SlowBody { .. } => "slow_body",
            Effect::Silent {} => "silent",
            Effect::Held { .. } => "held",
        }
    }
}
