//! Where the file of a message comes from: an id that was uploaded to the number, or a link. A link
//! is never fetched.

use serde_json::Value;

use super::Sending;
use super::filling::{component, parameters};
use crate::core::lock;
use crate::graph::Refusal;
use crate::media::Kind;
use crate::template::Header;

/// Exactly one source, of a form that could work. An id that is unknown, too old or of another
/// number is refused with 131009; two sources or none with `shape`.
pub(super) fn check(
    sending: &Sending<'_>,
    place: &str,
    content: &Value,
    shape: u32,
) -> Result<(), Refusal> {
    let text = |field: &str| {
        let value = content.get(field).filter(|value| !value.is_null())?;
        Some(value.as_str().unwrap_or_default())
    };
    match (text("id"), text("link")) {
        (Some(id), None) => {
            let now_ms = sending.arrived_us / 1000;
            let library = lock(&sending.core.media);
            match library.find(id, Some(sending.number.id), now_ms) {
                Some(_) => Ok(()),
                None => Err(Refusal::new(
                    131_009,
                    format!("{place}: {id} is no media of this phone number"),
                )),
            }
        }
        (None, Some(link)) if is_public(link) => Ok(()),
        (None, Some(_)) => Err(Refusal::new(
            131_009,
            format!("{place}: link must begin with https://"),
        )),
        (Some(_), Some(_)) => Err(Refusal::new(
            shape,
            format!("{place}: either id or link is expected, not both"),
        )),
        (None, None) => Err(Refusal::new(
            shape,
            format!("{place}: id or link is required"),
        )),
    }
}

/// Whether the file an id means is of another kind than the message says; a voice note is one of Ogg. Meta finds that out only
/// when it delivers.
pub(super) fn is_of_another_kind(sending: &Sending<'_>) -> bool {
    let Some((name, content)) = content(sending) else {
        return false;
    };
    let id = content.get("id").and_then(Value::as_str);
    let library = lock(&sending.core.media);
    let file = id.and_then(|id| library.find(id, None, sending.arrived_us / 1000));
    let spoken = content.get("voice").and_then(Value::as_bool) == Some(true);
    file.is_some_and(|file| {
        Kind::of(&file.mime) != Kind::named(name) || (spoken && !file.mime.starts_with("audio/ogg"))
    })
}

/// The media object of a message, in its own place or in a template's header, and its name.
fn content<'a>(sending: &Sending<'a>) -> Option<(&'static str, &'a Value)> {
    let name = match sending.template.map(|template| template.header) {
        None => {
            let names = ["image", "video", "audio", "document", "sticker"];
            names.into_iter().find(|name| *name == sending.kind())?
        }
        Some(Some(Header::Image)) => "image",
        Some(Some(Header::Video)) => "video",
        Some(Some(Header::Document)) => "document",
        Some(_) => return None,
    };
    if sending.template.is_none() {
        return Some((name, sending.body.get(name)?));
    }
    let header = parameters(component(sending.template_body(), "header"));
    Some((name, header.first()?.get(name)?))
}

fn is_public(link: &str) -> bool {
    let host = link
        .get(..8)
        .filter(|scheme| scheme.eq_ignore_ascii_case("https://"))
        .and_then(|_| link.get(8..));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && !link.contains(char::is_whitespace)
}
