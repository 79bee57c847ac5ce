//! The HTTP side of the files: where presigned URLs lead.

use app::Error;
use app::ports::Files;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_api::Failure;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::signature::Grant;
use super::{LocalFiles, Refused};

pub(super) fn router(files: LocalFiles) -> Router {
    Router::new()
        .route("/_files/{*key}", get(download).put(upload))
        .with_state(files)
}

#[derive(Deserialize)]
struct Signed {
    expires: i64,
    signature: String,
    size: Option<u64>,
    name: Option<String>,
}

async fn upload(
    State(files): State<LocalFiles>,
    Path(key): Path<String>,
    Query(signed): Query<Signed>,
    request: Request,
) -> Result<StatusCode, Failure> {
    let size = signed.size.ok_or_else(forbidden)?;
    if !files.allows(
        &key,
        &Grant::Put { size },
        signed.expires,
        &signed.signature,
    ) {
        return Err(forbidden());
    }
    // Said in advance, so that the sender need not send it all to hear of it.
    if announced(request.headers()).is_some_and(|announced| announced > size) {
        return Err(too_large(size));
    }
    match files
        .write(&key, request.into_body().into_data_stream(), size)
        .await
    {
        Ok(()) => Ok(StatusCode::OK),
        Err(Refused::TooLarge) => Err(too_large(size)),
        Err(Refused::CutOff(detail)) => Err(Failure::unreadable(
            StatusCode::BAD_REQUEST,
            "upload_incomplete",
            detail,
        )),
        Err(Refused::Failed(error)) => Err(error.into()),
    }
}

async fn download(
    State(files): State<LocalFiles>,
    Path(key): Path<String>,
    Query(signed): Query<Signed>,
) -> Result<Response, Failure> {
    let name = signed.name.ok_or_else(forbidden)?;
    let grant = Grant::Get { name: name.clone() };
    if !files.allows(&key, &grant, signed.expires, &signed.signature) {
        return Err(forbidden());
    }
    let size = files
        .size(&key)
        .await?
        .ok_or_else(|| Error::not_found("the file"))?;
    let bytes = files.open(&key, 0).await?;
    let headers = [
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (header::CONTENT_DISPOSITION, attachment(&name)),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'"),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        ),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Always an attachment: a file that somebody uploaded must not run on our origin.
fn attachment(name: &str) -> HeaderValue {
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// One answer for a wrong signature and for one whose time is over.
fn forbidden() -> Failure {
    let detail = "this link is not valid, or not valid any more";
    Failure::unreadable(StatusCode::FORBIDDEN, "link_invalid", detail)
}

fn too_large(size: u64) -> Failure {
    let detail = format!("this link takes {size} bytes");
    Failure::unreadable(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}
