//! `Idempotency-Key`: a request that is repeated with the same key is not carried out again; its answer is.
//!
//! An operation honours the header when its entry in the OpenAPI document takes [`IdempotencyKey`] as a
//! parameter, so that no other list says which do. Only successes are kept: a refusal did nothing, and
//! may be mended and sent with the same key.

use std::collections::HashSet;
use std::sync::Arc;

use app::idempotency::{self, Begun, Ended};
use app::{App, secret};
use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi, RefOr, Required, Type};

use crate::{Authenticated, BODY_MAX, Failure};

/// The header that names a request.
pub const KEY: &str = "Idempotency-Key";
/// The header of an answer that was kept.
pub const REPLAYED: &str = "Idempotency-Replayed";

/// The parameter of an operation that honours the header.
pub struct IdempotencyKey;

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"));
        let parameter = ParameterBuilder::new()
            .name(KEY)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "A key of the caller's own for this request. For 24 hours the same request with the same \
                 key gets the same answer and is not carried out again.",
            ))
            .schema(Some(schema));
        vec![parameter.build()]
    }
}

/// What a handler hands to an act that makes something: the same for each attempt at one request.
pub struct Once(pub app::idempotency::Once);

impl FromRequestParts<App> for Once {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let given = parts.extensions.get::<app::idempotency::Once>();
        let once = given.cloned();
        Ok(Self(
            once.unwrap_or_else(|| app::idempotency::Once::new(app.now())),
        ))
    }
}

/// The paths whose `POST` honours the header.
pub(crate) type Paths = Arc<HashSet<String>>;

pub(crate) fn paths(document: &OpenApi) -> Paths {
    let honours = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == KEY);
    let paths = document.paths.paths.iter();
    let honouring = paths.filter(|(_, item)| {
        let parameters = item.post.iter().flat_map(|post| &post.parameters);
        parameters.flatten().any(honours)
    });
    Arc::new(honouring.map(|(path, _)| path.clone()).collect())
}

/// The answer that is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    body: String,
}

pub(crate) async fn layer(
    State(paths): State<Paths>,
    Extension(app): Extension<App>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let honoured =
        request.method() == Method::POST && path.is_some_and(|path| paths.contains(path.as_str()));
    let Some(key) = request.headers().get(KEY).filter(|_| honoured).cloned() else {
        return next.run(request).await;
    };
    match once(&app, &key, request, next).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn once(
    app: &App,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    let Authenticated(actor) = Authenticated::from_request_parts(&mut parts, app).await?;
    let body = to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
    // What is not ASCII is refused as a key.
    let key = key.to_str().unwrap_or_default();
    let claim = match idempotency::begin(app, &actor, key, &asked(&parts, &body)).await? {
        Begun::First(claim) => claim,
        Begun::Before(answer) => return replayed(&answer),
        Begun::Other => {
            let detail = "this Idempotency-Key belongs to another request; use a new one";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Failure::unreadable(
                status,
                "idempotency_key_reused",
                detail,
            ));
        }
        Begun::Running(after) => {
            let detail = "a request with this Idempotency-Key is still being carried out";
            let failure = Failure::unreadable(StatusCode::CONFLICT, "idempotency_running", detail);
            return Err(failure.retry_after(app::error::whole_seconds(after)));
        }
    };
    parts.extensions.insert(claim.once.clone());
    parts.extensions.insert(Authenticated(actor));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        idempotency::end(app, claim, Ended::Failed).await;
        return Err(app::Error::broken("an answer broke off").into());
    };
    let ended = ended(parts.status, &body);
    idempotency::end(app, claim, ended).await;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn ended(status: StatusCode, body: &Bytes) -> Ended {
    if status.is_server_error() {
        return Ended::Failed;
    }
    let answer = Answer {
        status: status.as_u16(),
        body: String::from_utf8_lossy(body).into_owned(),
    };
    match serde_json::to_string(&answer) {
        Ok(answer) if status.is_success() => Ended::Done(answer),
        Ok(_) | Err(_) => Ended::Refused,
    }
}

fn replayed(answer: &str) -> Result<Response, Failure> {
    let answer: Answer = serde_json::from_str(answer)
        .map_err(|error| app::Error::internal("a kept answer cannot be read", error))?;
    let status = StatusCode::from_u16(answer.status)
        .map_err(|error| app::Error::internal("a kept answer has no status", error))?;
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/json"),
        (REPLAYED, "true"),
    ];
    Ok((status, headers, answer.body).into_response())
}

/// What is asked: the method, the path with its query, and the body, byte by byte.
fn asked(parts: &Parts, body: &Bytes) -> String {
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let body = secret::token_hash(&String::from_utf8_lossy(body));
    secret::token_hash(&format!("{} {path}\n{body}", parts.method))
}

fn too_large() -> Failure {
    let detail = "a body has at most 1 MB";
    Failure::unreadable(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}
