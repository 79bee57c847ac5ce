//! `/v1/media`: announce a file, upload it to the URL given, name it in a campaign or a message.

use std::collections::BTreeMap;

use app::App;
use app::media::{self, Media, MediaState, NewMedia};
use app::ports::Presigned;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::MediaId;
use domain::media::{MediaKind, MediaType};
use http_api::{Authenticated, Failure, Id, Json, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaIn {
    #[schema(example = "menu.jpg")]
    file_name: String,
    /// Pictures are JPEG or PNG of at most 5 MB, videos MP4 or 3GPP of at most 16 MB, sounds AAC, AMR,
    /// MP3, MP4 or Ogg with Opus of at most 16 MB, documents PDF, plain text or Office files of at most
    /// 100 MB, stickers WebP of at most 100 KB, or 500 KB when they move.
    #[schema(example = "image/jpeg")]
    mime_type: String,
    /// The file's exact size in bytes.
    #[schema(minimum = 1)]
    size: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MediaOut {
    #[schema(value_type = String)]
    id: MediaId,
    file_name: String,
    #[schema(value_type = String)]
    mime_type: MediaType,
    /// `image`, `video`, `audio`, `document` or `sticker`: what a message shows it as. Templates show
    /// only images, videos and documents at the top.
    #[schema(value_type = String)]
    kind: MediaKind,
    size: u64,
    /// `waiting` until it is uploaded, then `ready`, or `refused` when it is something else than was
    /// announced.
    #[schema(value_type = String)]
    state: MediaState,
    /// Why it cannot be used.
    reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Where to put the file; only in the answer that announces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<MediaUpload>,
    /// Where to look at the file, for some minutes.
    url: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MediaUpload {
    method: &'static str,
    url: String,
    /// Headers to send along.
    headers: BTreeMap<String, String>,
}

/// Announces a file that messages are to show.
#[utoipa::path(post, path = "/v1/media", operation_id = "create_media", tag = "media",
    security(("api_key" = []), ("session" = [])), request_body = MediaIn,
    responses((status = 201, body = MediaOut), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<MediaIn>,
) -> Result<(StatusCode, Json<MediaOut>), Failure> {
    let MediaIn {
        file_name,
        mime_type,
        size,
    } = body;
    let new = NewMedia {
        file_name,
        mime_type,
        size,
    };
    let (media, upload) = media::create(&app, &actor, new).await?;
    let out = MediaOut {
        upload: Some(upload.into()),
        ..media.into()
    };
    Ok((StatusCode::CREATED, Json(out)))
}

/// Reads what is known of a file; after its upload, whether it can be used.
#[utoipa::path(get, path = "/v1/media/{media}", operation_id = "get_media", tag = "media",
    security(("api_key" = []), ("session" = [])), params(("media" = String, Path)),
    responses((status = 200, body = MediaOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<MediaId>,
) -> Result<Json<MediaOut>, Failure> {
    let (media, link) = media::get(&app, &actor, &id).await?;
    let url = link.map(|link| link.url);
    Ok(Json(MediaOut {
        url,
        ..media.into()
    }))
}

/// Deletes a file. A campaign that needs it later stops and says why.
#[utoipa::path(delete, path = "/v1/media/{media}", operation_id = "delete_media", tag = "media",
    security(("api_key" = []), ("session" = [])), params(("media" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<MediaId>,
) -> Result<StatusCode, Failure> {
    media::delete(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Media> for MediaOut {
    fn from(media: Media) -> Self {
        Self {
            reason: media.reason(),
            id: media.id,
            file_name: media.file_name,
            mime_type: media.mime_type,
            kind: media.mime_type.kind(),
            size: media.size,
            state: media.state,
            created_at: media.created_at,
            upload: None,
            url: None,
        }
    }
}

impl From<Presigned> for MediaUpload {
    fn from(presigned: Presigned) -> Self {
        Self {
            method: "PUT",
            url: presigned.url,
            headers: presigned.headers.into_iter().collect(),
        }
    }
}
