//! Files that a message can show at its top: what they may be and how large (Meta: media types).
//!
//! A type is what the caller announces; [`MediaType::matches`] looks at the file itself, because a
//! name proves nothing. Audio and stickers are absent: no header shows them.

use serde::{Deserialize, Serialize};

use crate::contact::InvalidField;

/// How many bytes of a file's beginning are enough to tell its type.
pub const HEAD: usize = 8192;

const FILE_NAME_MAX: usize = 200;

/// The beginning of every Office file of before 2007, whichever program wrote it.
const COMPOUND: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// The part that makes a ZIP archive an Office file of today.
const OFFICE_PART: &[u8] = b"[Content_Types].xml";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    Document,
}

impl MediaKind {
    /// The most bytes WhatsApp takes.
    #[must_use]
    pub fn size_max(self) -> u64 {
        match self {
            Self::Image => 5 << 20,
            Self::Video => 16 << 20,
            Self::Document => 100 << 20,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Document => "document",
        }
    }

    /// With its article, for sentences.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Image => "a picture",
            Self::Video => "a video",
            Self::Document => "a document",
        }
    }
}

/// How a file of a type is recognised.
enum Mark {
    /// By the library's table of beginnings.
    Known,
    Text,
    Mobile,
    Compound,
    Office,
}

macro_rules! types {
    ($($variant:ident = $mime:literal, $kind:ident, $mark:ident;)+) => {
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

types! {
    Jpeg = "image/jpeg", Image, Known;
    Png = "image/png", Image, Known;
    Mp4 = "video/mp4", Video, Known;
    Mobile = "video/3gpp", Video, Mobile;
    Text = "text/plain", Document, Text;
    Pdf = "application/pdf", Document, Known;
    Word = "application/msword", Document, Compound;
    Excel = "application/vnd.ms-excel", Document, Compound;
    PowerPoint = "application/vnd.ms-powerpoint", Document, Compound;
    WordXml = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", Document, Office;
    ExcelXml = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Document, Office;
    PowerPointXml = "application/vnd.openxmlformats-officedocument.presentationml.presentation", Document, Office;
}

impl MediaType {
    /// # Errors
    /// WhatsApp does not take this type at the top of a message.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        // A parameter such as the character set says nothing about the type.
        let mime = text.split(';').next().unwrap_or_default().trim();
        let found = Self::ALL
            .iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(mime));
        found.copied().ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
            let message = format!(
                "WhatsApp does not show files of this type; it takes {}",
                known.join(", ")
            );
            InvalidField::new("mime_type", message)
        })
    }

    /// Whether a file that begins like this is of the type. `head` is the whole of a shorter file,
    /// else its first [`HEAD`] bytes.
    #[must_use]
    pub fn matches(self, head: &[u8]) -> bool {
        let found = infer::get(head).map(|found| found.mime_type());
        match self.mark() {
            Mark::Known => found == Some(self.as_str()),
            Mark::Mobile => head.get(4..11) == Some(b"ftyp3gp"),
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
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
    const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2";
    const MOBILE: &[u8] = b"\0\0\0\x18ftyp3gp4\0\0\0\0";
    const PDF: &[u8] = b"%PDF-1.7\n";

    fn archive(first: &str) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend((first.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(first.as_bytes());
        bytes
    }

    #[test]
    fn a_file_is_known_by_its_content_and_not_by_what_was_announced() {
        let office = archive("[Content_Types].xml");
        let good: &[(&str, &[u8])] = &[
            ("image/png", PNG),
            ("image/jpeg", JPEG),
            ("video/mp4", MP4),
            ("video/3gpp", MOBILE),
            ("application/pdf", PDF),
            (
                "text/plain; charset=utf-8",
                "Menu: nasi goréng\n".as_bytes(),
            ),
            ("application/msword", &COMPOUND),
            ("application/vnd.ms-excel", &COMPOUND),
            (MediaType::WordXml.as_str(), &office),
            (MediaType::ExcelXml.as_str(), &office),
        ];
        for (mime, head) in good {
            let known = MediaType::parse(mime).unwrap();
            assert!(known.matches(head), "{mime}");
            for (other, other_head) in good {
                if MediaType::parse(other).unwrap().mark() as u8 != known.mark() as u8 {
                    assert!(!known.matches(other_head), "{other} was taken for {mime}");
                }
            }
        }
        assert!(!MediaType::Png.matches(JPEG));
        assert!(!MediaType::Pdf.matches(b"<script>alert(1)</script>"));
        assert!(!MediaType::Text.matches(b"\x7fELF\x02\x01\x01\0"));
        assert!(!MediaType::Text.matches(b"caf\xe9 au lait"));
        assert!(!MediaType::WordXml.matches(&archive("holiday.jpg")));
    }

    #[test]
    fn a_text_cut_within_a_character_is_still_a_text() {
        let text = "é".repeat(10);
        assert!(MediaType::Text.matches(&text.as_bytes()[..7]));
    }

    #[test]
    fn a_type_that_no_header_shows_is_refused_with_those_that_it_can_be() {
        for mime in ["image/gif", "audio/ogg", "", "application/zip"] {
            let refused = MediaType::parse(mime).unwrap_err();
            assert_eq!(refused.field, "mime_type");
            assert!(refused.message.contains("application/pdf"), "{mime}");
        }
        assert_eq!(MediaType::parse(" IMAGE/PNG ").unwrap(), MediaType::Png);
    }

    #[test]
    fn a_file_name_is_no_path() {
        assert_eq!(file_name(" Menu März.pdf ").unwrap(), "Menu März.pdf");
        let long = "x".repeat(FILE_NAME_MAX + 1);
        for text in ["", "  ", "../menu.pdf", "a\\b", "a\nb", long.as_str()] {
            assert_eq!(file_name(text).unwrap_err().field, "file_name", "{text:?}");
        }
    }

    #[test]
    fn a_type_is_stored_as_its_own_name() {
        let stored = serde_json::to_value(MediaType::Jpeg).unwrap();
        assert_eq!(stored, "image/jpeg");
    }
}
