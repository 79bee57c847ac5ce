//! Files that messages show: what they may be and how large (Meta: media types).
//!
//! A type is what somebody announces; [`MediaType::matches`] looks at the file itself, because a name
//! proves nothing. [`MediaType::of`] says what a file is that a person sent, whatever it was called.

use serde::{Deserialize, Serialize};

use crate::contact::InvalidField;

/// How many bytes of a file's beginning are enough to tell its type.
pub const HEAD: usize = 8192;

/// The most characters that stand below a file (Meta: size limits).
pub const CAPTION_MAX: usize = 1024;

const FILE_NAME_MAX: usize = 200;

/// The most bytes of a sticker that does not move; one that does has those of its kind.
const STILL_STICKER_MAX: u64 = 100 << 10;

/// How wide and how high a sticker is, in points.
const STICKER: u32 = 512;

/// The beginning of every Office file of before 2007, whichever program wrote it.
const COMPOUND: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// The part that makes a ZIP archive an Office file of today.
const OFFICE_PART: &[u8] = b"[Content_Types].xml";

/// Where the first page of Opus sound says how many channels it has (RFC 7845).
const OPUS_CHANNELS: usize = 37;

/// What a message shows a file as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

impl MediaKind {
    /// The most bytes WhatsApp takes.
    #[must_use]
    pub fn size_max(self) -> u64 {
        match self {
            Self::Image => 5 << 20,
            Self::Video | Self::Audio => 16 << 20,
            Self::Document => 100 << 20,
            Self::Sticker => 500 << 10,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    /// With its article, for sentences.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Image => "a picture",
            Self::Video => "a video",
            Self::Audio => "a sound",
            Self::Document => "a document",
            Self::Sticker => "a sticker",
        }
    }

    /// Why WhatsApp would not show a picture of this size, in words.
    #[must_use]
    pub fn misshapen(self, width: u32, height: u32) -> Option<String> {
        let wrong = self == Self::Sticker && (width, height) != (STICKER, STICKER);
        wrong.then(|| {
            format!("a sticker measures {STICKER} × {STICKER} points; this one measures {width} × {height}")
        })
    }

    /// What stands below a file of this kind, trimmed; nothing when there is nothing.
    ///
    /// # Errors
    /// It is too long, or nothing stands below such a file.
    pub fn caption(self, text: &str) -> Result<Option<String>, InvalidField> {
        let refuse = |message: String| Err(InvalidField::new("caption", message));
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if matches!(self, Self::Audio | Self::Sticker) {
            let message = format!(
                "WhatsApp shows no text below {}; send it as a message of its own",
                self.in_words()
            );
            return refuse(message);
        }
        let length = text.chars().count();
        if length > CAPTION_MAX {
            return refuse(format!(
                "the text below a file has at most {CAPTION_MAX} characters; this one has {length}"
            ));
        }
        Ok(Some(text.to_owned()))
    }
}

/// How far a file that a person sent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    Downloading,
    Ready,
    /// It will not come.
    Failed,
}

impl FileState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Downloading => "downloading",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// How a file of a type is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// By the library's table of beginnings.
    Known,
    Text,
    Mobile,
    /// Sound alone in what else would be a video, or is named as sound.
    Mp4Sound,
    Opus,
    Compound,
    Office,
}

macro_rules! types {
    ($($variant:ident = $mime:literal, $extension:literal, $kind:ident, $mark:ident;)+) => {
        /// The types WhatsApp takes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum MediaType {
            $(#[serde(rename = $mime)] $variant,)+
        }

        impl MediaType {
            const ALL: &[Self] = &[$(Self::$variant,)+];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $mime,)+
                }
            }

            /// What the names of such files end in, without the dot.
            #[must_use]
            pub fn extension(self) -> &'static str {
                match self {
                    $(Self::$variant => $extension,)+
                }
            }

            #[must_use]
            pub fn kind(self) -> MediaKind {
                match self {
                    $(Self::$variant => MediaKind::$kind,)+
                }
            }

            fn mark(self) -> Mark {
                match self {
                    $(Self::$variant => Mark::$mark,)+
                }
            }
        }
    };
}

// A file that several could be, and that is announced as none of them, is the first.
types! {
    Jpeg = "image/jpeg", "jpg", Image, Known;
    Png = "image/png", "png", Image, Known;
    Mp4 = "video/mp4", "mp4", Video, Known;
    Mobile = "video/3gpp", "3gp", Video, Mobile;
    Aac = "audio/aac", "aac", Audio, Known;
    Amr = "audio/amr", "amr", Audio, Known;
    Mpeg = "audio/mpeg", "mp3", Audio, Known;
    M4a = "audio/mp4", "m4a", Audio, Mp4Sound;
    Ogg = "audio/ogg", "ogg", Audio, Opus;
    Text = "text/plain", "txt", Document, Text;
    Pdf = "application/pdf", "pdf", Document, Known;
    Word = "application/msword", "doc", Document, Compound;
    Excel = "application/vnd.ms-excel", "xls", Document, Compound;
    PowerPoint = "application/vnd.ms-powerpoint", "ppt", Document, Compound;
    WordXml = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", Document, Office;
    ExcelXml = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", Document, Office;
    PowerPointXml = "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx", Document, Office;
    Webp = "image/webp", "webp", Sticker, Known;
}

