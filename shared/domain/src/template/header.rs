//! What stands at the top of a message when it is no text: a picture, a video, a document, a place.
//!
//! What a caller gives is a [`HeaderInput`], in which anything may be missing or too much. Checked
//! against the template it becomes a [`HeaderContent`], in which nothing is: a document always has
//! a name, a picture never has one.

use serde::{Deserialize, Serialize};

use super::{Header, MediaLink, Template};
use crate::contact::InvalidField;
use crate::id::MediaId;
use crate::media::{self, MediaKind};

/// The longest name or address of a place; ours, as Meta names none.
const PLACE_TEXT_MAX: usize = 300;

/// The top of a message. `F` is what names an uploaded file: our id in a campaign, and Meta's once
/// the file was handed to the number that sends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HeaderContent<F = MediaId> {
    Image {
        #[serde(flatten)]
        source: MediaSource<F>,
    },
    Video {
        #[serde(flatten)]
        source: MediaSource<F>,
    },
    Document {
        #[serde(flatten)]
        source: MediaSource<F>,
        file_name: String,
    },
    Location(Place),
}

/// Where WhatsApp gets a file from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource<F = MediaId> {
    /// Fetched by WhatsApp; never by us.
    Link(MediaLink),
    /// An uploaded file.
    Media(F),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub latitude: f64,
    pub longitude: f64,
    pub name: String,
    pub address: String,
}

/// The top of a message as a caller gives it: `{"link": "https://…"}`, `{"media": "md_…"}`, both
/// with a `file_name` for a document, or a place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderInput {
    /// May be left out, since the template says it.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub link: Option<String>,
    pub media: Option<MediaId>,
    pub file_name: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub name: Option<String>,
    pub address: Option<String>,
}

/// What is known of an uploaded file that a header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderFile {
    pub kind: MediaKind,
    pub file_name: String,
}

impl HeaderInput {
    /// The content this is for a template, or every fault of it at once. `file` belongs to the
    /// `media` that is named.
    ///
    /// # Errors
    /// Fields that are missing, too many, or not acceptable, by their name.
    pub fn check(
        &self,
        template: &Template,
        file: Option<&HeaderFile>,
    ) -> Result<HeaderContent, Vec<InvalidField>> {
        let Some((format, kind)) = format(template) else {
            let message = "the template shows nothing of this kind at the top: leave it out";
            return Err(vec![InvalidField::new("header", message)]);
        };
        let mut faults = Vec::new();
        if self.kind.as_ref().is_some_and(|kind| kind != format) {
            let message = format!("the template has {format:?} at the top");
            faults.push(InvalidField::new("header.type", message));
        }
        let content = match kind {
            Some(kind) => self.file(kind, file),
            None => self.place(),
        };
        match content {
            Ok(content) if faults.is_empty() => Ok(content),
            Ok(_) => Err(faults),
            Err(more) => {
                faults.extend(more);
                Err(faults)
            }
        }
    }

    fn file(
        &self,
        kind: MediaKind,
        file: Option<&HeaderFile>,
    ) -> Result<HeaderContent, Vec<InvalidField>> {
        let mut faults = self.too_much(&[
            ("latitude", self.latitude.is_some()),
            ("longitude", self.longitude.is_some()),
            ("name", self.name.is_some()),
            ("address", self.address.is_some()),
            (
                "file_name",
                self.file_name.is_some() && kind != MediaKind::Document,
            ),
        ]);
        let source = match (&self.link, &self.media) {
            (Some(link), None) => MediaLink::parse(link)
                .map(MediaSource::Link)
                .map_err(|fault| InvalidField::new("header.link", fault.to_string())),
            (None, Some(media)) => match file.map(|file| file.kind) {
                Some(other) if other != kind => {
                    let (has, is) = (kind.in_words(), other.in_words());
                    let message =
                        format!("the template has {has} at the top, and the file is {is}");
                    Err(InvalidField::new("header.media", message))
                }
                _ => Ok(MediaSource::Media(media.clone())),
            },
            _ => Err(InvalidField::new("header", missing(Some(kind)))),
        };
        let source = keep(source, &mut faults);
        let name = match kind {
            MediaKind::Document => {
                let uploaded = file.map(|file| file.file_name.as_str());
                let name = self.file_name.as_deref().or(uploaded).unwrap_or_default();
                let name = media::file_name(name)
                    .map_err(|fault| InvalidField::new("header.file_name", fault.message));
                keep(name, &mut faults)
            }
            // No template has a sound or a sticker at the top.
            MediaKind::Image | MediaKind::Video | MediaKind::Audio | MediaKind::Sticker => None,
        };
        match (kind, source, name) {
            (MediaKind::Image, Some(source), _) if faults.is_empty() => {
                Ok(HeaderContent::Image { source })
            }
            (MediaKind::Video, Some(source), _) if faults.is_empty() => {
                Ok(HeaderContent::Video { source })
            }
            (MediaKind::Document, Some(source), Some(file_name)) if faults.is_empty() => {
                Ok(HeaderContent::Document { source, file_name })
            }
            _ => Err(faults),
        }
    }

