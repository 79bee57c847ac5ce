//! How Graph says no: one envelope, a code, an HTTP status that is only a hint.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::codes;

/// A synchronous refusal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) http: StatusCode,
    pub(crate) code: u32,
    subcode: Option<u32>,
    kind: &'static str,
    message: String,
    details: Option<String>,
}

impl Refusal {
    /// A refusal of the messaging layer: a known code and what exactly was wrong.
    pub(crate) fn new(code: u32, details: impl Into<String>) -> Self {
        let title = codes::about(code).title;
        Self {
            http: codes::http(code),
            code,
            subcode: None,
            kind: "OAuthException",
            message: format!("(#{code}) {title}"),
            details: Some(details.into()),
        }
    }

    /// A refusal that a rule asks for, with another status than the usual one if it says so.
    pub(crate) fn told(code: u32, http: Option<u16>) -> Self {
        let usual = match code {
            190 => Self::token(),
            _ => Self::new(code, codes::about(code).details),
        };
        let http = http.and_then(|http| StatusCode::from_u16(http).ok());
        Self {
            http: http.unwrap_or(usual.http),
            ..usual
        }
    }

    /// No token, or one that is not known here.
    pub(crate) fn token() -> Self {
        Self {
            http: StatusCode::UNAUTHORIZED,
            code: 190,
            subcode: None,
            kind: "OAuthException",
            message: "The access token is missing, malformed or no longer valid".into(),
            details: None,
        }
    }

    /// An object that is not there or not the token's; Graph does not tell the two apart.
    pub(crate) fn no_such_object(id: &str) -> Self {
        Self {
            http: StatusCode::BAD_REQUEST,
            code: 100,
            subcode: Some(33),
            kind: "GraphMethodException",
            message: format!(
                "Object with ID '{id}' does not exist, cannot be loaded with these permissions, \
                 or does not support this operation"
            ),
            details: None,
        }
    }

    pub(crate) fn no_such_field(field: &str, node: &str) -> Self {
        Self {
            message: format!("(#100) Field {field} does not exist on node type {node}"),
            details: None,
            ..Self::new(100, "")
        }
    }

    pub(crate) fn unknown_path() -> Self {
        Self {
            http: StatusCode::NOT_FOUND,
            code: 2500,
            subcode: None,
            kind: "OAuthException",
            message: "Unknown path components".into(),
            details: None,
        }
    }

    pub(crate) fn envelope(&self, trace: &str) -> Value {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": trace,
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        json!({ "error": error })
    }
}
