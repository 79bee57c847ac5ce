//! The HTTP side of the files: where presigned URLs lead.

use app::Error;
use app::ports::{Files, Served};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use domain::media::MediaType;
use http_api::Failure;
use serde::Deserialize;
use tower::ServiceExt;
use tower_http::services::ServeFile;

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
    #[serde(rename = "type")]
    mime_type: Option<String>,
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

/// Serves the file, or the part of it that is asked for: players of sound and video ask for parts.
async fn download(
    State(files): State<LocalFiles>,
    Path(key): Path<String>,
    Query(signed): Query<Signed>,
    request: Request,
) -> Result<Response, Failure> {
    let name = signed.name.ok_or_else(forbidden)?;
    let mime_type = match signed.mime_type {
        Some(text) => Some(MediaType::parse(&text).map_err(|_| forbidden())?),
        None => None,
    };
    let grant = Grant::Get {
        name: name.clone(),
        mime_type,
    };
    if !files.allows(&key, &grant, signed.expires, &signed.signature) {
        return Err(forbidden());
    }
    if files.size(&key).await?.is_none() {
        return Err(Error::not_found("the file").into());
    }
    let Ok(answer) = ServeFile::new(files.path(&key)?).oneshot(request).await;
    let mut answer = answer.map(Body::new);
    let served = Served {
        name: &name,
        mime_type,
    };
    let headers = answer.headers_mut();
    for (header, value) in [
        (header::CONTENT_TYPE, served.content_type()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, policy(mime_type)),
        (header::CACHE_CONTROL, "private, no-store"),
    ] {
        headers.insert(header, HeaderValue::from_static(value));
    }
    let disposition = HeaderValue::try_from(served.disposition());
    let attachment = HeaderValue::from_static("attachment");
    headers.insert(
        header::CONTENT_DISPOSITION,
        disposition.unwrap_or(attachment),
    );
    Ok(answer)
}

/// What a file that is opened by itself may do on our origin: nothing. The viewers that browsers have for
/// PDF do not start in a sandbox; they run nothing on the origin.
fn policy(mime_type: Option<MediaType>) -> &'static str {
    match mime_type {
        Some(MediaType::Pdf) => "script-src 'none'; base-uri 'none'; form-action 'none'",
        Some(_) | None => "sandbox; default-src 'none'",
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
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
