//! What becomes of templates (Meta: template webhooks).

use domain::event::{TemplateChange, TemplateEvent};
use domain::template::TemplateStatus;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::reason;
use crate::lenient::{id, text};

/// A template is paused, and disabled for good, as answers to a send say it.
const PAUSED: i64 = 132_015;
const DISABLED: i64 = 132_016;

/// `None` for another field, for a template without an id, and for what changes nothing for us.
///
/// Meta files the quality under the field of the status at times, so the keys decide.
pub(super) fn parse(field: &str, value: &Value, at: Option<Timestamp>) -> Option<TemplateEvent> {
    let change = match field {
        "message_template_status_update" | "message_template_quality_update" => {
            match text(value, "new_quality_score") {
                Some(score) => TemplateChange::Quality(score.to_ascii_lowercase()),
                None => status(value)?,
            }
        }
        // The notice a day ahead has the new category elsewhere; until then nothing changes.
        "template_category_update" if text(value, "correct_category").is_some() => return None,
        "template_category_update" => TemplateChange::Category(text(value, "new_category")?.into()),
        "message_template_components_update" => TemplateChange::Components,
        _ => return None,
    };
    Some(TemplateEvent {
        id: id(value, "message_template_id")?,
        at,
        change,
    })
}

fn status(value: &Value) -> Option<TemplateChange> {
    let event = text(value, "event")?;
    let status = match event.to_ascii_lowercase().as_str() {
        "reinstated" | "unarchived" | "unpaused" => TemplateStatus::Approved,
        // A warning: it can be sent as before.
        "flagged" => return None,
        word => TemplateStatus::from(word),
    };
    let words = match &status {
        TemplateStatus::Approved => "WhatsApp has approved this template.".to_owned(),
        TemplateStatus::Paused => reason(PAUSED).to_owned(),
        TemplateStatus::Disabled => reason(DISABLED).to_owned(),
        TemplateStatus::Rejected => "WhatsApp has rejected this template.".to_owned(),
        TemplateStatus::Pending => "WhatsApp is reviewing this template again.".to_owned(),
        TemplateStatus::Deleted | TemplateStatus::PendingDeletion => {
            "This template was deleted at WhatsApp.".to_owned()
        }
        TemplateStatus::Archived => "WhatsApp has archived this template.".to_owned(),
        other => format!(
            "At WhatsApp this template is now: {}.",
            spaced(other.as_str())
        ),
    };
    let reason = match detail(value).filter(|_| status != TemplateStatus::Approved) {
        Some(detail) => format!("{words} WhatsApp says: {detail}"),
        None => words,
    };
    Some(TemplateChange::Status { status, reason })
}

/// Meta's own explanation, where it gives one. It stands in several places.
fn detail(value: &Value) -> Option<String> {
    let of = |object: &str, key: &str| value.get(object).and_then(|inner| text(inner, key));
    of("rejection_info", "reason")
        .or_else(|| of("other_info", "description"))
        .or_else(|| {
            let reason = text(value, "reason").filter(|reason| reason != "NONE")?;
            Some(format!("{}.", spaced(&reason)))
        })
        .map(|detail| shortened(&detail))
}

/// One of Meta's constants as words.
pub(super) fn spaced(word: &str) -> String {
    shortened(&word.replace('_', " ").to_lowercase())
}

/// Words for a screen; Meta's have some hundred characters.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(500).collect()
}
