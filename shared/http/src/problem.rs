//! Errors as RFC 9457 problem documents. The only place that gives an error its status.

use app::Error;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, for machines by `code` and for people by `detail`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The kind of problem as a URI: `urn:blazz:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:blazz:problem:not_found")]
    pub kind: String,
    /// The status in words.
    #[schema(example = "Not Found")]
    pub title: String,
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The stable word that tells one problem from another.
    #[schema(example = "not_found")]
    pub code: String,
    /// A sentence for a person.
    #[schema(example = "the contact was not found")]
    pub detail: String,
    /// The fields at fault, when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where it stands in the body or the query: `audience.groups.0`.
    #[schema(example = "name")]
    pub field: String,
    #[schema(example = "a name is required")]
    pub message: String,
}

/// A failed handler.
#[derive(Debug)]
pub struct Failure(Box<Answer>);

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    problem: Problem,
    retry_after: Option<u64>,
}

impl Failure {
    /// A request that could not be read.
    #[must_use]
    pub fn unreadable(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self::new(status, code, detail.into())
    }

    /// The caller may try again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    fn new(status: StatusCode, code: &str, detail: String) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        let problem = Problem {
            kind: kind(code),
            title,
            status: status.as_u16(),
            code: code.to_owned(),
            detail,
            errors: Vec::new(),
        };
        Self(Box::new(Answer {
            status,
            problem,
            retry_after: None,
        }))
    }
}

/// The `type` of a problem with this code.
pub(crate) fn kind(code: &str) -> String {
    format!("urn:blazz:problem:{code}")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Refused {
                code: "wrong_credentials",
                ..
            }
            | Error::Unauthenticated => StatusCode::UNAUTHORIZED,
            Error::Refused { .. } => StatusCode::CONFLICT,
            Error::Forbidden { .. } => StatusCode::FORBIDDEN,
            Error::Upstream { .. } => StatusCode::BAD_GATEWAY,
            Error::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Later { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let detail = match &error {
            Error::Internal { .. } => {
                tracing::error!(error = error.chain(), "a request failed");
                "something failed on our side; try again, and tell us if it stays".to_owned()
            }
            other => other.to_string(),
        };
        let mut failure = Self::new(status, error.code(), detail);
        match error {
            Error::Invalid(fields) => {
                let fields = fields.into_iter();
                failure.0.problem.errors = fields
                    .map(|field| FieldProblem {
                        field: field.field,
                        message: field.message,
                    })
                    .collect();
            }
            Error::Later { after } | Error::Limited { after } => {
                return failure.retry_after(app::error::whole_seconds(after));
            }
            _ => {}
        }
        failure
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, axum::Json(self.0.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

pub(crate) async fn unknown_path(uri: Uri) -> Failure {
    Failure::new(
        StatusCode::NOT_FOUND,
        "not_found",
        format!("there is nothing at {}", uri.path()),
    )
}

pub(crate) async fn unknown_method(uri: Uri) -> Failure {
    let detail = format!("{} does not take this method", uri.path());
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
