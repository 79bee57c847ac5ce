//! Files that were uploaded to a number, or that people sent to it: their kinds, their sizes, their lives
//! (Meta: media).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::graph::Refusal;

const DAY_MS: i64 = 24 * 3_600_000;
/// How long what was uploaded is kept.
const LIFE_MS: i64 = 30 * DAY_MS;
/// How long what a person sent is kept.
const RECEIVED_LIFE_MS: i64 = 7 * DAY_MS;
/// How long the address of a file can be used.
pub(crate) const ADDRESS_LIFE_MS: i64 = 5 * 60_000;
const MB: usize = 1024 * 1024;
/// The largest file there is, with room for the form around it.
pub(crate) const LARGEST_BODY: usize = 101 * MB;

/// What a message can show a file as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Audio,
    Image,
    Video,
    Document,
    Sticker,
}

/// A file as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) phone_number_id: String,
    pub(crate) mime: String,
    pub(crate) sha256: String,
    pub(crate) bytes: Bytes,
    pub(crate) uploaded_ms: i64,
    /// Whether a person sent it.
    pub(crate) received: bool,
}

impl File {
    fn lives(&self, now_ms: i64) -> bool {
        let life_ms = match self.received {
            true => RECEIVED_LIFE_MS,
            false => LIFE_MS,
        };
        now_ms - self.uploaded_ms < life_ms
    }
}

/// Every file, also those whose life is over.
#[derive(Default)]
pub(crate) struct Library {
    files: HashMap<String, Arc<File>>,
}

impl Kind {
    /// The kind of a MIME type that Meta takes; parameters behind it do not count.
    pub(crate) fn of(mime: &str) -> Option<Self> {
        let essence = mime.split(';').next().unwrap_or_default().trim();
        match essence {
            "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg" => {
                Some(Kind::Audio)
            }
            "image/jpeg" | "image/png" => Some(Kind::Image),
            "image/webp" => Some(Kind::Sticker),
            "video/mp4" | "video/3gpp" => Some(Kind::Video),
            "text/plain"
            | "application/pdf"
            | "application/msword"
            | "application/vnd.ms-excel"
            | "application/vnd.ms-powerpoint"
            | "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            | "application/vnd.openxmlformats-officedocument.presentationml.presentation" => {
                Some(Kind::Document)
            }
            _ => None,
        }
    }

    /// By the name a message has for it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "audio" => Some(Kind::Audio),
            "image" => Some(Kind::Image),
            "video" => Some(Kind::Video),
            "document" => Some(Kind::Document),
            "sticker" => Some(Kind::Sticker),
            _ => None,
        }
    }

    fn largest(self) -> usize {
        match self {
            Kind::Audio | Kind::Video => 16 * MB,
            Kind::Image => 5 * MB,
            Kind::Document => 100 * MB,
            // The size of an animated one; which it is, only a decoder could tell.
            Kind::Sticker => 500 * 1024,
        }
    }
}

impl Library {
    /// Keeps a file, unless Meta would not take it. The type is refused with 100 and the size with
    /// 131053, which is what an upload is known to answer.
    pub(crate) fn add(
        &mut self,
        seed: u64,
        number: &str,
        mime: &str,
        bytes: Bytes,
        now_ms: i64,
    ) -> Result<Arc<File>, Refusal> {
        let Some(kind) = Kind::of(mime) else {
            return Err(Refusal::new(
                100,
                format!("file: {mime} is not a type of media that can be uploaded"),
            ));
        };
        if bytes.is_empty() {
            return Err(Refusal::new(100, "file: there is nothing in it"));
        }
        let largest = kind.largest();
        if bytes.len() > largest {
            let details = format!("file: {} bytes, {largest} are allowed", bytes.len());
            return Err(Refusal::new(131_053, details));
        }
        Ok(self.keep(seed, number, mime, bytes, now_ms, false))
    }

    /// Keeps a file that a person sent, of whatever type.
    pub(crate) fn receive(
        &mut self,
        seed: u64,
        number: &str,
        mime: &str,
        bytes: Bytes,
        now_ms: i64,
    ) -> Arc<File> {
        self.keep(seed, number, mime, bytes, now_ms, true)
    }

    fn keep(
        &mut self,
        seed: u64,
        number: &str,
        mime: &str,
        bytes: Bytes,
        now_ms: i64,
        received: bool,
    ) -> Arc<File> {
        let digest = Sha256::digest(&bytes);
        let file = Arc::new(File {
            id: self.free_id(seed, number, &digest),
            phone_number_id: number.to_owned(),
            mime: mime.to_owned(),
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes,
            uploaded_ms: now_ms,
            received,
        });
        self.restore(Arc::clone(&file));
        file
    }

    /// How many files were uploaded and not deleted.
    pub(crate) fn len(&self) -> usize {
        self.files.values().filter(|file| !file.received).count()
    }

    pub(crate) fn restore(&mut self, file: Arc<File>) {
        self.files.insert(file.id.clone(), file);
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.files.remove(id);
    }

    /// A file by its id, while it lives. A file belongs to the number it was uploaded to; without
    /// a number that is not asked.
    pub(crate) fn find(&self, id: &str, number: Option<&str>, now_ms: i64) -> Option<&Arc<File>> {
        self.files.get(id).filter(|file| {
            file.lives(now_ms) && number.is_none_or(|number| number == file.phone_number_id)
        })
    }

    /// Fifteen digits that no other file has.
    fn free_id(&self, seed: u64, number: &str, digest: &[u8]) -> String {
        let mut nth = self.files.len() as u64;
        loop {
            let mut hash = Sha256::new();
            hash.update(b"media");
            hash.update(seed.to_be_bytes());
            hash.update(nth.to_be_bytes());
            hash.update(number.as_bytes());
            hash.update(digest);
            let value = hash.finalize()[..8]
                .iter()
                .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            let id = (900_000_000_000_000 + value % 99_999_999_999_999).to_string();
            if !self.files.contains_key(&id) {
                return id;
            }
            nth += 1;
        }
    }
}
