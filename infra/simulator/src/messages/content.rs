//! The object a message carries, by type: whether it has what Meta requires of it, within its limits.

use serde_json::Value;

use super::{Sending, interactive, source};
use crate::graph::Refusal;

const LONGEST_TEXT: usize = 4096;
const LONGEST_CAPTION: usize = 1024;
const MOST_CONTACTS: usize = 257;
/// The parts of a name, of which one must be there beside the whole.
const NAME_PARTS: [&str; 5] = ["first_name", "last_name", "middle_name", "suffix", "prefix"];

pub(super) fn is_complete(sending: &Sending<'_>) -> Result<(), Refusal> {
    if sending.is_receipt() {
        return Ok(());
    }
    let kind = sending.kind();
    let content = match sending.body.get(kind) {
        Some(content) => content,
        None if is_known(kind) => {
            return Err(Refusal::new(131_008, format!("{kind} is required")));
        }
        None => return Err(Refusal::new(100, format!("type {kind} does not exist"))),
    };
    match kind {
        "text" => {
            let body = required_text(content, kind, &["body"])?;
            if body.chars().count() > LONGEST_TEXT {
                let details = format!("text.body takes up to {LONGEST_TEXT} characters");
                return Err(Refusal::new(100, details));
            }
            flag(content, kind, "preview_url")?;
        }
        "template" => {
            required_text(content, kind, &["name"])?;
            required_text(content, kind, &["language", "code"])?;
            let components = content.get("components");
            let listed = |components: &Value| {
                components
                    .as_array()
                    .is_some_and(|all| all.iter().all(Value::is_object))
            };
            if components.is_some_and(|components| !listed(components)) {
                return Err(Refusal::new(
                    100,
                    "template.components must be a list of objects",
                ));
            }
        }
        "image" | "video" | "audio" | "document" | "sticker" => {
            let sourced = ["id", "link"]
                .iter()
                .any(|field| content.get(field).is_some());
            if !sourced {
                let details = format!("{kind}.id or {kind}.link is required");
                return Err(Refusal::new(131_008, details));
            }
            source::check(sending, kind, content, 100)?;
            caption_fits(kind, content)?;
            if kind == "audio" {
                flag(content, kind, "voice")?;
            }
        }
        "location" => {
            for (field, most) in [("latitude", 90.0), ("longitude", 180.0)] {
                degrees(content, field, most)?;
            }
        }
        "contacts" => cards(content)?,
        "reaction" => {
            required_text(content, kind, &["message_id"])?;
            // Empty text takes the reaction back.
            if required(content, kind, &["emoji"])?
                .as_str()
                .is_none_or(is_sentence)
            {
                return Err(Refusal::new(131_009, "reaction.emoji must be one emoji"));
            }
        }
        "interactive" => interactive::is_complete(sending, content)?,
        _ => return Err(Refusal::new(100, format!("type {kind} does not exist"))),
    }
    Ok(())
}

fn caption_fits(kind: &str, content: &Value) -> Result<(), Refusal> {
    let Some(caption) = content.get("caption") else {
        return Ok(());
    };
    if matches!(kind, "audio" | "sticker") {
        return Err(Refusal::new(100, format!("{kind} takes no caption")));
    }
    let length = caption.as_str().map(|text| text.chars().count());
    if length.is_none_or(|length| length > LONGEST_CAPTION) {
        let details = format!("{kind}.caption takes up to {LONGEST_CAPTION} characters");
        return Err(Refusal::new(100, details));
    }
    Ok(())
}

/// Whether this is more than an emoji and what colours or joins it.
fn is_sentence(emoji: &str) -> bool {
    emoji.chars().count() > 12
        || emoji
            .chars()
            .any(|c| c.is_ascii_alphabetic() || c.is_whitespace())
}

/// Meta takes degrees as numbers and as text.
fn degrees(content: &Value, field: &str, most: f64) -> Result<(), Refusal> {
    let value = required(content, "location", &[field])?;
    let value = value
        .as_f64()
        .or_else(|| value.as_str()?.parse().ok())
        .filter(|degrees: &f64| (-most..=most).contains(degrees));
    match value {
        Some(_) => Ok(()),
        None => Err(Refusal::new(
            131_009,
            format!("location.{field} is between -{most} and {most}"),
        )),
    }
}

fn cards(content: &Value) -> Result<(), Refusal> {
    let cards = content.as_array().map(Vec::as_slice).unwrap_or_default();
    if cards.is_empty() {
        return Err(Refusal::new(131_008, "contacts must not be empty"));
    }
    if cards.len() > MOST_CONTACTS {
        let details = format!("contacts takes up to {MOST_CONTACTS}");
        return Err(Refusal::new(131_009, details));
    }
    for card in cards {
        required_text(card, "contacts", &["name", "formatted_name"])?;
        if !NAME_PARTS
            .iter()
            .any(|part| at(card, &["name", part]).is_some())
        {
            let details = "contacts.name needs a part of the name beside formatted_name";
            return Err(Refusal::new(131_008, details));
        }
    }
    Ok(())
}

/// A field that may be left out, but is true or false when it is not.
fn flag(content: &Value, kind: &str, field: &str) -> Result<(), Refusal> {
    match content.get(field) {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(_) => Err(Refusal::new(
            100,
            format!("{kind}.{field} must be true or false"),
        )),
    }
}

/// What the ledger shows of a message that is not a template.
pub(super) fn preview(sending: &Sending<'_>) -> String {
    let kind = sending.kind();
    let content = sending.body.get(kind).unwrap_or(&Value::Null);
    let text = match kind {
        "interactive" => at(content, &["body", "text"]),
        "reaction" => at(content, &["emoji"]),
        "text" => at(content, &["body"]),
        "location" => at(content, &["name"]),
        _ => at(content, &["caption"]),
    };
    match text.and_then(Value::as_str) {
        Some(text) if kind == "text" => text.to_owned(),
        Some(text) => format!("[{kind}] {text}"),
        None => format!("[{kind}]"),
    }
}

fn is_known(kind: &str) -> bool {
    matches!(
        kind,
        "text"
            | "image"
            | "video"
            | "audio"
            | "document"
            | "sticker"
            | "location"
            | "contacts"
            | "interactive"
            | "template"
            | "reaction"
    )
}

fn at<'a>(content: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter()
        .try_fold(content, |value, field| value.get(field))
}

pub(super) fn required<'a>(
    content: &'a Value,
    kind: &str,
    path: &[&str],
) -> Result<&'a Value, Refusal> {
    at(content, path)
        .ok_or_else(|| Refusal::new(131_008, format!("{kind}.{} is required", path.join("."))))
}

pub(super) fn required_text<'a>(
    content: &'a Value,
    kind: &str,
    path: &[&str],
) -> Result<&'a str, Refusal> {
    required(content, kind, path)?
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::new(131_008, format!("{kind}.{} must be text", path.join("."))))
}
