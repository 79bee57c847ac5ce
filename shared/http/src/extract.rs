//! Reading requests: bodies, queries and ids, each refused with a problem that says what to mend.

use std::str::FromStr;

use app::Error;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::StatusCode;
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
        let request = object(request, state).await?;
        match <axum::Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

/// A body that may be left out, with its content type.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Failure> {
        let request = object(request, state).await?;
        let body = <axum::Json<T> as OptionalFromRequest<S>>::from_request(request, state).await;
        match body {
            Ok(body) => Ok(body.map(|axum::Json(value)| Self(value))),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Every body is an object. A reader would take a list as well, its values for the fields in their order.
async fn object<S: Send + Sync>(request: Request, state: &S) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let bytes = match Bytes::from_request(whole, state).await {
        Ok(bytes) => bytes,
        Err(rejection) => return Err(refused(&rejection.into())),
    };
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Error::invalid("body", "send an object, not a list").into());
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn refused(rejection: &JsonRejection) -> Failure {
    let (code, detail) = match rejection {
        JsonRejection::JsonDataError(error) => return shape(error),
        JsonRejection::MissingJsonContentType(_) => (
            "unsupported_media_type",
            "send the body as application/json".to_owned(),
        ),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ("too_large", "a body has at most 1 MB".to_owned())
        }
        other => ("unreadable", other.body_text()),
    };
    Failure::unreadable(rejection.status(), code, detail)
}

/// A value of the wrong shape. The reader says where it stands: `groups[0]: this is not a valid id`,
/// which acts write as `groups.0`. A field that is missing or unknown is named as such.
fn shape(error: &dyn std::error::Error) -> Failure {
    let message = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let (place, message) = match message.split_once(": ") {
        Some((place, message)) if !place.contains(' ') => {
            (place.replace('[', ".").replace(']', ""), message)
        }
        Some(_) | None => (String::new(), message.as_str()),
    };
    // Where it stands in the text helps nobody who has the field.
    let message = message.split(" at line ").next().unwrap_or(message);
    let named = |beginning: &str| {
        let rest = message.strip_prefix(beginning)?;
        rest.split('`').next()
    };
    let (field, message) = if let Some(name) = named("missing field `") {
        (join(&place, name), "this field is required")
    } else if let Some(name) = named("unknown field `") {
        (join(&place, name), message)
    } else {
        (place, message)
    };
    let field = if field.is_empty() { "body" } else { &field };
    Error::invalid(field, message).into()
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() || place == "?" {
        name.to_owned()
    } else if place == name || place.ends_with(&format!(".{name}")) {
        place.to_owned()
    } else {
        format!("{place}.{name}")
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
        let Segment(text) = Segment::from_request_parts(parts, state).await?;
        text.parse()
            .map(Self)
            .map_err(|invalid: InvalidId| Error::not_found(invalid.kind).into())
    }
}

/// Two ids in a path, as they follow each other there.
pub struct Ids<A, B>(pub A, pub B);

impl<A, B, S> FromRequestParts<S> for Ids<A, B>
where
    A: FromStr<Err = InvalidId>,
    B: FromStr<Err = InvalidId>,
    S: Send + Sync,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let nothing = |invalid: InvalidId| Error::not_found(invalid.kind);
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((a, b))) => Ok(Self(
                a.parse().map_err(nothing)?,
                b.parse().map_err(nothing)?,
            )),
            Err(_) => Err(Error::not_found("the page").into()),
        }
    }
}

/// The name in a path of something whose ids are not ours to judge.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            // What is not even text names nothing.
            Err(_) => Err(Error::not_found("what the path names").into()),
        }
    }
}
