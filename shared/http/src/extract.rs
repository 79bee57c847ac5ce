//! Reading requests: bodies, queries and ids, each refused with a problem that says what to mend.

use std::str::FromStr;

use app::Error;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::id::InvalidId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;

/// A JSON body, in or out.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match <axum::Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused(rejection)),
        }
    }
}

/// A body that may be left out, with its content type.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Failure> {
        let body = <axum::Json<T> as OptionalFromRequest<S>>::from_request(request, state).await;
        match body {
            Ok(body) => Ok(body.map(|axum::Json(value)| Self(value))),
            Err(rejection) => Err(refused(rejection)),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn refused(rejection: JsonRejection) -> Failure {
    match rejection {
        JsonRejection::JsonDataError(error) => shape(&error),
        other => Failure::unreadable(other.status(), "unreadable", other.body_text()),
    }
}

/// A value of the wrong shape. The reader says where it stands: `groups[0]: this is not a valid id`,
/// which acts write as `groups.0`.
fn shape(error: &dyn std::error::Error) -> Failure {
    let message = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    match message.split_once(": ") {
        Some((field, message)) => {
            let field = field.replace('[', ".").replace(']', "");
            Error::invalid(field, message).into()
        }
        None => Error::invalid("body", message).into(),
    }
}

/// A query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query: Result<axum::extract::Query<T>, QueryRejection> =
            axum::extract::Query::from_request_parts(parts, state).await;
        match query {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(shape(&rejection)),
        }
    }
}

/// The id in a path. What is not an id of this kind names nothing, so it is not found.
pub struct Id<T>(pub T);

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: FromStr<Err = InvalidId>,
    S: Send + Sync,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| {
                Failure::unreadable(rejection.status(), "unreadable", rejection.body_text())
            })?;
        text.parse()
            .map(Self)
            .map_err(|invalid: InvalidId| Error::not_found(invalid.kind).into())
    }
}
