//! Files that people send: their own bytes, or a small one of the right kind when they give none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Hand, element};
use crate::core::lock;
use crate::graph;
use crate::store::Change;

/// What WhatsApp passes on; of a larger file only its absence is told.
const LARGEST: usize = 100 * 1024 * 1024;

/// A file on its way. Everything may be left out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Attachment {
    caption: Option<String>,
    filename: Option<String>,
    /// A sound that is spoken into the phone.
    voice: bool,
    animated: bool,
    mime_type: Option<String>,
    /// The bytes; a small sample of the kind without them.
    base64: Option<String>,
    /// Meta could not fetch it.
    lost: bool,
}

struct Sample(&'static str, &'static [u8]);

const IMAGE: Sample = Sample("image/jpeg", include_bytes!("samples/image.jpg"));
const VIDEO: Sample = Sample("video/mp4", include_bytes!("samples/video.mp4"));
const AUDIO: Sample = Sample("audio/mpeg", include_bytes!("samples/audio.mp3"));
const VOICE: Sample = Sample(
    "audio/ogg; codecs=opus",
    include_bytes!("samples/voice.ogg"),
);
const DOCUMENT: Sample = Sample("application/pdf", include_bytes!("samples/document.pdf"));
const STICKER: Sample = Sample("image/webp", include_bytes!("samples/sticker.webp"));

impl Hand<'_> {
    /// Gives the file to Meta and says what the message about it is.
    pub(super) fn file(&self, kind: &str, file: Attachment) -> Result<Map<String, Value>, String> {
        let Sample(usual, sample) = match kind {
            "image" => IMAGE,
            "video" => VIDEO,
            "audio" if file.voice => VOICE,
            "audio" => AUDIO,
            "sticker" => STICKER,
            _ => DOCUMENT,
        };
        let mime = match (&file.mime_type, &file.base64) {
            (Some(mime), _) => mime.as_str(),
            (None, None) => usual,
            (None, Some(_)) => return Err("base64 needs the mime_type of its bytes".into()),
        };
        let bytes = match &file.base64 {
            Some(text) => STANDARD
                .decode(text)
                .map_err(|error| format!("base64: {error}"))?,
            None => sample.to_vec(),
        };
        if bytes.is_empty() {
            return Err("there is nothing in the file".into());
        }
        let mut about = json!({"mime_type": mime});
        for (field, value) in [("caption", file.caption), ("filename", file.filename)] {
            if let Some(value) = value {
                about[field] = json!(value);
            }
        }
        match kind {
            "audio" => about["voice"] = json!(file.voice),
            "sticker" => about["animated"] = json!(file.animated),
            "document" if about.get("filename").is_none() => {
                about["filename"] = json!("document.pdf");
            }
            _ => {}
        }
        if file.lost || bytes.len() > LARGEST {
            let error = json!({"code": 131_052, "title": "Media download error",
                "message": "Media download error",
                "error_data": {"details": "The media could not be downloaded."}});
            let mut fields = element(kind, about);
            fields.insert("errors".into(), json!([error]));
            return Ok(fields);
        }
        let core = self.core;
        about["sha256"] = json!(STANDARD.encode(Sha256::digest(&bytes)));
        let (seed, now_ms) = (core.settings().seed, core.time.now_ms());
        let kept = {
            let mut library = lock(&core.media);
            let kept = library.receive(seed, self.number.id, mime, Bytes::from(bytes), now_ms);
            core.record(|| Change::Uploaded(kept.clone()));
            kept
        };
        about["id"] = json!(kept.id);
        about["url"] = json!(graph::address(core, self.host, &kept.id));
        Ok(element(kind, about))
    }
}
