//! Handing a file to a number, so that messages can show it by its id (Meta: media).
//!
//! Nothing reaches a person by it, so it may simply be repeated: Meta then keeps the file twice and
//! forgets both after [`KEPT`].

use std::{io, time::Duration};

use bytes::Bytes;
use futures::stream::BoxStream;
use reqwest::{
    Body, Method,
    multipart::{Form, Part},
};

use super::{AccessToken, Client};
use crate::{error::ApiError, lenient::text};

/// How long Meta keeps a file that was uploaded (Meta: media lifetimes).
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long one upload may take: the largest file over a line of 20 megabits a second.
pub const UPLOAD_AT_MOST: Duration = Duration::from_secs(60);

/// Meta's id of a file. Only the number that it was given to can send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedMedia(pub String);

/// A file on its way to Meta.
pub struct Upload {
    pub file_name: String,
    pub mime_type: &'static str,
    pub size: u64,
    pub bytes: BoxStream<'static, io::Result<Bytes>>,
}

impl Client {
    /// Gives a file to a number.
    pub async fn upload(
        &self,
        token: &AccessToken,
        phone_number_id: &str,
        upload: Upload,
    ) -> Result<UploadedMedia, ApiError> {
        let Upload {
            file_name,
            mime_type,
            size,
            bytes,
        } = upload;
        // The length is said, because a body of unknown length would travel in chunks, which not
        // everything before Meta's servers takes.
        let file = Part::stream_with_length(Body::wrap_stream(bytes), size)
            .file_name(file_name)
            .mime_str(mime_type)
            .map_err(|error| ApiError::Unreadable(error.to_string()))?;
        let form = Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", mime_type)
            .part("file", file);
        let request = self
            .request(Method::POST, token, [phone_number_id, "media"])
            .timeout(UPLOAD_AT_MOST)
            .multipart(form);
        let answer = self.read(request).await?;
        text(&answer, "id")
            .map(UploadedMedia)
            .ok_or_else(|| ApiError::Unreadable("the answer to an upload names no file".to_owned()))
    }
}
