//! Magic recipients: the last four digits of a number choose what happens to its messages, for
//! whoever tries the platform by hand. They work only where the setting is on.

use super::{Effect, Then};

const fn error(code: u32) -> Effect {
    Effect::Error { code, http: None }
}

const fn failed(code: u32) -> Effect {
    Effect::Failed {
        code,
        delay_ms: None,
    }
}

/// Every scenario: the digits, what happens, and what that means.
pub(crate) const SCENARIOS: &[(&str, Effect, &str)] = &[
    ("9901", failed(131_026), "is not on WhatsApp"),
    ("9902", failed(131_047), "has not written for a day"),
    (
        "9903",
        failed(131_048),
        "is one too many for the messaging limit",
    ),
    ("9904", failed(131_049), "had enough of such messages"),
    ("9905", failed(131_050), "stopped marketing messages"),
    ("9906", failed(130_472), "is part of an experiment"),
    ("9907", failed(131_042), "cannot be paid for"),
    ("9908", failed(131_053), "cannot be shown the media"),
    ("9911", error(130_429), "meets the throughput limit"),
    ("9912", error(131_056), "was written to too often"),
    ("9913", error(131_000), "is refused for no known reason"),
    ("9914", error(131_016), "meets an outage"),
    ("9915", error(131_057), "meets maintenance"),
    ("9916", error(131_009), "has a wrong parameter"),
    ("9917", error(131_031), "meets a locked account"),
    ("9918", error(190), "meets a token that is no longer valid"),
    ("9919", error(80_007), "meets the account's rate limit"),
    (
        "9921",
        Effect::Html500 { accepted: false },
        "gets an error page",
    ),
    (
        "9922",
        Effect::Timeout {
            accepted: true,
            after_ms: None,
        },
        "is accepted without an answer",
    ),
    (
        "9923",
        Effect::Timeout {
            accepted: false,
            after_ms: None,
        },
        "is not accepted, without an answer",
    ),
    (
        "9924",
        Effect::Reset { accepted: true },
        "is accepted and the connection cut",
    ),
    (
        "9925",
        Effect::Reset { accepted: false },
        "is not accepted and the connection cut",
    ),
    (
        "9926",
        Effect::Truncated { accepted: true },
        "is accepted with half an answer",
    ),
    (
        "9927",
        Effect::Truncated { accepted: false },
        "is not accepted, with half an answer",
    ),
    ("9928", Effect::SlowBody { ms: 5000 }, "gets a slow answer"),
    (
        "9931",
        Effect::Silent {},
        "is accepted and never heard of again",
    ),
    (
        "9932",
        Effect::Held {
            then: Then::Release,
            after_ms: 60_000,
        },
        "is held for a minute and released",
    ),
    (
        "9933",
        Effect::Held {
            then: Then::Drop,
            after_ms: 60_000,
        },
        "is held for a minute and dropped",
    ),
];

/// The scenario of a recipient, by their digits.
pub(crate) fn scenario(recipient: &str) -> Option<Effect> {
    SCENARIOS
        .iter()
        .find(|(digits, ..)| recipient.ends_with(digits))
        .map(|(_, effect, _)| *effect)
}