    fn place(&self) -> Result<HeaderContent, Vec<InvalidField>> {
        let mut faults = self.too_much(&[
            ("link", self.link.is_some()),
            ("media", self.media.is_some()),
            ("file_name", self.file_name.is_some()),
        ]);
        let latitude = keep(degrees("latitude", self.latitude, 90.0), &mut faults);
        let longitude = keep(degrees("longitude", self.longitude, 180.0), &mut faults);
        let name = keep(place_text("name", self.name.as_deref()), &mut faults);
        let address = keep(place_text("address", self.address.as_deref()), &mut faults);
        match (latitude, longitude, name, address) {
            (Some(latitude), Some(longitude), Some(name), Some(address)) if faults.is_empty() => {
                Ok(HeaderContent::Location(Place {
                    latitude,
                    longitude,
                    name,
                    address,
                }))
            }
            _ => Err(faults),
        }
    }

    fn too_much(&self, given: &[(&str, bool)]) -> Vec<InvalidField> {
        let message = "the top of this template takes no such field: leave it out";
        given
            .iter()
            .filter(|(_, given)| *given)
            .map(|(field, _)| InvalidField::new(format!("header.{field}"), message))
            .collect()
    }
}

impl<F> HeaderContent<F> {
    /// The uploaded file, if it is one.
    pub fn media(&self) -> Option<&F> {
        match self {
            Self::Image { source } | Self::Video { source } | Self::Document { source, .. } => {
                match source {
                    MediaSource::Media(file) => Some(file),
                    MediaSource::Link(_) => None,
                }
            }
            Self::Location(_) => None,
        }
    }

    /// The same content with its uploaded file named in another way; `None` when there is a file
    /// and no name for it.
    pub fn with_media<G>(self, name: Option<G>) -> Option<HeaderContent<G>> {
        let named = |source| match source {
            MediaSource::Link(link) => Some(MediaSource::Link(link)),
            MediaSource::Media(_) => name.map(MediaSource::Media),
        };
        Some(match self {
            Self::Image { source } => HeaderContent::Image {
                source: named(source)?,
            },
            Self::Video { source } => HeaderContent::Video {
                source: named(source)?,
            },
            Self::Document { source, file_name } => HeaderContent::Document {
                source: named(source)?,
                file_name,
            },
            Self::Location(place) => HeaderContent::Location(place),
        })
    }
}

/// What would have to be given to get this content: to look at it again beside another template.
impl From<&HeaderContent> for HeaderInput {
    fn from(content: &HeaderContent) -> Self {
        let of = |source: &MediaSource| match source {
            MediaSource::Link(link) => Self {
                link: Some(link.to_string()),
                ..Self::default()
            },
            MediaSource::Media(media) => Self {
                media: Some(media.clone()),
                ..Self::default()
            },
        };
        match content {
            HeaderContent::Image { source } | HeaderContent::Video { source } => of(source),
            HeaderContent::Document { source, file_name } => Self {
                file_name: Some(file_name.clone()),
                ..of(source)
            },
            HeaderContent::Location(place) => Self {
                latitude: Some(place.latitude),
                longitude: Some(place.longitude),
                name: Some(place.name.clone()),
                address: Some(place.address.clone()),
                ..Self::default()
            },
        }
    }
}

impl Template {
    /// Says what is missing when nothing was given for the top of the message.
    ///
    /// # Errors
    /// The template shows a file or a place at the top.
    pub fn needs_no_header(&self) -> Result<(), InvalidField> {
        match format(self) {
            Some((_, kind)) => Err(InvalidField::new("header", missing(kind))),
            None => Ok(()),
        }
    }
}

/// The template's word for its top, and the kind of file there; `None` when it is a text or nothing.
fn format(template: &Template) -> Option<(&'static str, Option<MediaKind>)> {
    match template.components.header.as_ref()? {
        Header::Text { .. } => None,
        Header::Image => Some(("image", Some(MediaKind::Image))),
        Header::Video => Some(("video", Some(MediaKind::Video))),
        Header::Document => Some(("document", Some(MediaKind::Document))),
        Header::Location => Some(("location", None)),
    }
}

fn missing(kind: Option<MediaKind>) -> String {
    match kind {
        Some(kind) => format!(
            "the template has {} at the top: give {{\"link\": \"https://…\"}} or {{\"media\": \"md_…\"}}, and not both",
            kind.in_words()
        ),
        None => {
            "the template has a place at the top: give its latitude, longitude, name and address"
                .to_owned()
        }
    }
}

fn degrees(field: &str, given: Option<f64>, limit: f64) -> Result<f64, InvalidField> {
    match given {
        Some(degrees) if degrees.abs() <= limit => Ok(degrees),
        _ => {
            let message = format!("give degrees between -{limit} and {limit}");
            Err(InvalidField::new(format!("header.{field}"), message))
        }
    }
}

fn place_text(field: &str, given: Option<&str>) -> Result<String, InvalidField> {
    match super::fill::clean(given.unwrap_or_default()) {
        Some(text) if text.chars().count() <= PLACE_TEXT_MAX => Ok(text),
        _ => {
            let message = format!("the place needs one, of at most {PLACE_TEXT_MAX} characters");
            Err(InvalidField::new(format!("header.{field}"), message))
        }
    }
}

fn keep<T>(result: Result<T, InvalidField>, faults: &mut Vec<InvalidField>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}
