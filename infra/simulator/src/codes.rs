//! The error codes Meta answers with: their titles, an example of the details, their HTTP status.
//! The same code can refuse a send at once or fail a message later (Meta: error codes).

use axum::http::StatusCode;

pub(crate) struct About {
    pub(crate) title: &'static str,
    pub(crate) details: &'static str,
}

/// The status is only a hint: Meta's clients are told to look at the code.
pub(crate) fn http(code: u32) -> StatusCode {
    match code {
        0 | 190 => StatusCode::UNAUTHORIZED,
        10 | 200..=299 | 368 | 130_497 | 131_005 | 131_031 => StatusCode::FORBIDDEN,
        132_001 => StatusCode::NOT_FOUND,
        3 | 131_000 | 131_016 | 131_045 | 131_057 | 133_000 | 134_102 => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        2 | 133_004 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

pub(crate) fn about(code: u32) -> About {
    let known = TABLE.iter().find(|(known, ..)| *known == code);
    let (title, details) = known.map_or(
        ("Something went wrong", "This code was asked for by a rule."),
        |(_, title, details)| (*title, *details),
    );
    About { title, details }
}

const TABLE: &[(u32, &str, &str)] = &[
    (
        2,
        "Service temporarily unavailable",
        "The service is down or overloaded.",
    ),
    (
        4,
        "Application request limit reached",
        "This app has made too many calls.",
    ),
    (10, "Permission denied", "The app may not use this edge."),
    (100, "Invalid parameter", "A parameter is not valid."),
    (
        368,
        "Temporarily blocked for policies violations",
        "The account was restricted.",
    ),
    (
        80_007,
        "Rate limit issues",
        "The account has reached its rate limit.",
    ),
    (
        130_403,
        "User is blocked",
        "The business has blocked this person.",
    ),
    (
        130_429,
        "Rate limit hit",
        "The phone number has reached its throughput.",
    ),
    (
        130_472,
        "User is part of an experiment",
        "Nothing is delivered to this person for now.",
    ),
    (
        130_497,
        "Country is restricted",
        "The account may not write to people of this country.",
    ),
    (
        131_000,
        "Something went wrong",
        "The message could not be sent for an unknown reason.",
    ),
    (
        131_005,
        "Access denied",
        "A permission is missing or was taken away.",
    ),
    (
        131_008,
        "Required parameter is missing",
        "A required parameter is missing.",
    ),
    (
        131_009,
        "Parameter value is not valid",
        "The value of a parameter is not valid.",
    ),
    (
        131_016,
        "Service unavailable",
        "A service is temporarily unavailable.",
    ),
    (
        131_021,
        "Sender and recipient are the same",
        "A number cannot write to itself.",
    ),
    (
        131_026,
        "Message undeliverable",
        "The message could not be delivered to this person.",
    ),
    (
        131_031,
        "Account has been locked",
        "The account was locked for a violation of the policy.",
    ),
    (
        131_042,
        "Business eligibility payment issue",
        "There is a problem with the account's payment method.",
    ),
    (
        131_047,
        "Re-engagement message",
        "More than a day has passed since this person last wrote.",
    ),
    (
        131_048,
        "Spam rate limit hit",
        "Too many people were written to, or too many complained.",
    ),
    (
        131_049,
        "Not delivered to protect the ecosystem",
        "This person had enough of such messages.",
    ),
    (
        131_050,
        "User opted out of marketing",
        "This person stopped marketing messages.",
    ),
    (
        131_051,
        "Unsupported message type",
        "The type of the message is not supported.",
    ),
    (
        131_052,
        "Media download error",
        "The media could not be downloaded.",
    ),
    (
        131_053,
        "Media upload error",
        "The media could not be uploaded: its type, codec or size is wrong.",
    ),
    (
        131_056,
        "Pair rate limit hit",
        "Too many messages to this person from this phone number.",
    ),
    (
        131_057,
        "Account in maintenance mode",
        "The phone number is being upgraded.",
    ),
    (
        131_059,
        "Paging cursor is not valid",
        "The cursor does not belong to this listing.",
    ),
    (
        132_000,
        "Number of parameters does not match",
        "The template has other parameters.",
    ),
    (
        132_001,
        "Template name does not exist in the translation",
        "There is no such template.",
    ),
    (
        132_005,
        "Filled template text is too long",
        "The filled text is too long.",
    ),
    (
        132_007,
        "Template content violates policy",
        "The content of the template violates the policy.",
    ),
    (
        132_012,
        "Parameter format does not match",
        "A parameter has another format than the template's.",
    ),
    (
        132_015,
        "Template is paused",
        "The template is paused for its quality.",
    ),
    (
        132_016,
        "Template is disabled",
        "The template is disabled for good.",
    ),
    (
        132_018,
        "Template parameters fail validation",
        "A parameter has characters that are not allowed.",
    ),
    (
        133_010,
        "Phone number is not registered",
        "The phone number is not registered on the platform.",
    ),
    (
        135_000,
        "Generic user error",
        "A parameter was wrong in an unknown way.",
    ),
];
