//! The object a message carries, by type. Text and templates are read closely; of the other types
//! only that they have what Meta requires of them.

use serde_json::Value;

use super::{Sending, source};
use crate::graph::Refusal;

const LONGEST_TEXT: usize = 4096;
const LONGEST_CAPTION: usize = 1024;

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
        }
        "location" => {
            for field in ["latitude", "longitude"] {
                required(content, kind, &[field])?;
            }
        }
        "contacts" => {
            if content.as_array().is_none_or(Vec::is_empty) {
                return Err(Refusal::new(131_008, "contacts must not be empty"));
            }
        }
        "reaction" => {
            required_text(content, kind, &["message_id"])?;
            required(content, kind, &["emoji"])?;
        }
        "interactive" => {
            required_text(content, kind, &["type"])?;
            required(content, kind, &["action"])?;
        }
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

fn required<'a>(content: &'a Value, kind: &str, path: &[&str]) -> Result<&'a Value, Refusal> {
    at(content, path)
        .ok_or_else(|| Refusal::new(131_008, format!("{kind}.{} is required", path.join("."))))
}

fn required_text<'a>(content: &'a Value, kind: &str, path: &[&str]) -> Result<&'a str, Refusal> {
    required(content, kind, path)?
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::new(131_008, format!("{kind}.{} must be text", path.join("."))))
}
