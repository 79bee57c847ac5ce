//! Media: uploading, looking up, downloading and deleting files.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use multer::Multipart;
use serde_json::{Value, json};

use super::{Call, Refusal, authorize_with, refuse, transport};
use crate::core::{Core, lock};
use crate::ids;
use crate::media::{ADDRESS_LIFE_MS, File, Kind};
use crate::settings::Downloads;
use crate::store::Change;

/// Where files are downloaded from, as on Meta's own host.
pub(super) const DOWNLOADS: &str = "/whatsapp_business/attachments/";

/// The parts of the form that matter.
#[derive(Default)]
struct Form {
    product: Option<String>,
    kind: Option<String>,
    file: Option<(String, Bytes)>,
}

/// `POST /{phone}/media`.
pub(super) async fn upload(
    call: &Call<'_>,
    number: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Value, Refusal> {
    let number = call
        .core
        .universe
        .number(number)
        .ok_or_else(|| Refusal::no_such_object(number))?;
    let form = read(headers, body).await?;
    if form.product.as_deref() != Some("whatsapp") {
        return Err(Refusal::new(100, "messaging_product must be \"whatsapp\""));
    }
    let (mime, bytes) = form
        .file
        .ok_or_else(|| Refusal::new(100, "file is required"))?;
    // The type is optional; it may also be no more than the kind of media.
    let contradicts = form.kind.as_deref().is_some_and(|kind| {
        kind != mime && Kind::named(kind).is_none_or(|kind| Some(kind) != Kind::of(&mime))
    });
    if contradicts {
        let details = format!("type is not that of the file, which is {mime}");
        return Err(Refusal::new(100, details));
    }
    let core = call.core;
    let seed = core.settings().seed;
    let mut library = lock(&core.media);
    let file = library.add(seed, number.id, &mime, bytes, core.time.now_ms())?;
    core.record(|| Change::Uploaded(Arc::clone(&file)));
    Ok(json!({"id": file.id}))
}

async fn read(headers: &HeaderMap, body: Bytes) -> Result<Form, Refusal> {
    let wrong = |error: multer::Error| Refusal::new(100, format!("The form: {error}"));
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(wrong)?;
    let whole = stream::once(async move { Ok::<_, Infallible>(body) });
    let mut parts = Multipart::new(whole, boundary);
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await.map_err(wrong)? {
        let name = part.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "messaging_product" => form.product = Some(part.text().await.map_err(wrong)?),
            "type" => form.kind = Some(part.text().await.map_err(wrong)?),
            "file" => {
                let mime = part.content_type().map(ToString::to_string);
                let mime =
                    mime.ok_or_else(|| Refusal::new(100, "file: its part has no Content-Type"))?;
                form.file = Some((mime, part.bytes().await.map_err(wrong)?));
            }
            _ => return Err(Refusal::new(100, format!("Unexpected field {name}"))),
        }
    }
    Ok(form)
}

/// `GET /{media}`: where the file is, for five minutes.
pub(super) fn one(call: &Call<'_>, id: &str) -> Option<Value> {
    let file = find(call, id)?;
    Some(json!({
        "messaging_product": "whatsapp",
        "url": address(call.core, call.host, id),
        "mime_type": file.mime,
        "sha256": file.sha256,
        "file_size": file.bytes.len(),
        "id": file.id,
    }))
}

/// Where a file can be downloaded for five minutes, by whoever has the token.
pub(crate) fn address(core: &Core, host: &str, id: &str) -> String {
    let expires = (core.time.now_ms() + ADDRESS_LIFE_MS) / 1000;
    let hash = ids::address_hash(core.settings().seed, id, expires);
    format!("http://{host}{DOWNLOADS}?mid={id}&ext={expires}&hash={hash}")
}

/// `DELETE /{media}`.
pub(super) fn delete(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let file = find(call, id).ok_or_else(|| Refusal::no_such_object(id))?;
    let mut library = lock(&call.core.media);
    library.remove(&file.id);
    call.core.record(|| Change::Deleted(file.id.clone()));
    Ok(json!({"success": true}))
}

fn find(call: &Call<'_>, id: &str) -> Option<Arc<File>> {
    let number = call.query.get("phone_number_id").map(String::as_str);
    let library = lock(&call.core.media);
    let found = library.find(id, number, call.core.time.now_ms());
    found.map(Arc::clone)
}

/// The download: the same token, and an address that is not too old.
pub(super) async fn download(
    State(core): State<Arc<Core>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = authorize_with(&core, &headers, &query) {
        return refuse(&core, &refusal);
    }
    let field = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let id = field("mid");
    let expires: i64 = field("ext").parse().unwrap_or_default();
    let now_ms = core.time.now_ms();
    let known = field("hash") == ids::address_hash(core.settings().seed, id, expires);
    let file = if known && now_ms < expires * 1000 {
        lock(&core.media).find(id, None, now_ms).map(Arc::clone)
    } else {
        None
    };
    let page = |status| transport::error_page(status);
    let Some(file) = file else {
        return page(StatusCode::NOT_FOUND);
    };
    let bytes = match core.settings().switches.downloads {
        Downloads::Whole => file.bytes.clone(),
        Downloads::Gone => return page(StatusCode::NOT_FOUND),
        Downloads::Html500 => return page(StatusCode::INTERNAL_SERVER_ERROR),
        Downloads::Html200 => return page(StatusCode::OK),
        Downloads::Truncated => file.bytes.slice(..file.bytes.len() / 2),
    };
    let mime = [(header::CONTENT_TYPE, file.mime.as_str())];
    (mime, Body::from(bytes)).into_response()
}