impl MediaType {
    /// # Errors
    /// WhatsApp does not take this type.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        Self::named(text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
            let message = format!(
                "WhatsApp does not show files of this type; it takes {}",
                known.join(", ")
            );
            InvalidField::new("mime_type", message)
        })
    }

    fn named(text: &str) -> Option<Self> {
        // A parameter such as the character set says nothing about the type.
        let mime = text.split(';').next().unwrap_or_default().trim();
        let mut all = Self::ALL.iter();
        all.find(|known| known.as_str().eq_ignore_ascii_case(mime))
            .copied()
    }

    /// What a file is that begins like this: what it was announced as, if it is that. `None`: nothing
    /// that WhatsApp takes, so it is shown to nobody and only saved.
    #[must_use]
    pub fn of(announced: Option<&str>, head: &[u8]) -> Option<Self> {
        let announced = announced.and_then(Self::named);
        let mut candidates = announced.into_iter().chain(Self::ALL.iter().copied());
        candidates.find(|candidate| candidate.matches(head))
    }

    /// Whether a file that begins like this is of the type. `head` is the whole of a shorter file,
    /// else its first [`HEAD`] bytes.
    #[must_use]
    pub fn matches(self, head: &[u8]) -> bool {
        let found = infer::get(head).map(|found| found.mime_type());
        match self.mark() {
            Mark::Known => found == Some(self.as_str()),
            Mark::Mobile => head.get(4..11) == Some(b"ftyp3gp"),
            Mark::Mp4Sound => matches!(found, Some("audio/m4a" | "video/mp4")),
            Mark::Opus => found == Some("audio/opus"),
            Mark::Text => found.is_none_or(|mime| mime.starts_with("text/")) && is_text(head),
            Mark::Compound => head.starts_with(&COMPOUND),
            Mark::Office => {
                let archive = found == Some("application/zip")
                    && head
                        .windows(OFFICE_PART.len())
                        .any(|part| part == OFFICE_PART);
                found == Some(self.as_str()) || archive
            }
        }
    }

    /// Why WhatsApp would not show a file of so many bytes that begins like this and was announced as
    /// this type, in words.
    #[must_use]
    pub fn fault(self, head: &[u8], size: u64) -> Option<String> {
        if !self.matches(head) {
            return Some(format!(
                "the file is not what its type {self} says; upload it again under its own type"
            ));
        }
        match self {
            Self::Ogg
                if head
                    .get(OPUS_CHANNELS)
                    .is_some_and(|channels| *channels != 1) =>
            {
                Some("WhatsApp plays Ogg sound of one channel only; make it mono".to_owned())
            }
            Self::Webp if size > STILL_STICKER_MAX && !moves(head) => {
                Some("a sticker that does not move has at most 100 KB".to_owned())
            }
            _ => None,
        }
    }

    /// Whether it can be sent as if it had been spoken into a phone.
    #[must_use]
    pub fn is_voice(self) -> bool {
        self == Self::Ogg
    }

    /// Whether a browser shows it in place without running anything that is in it.
    #[must_use]
    pub fn is_shown(self) -> bool {
        self.kind() != MediaKind::Document || self == Self::Pdf
    }

    /// Whether it is a picture that can be made smaller.
    #[must_use]
    pub fn is_picture(self) -> bool {
        matches!(self.kind(), MediaKind::Image | MediaKind::Sticker)
    }
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a file of so many bytes is none that WhatsApp takes of this kind, in words.
#[must_use]
pub fn wrong_size(size: u64, kind: MediaKind) -> Option<String> {
    if size == 0 {
        return Some("the file is empty".to_owned());
    }
    let most = kind.size_max();
    let in_words = match most >> 20 {
        0 => format!("{} KB", most >> 10),
        megabytes => format!("{megabytes} MB"),
    };
    (size > most).then(|| format!("WhatsApp takes {} of at most {in_words}", kind.in_words()))
}

/// The name a file is shown under, trimmed.
///
/// # Errors
/// It is empty, too long, or names a path.
pub fn file_name(text: &str) -> Result<String, InvalidField> {
    let name = text.trim();
    let refuse = |message: String| Err(InvalidField::new("file_name", message));
    if name.is_empty() {
        return refuse("a file needs a name, such as \"menu.pdf\"".to_owned());
    }
    if name.chars().count() > FILE_NAME_MAX {
        return refuse(format!(
            "a file name has at most {FILE_NAME_MAX} characters"
        ));
    }
    if name.contains(['/', '\\']) || name.contains(char::is_control) {
        return refuse("a file name holds no slashes and no line breaks".to_owned());
    }
    Ok(name.to_owned())
}

/// UTF-8 without control characters, but for the last character, which `head` may cut.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

/// Whether a WebP file says that it holds several pictures (WebP: extended file header).
fn moves(head: &[u8]) -> bool {
    head.get(12..16) == Some(b"VP8X") && head.get(20).is_some_and(|flags| flags & 2 != 0)
}

#[cfg(test)]
mod tests;
