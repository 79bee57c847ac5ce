//! Meta's list of templates, read into the domain's picture of one (Meta: message templates,
//! components).
//!
//! Nothing unknown is an error: a component we cannot send is remembered by its kind, so that the
//! template is listed and refused with words instead of being lost.

use domain::template::{Button, Components, Header, ParameterFormat, Template, TemplateStatus};
use serde_json::Value;

use crate::lenient::{list, text};

/// The fields to ask for; the quality is not among Meta's defaults.
pub(crate) const FIELDS: &str =
    "id,name,language,status,category,parameter_format,components,quality_score";

/// `None` when even the name or language is missing: there is nothing to show or send then.
pub(crate) fn parse(value: &Value) -> Option<Template> {
    let word = |key| text(value, key).unwrap_or_default();
    Some(Template {
        id: word("id"),
        name: text(value, "name")?,
        language: text(value, "language")?,
        status: TemplateStatus::from(word("status")),
        category: word("category").into(),
        parameter_format: match text(value, "parameter_format") {
            Some(format) => format.into(),
            None => ParameterFormat::Positional,
        },
        components: components(list(value, "components")),
        quality: value
            .get("quality_score")
            .and_then(|quality| text(quality, "score"))
            .map(|score| score.to_ascii_lowercase()),
    })
}

fn components(parts: &[Value]) -> Components {
    let mut components = Components::default();
    for part in parts {
        match kind(part, "type").as_str() {
            "header" => match header(part) {
                Ok(header) => components.header = Some(header),
                Err(unsupported) => components.unsupported.push(unsupported),
            },
            "body" => components.body = text(part, "text").unwrap_or_default(),
            "footer" => components.footer = text(part, "text"),
            "buttons" => components.buttons = list(part, "buttons").iter().map(button).collect(),
            unsupported => components.unsupported.push(unsupported.to_owned()),
        }
    }
    components
}

fn header(part: &Value) -> Result<Header, String> {
    match kind(part, "format").as_str() {
        "text" => Ok(Header::Text {
            text: text(part, "text").unwrap_or_default(),
        }),
        "image" => Ok(Header::Image),
        "video" => Ok(Header::Video),
        "document" => Ok(Header::Document),
        "location" => Ok(Header::Location),
        format => Err(format!("{format}_header")),
    }
}

fn button(button: &Value) -> Button {
    let label = text(button, "text");
    match kind(button, "type").as_str() {
        "copy_code" => Button::CopyCode { text: label },
        kind => {
            let text_of = |key| text(button, key).unwrap_or_default();
            let text = label.unwrap_or_default();
            match kind {
                "url" => Button::Url {
                    text,
                    url: text_of("url"),
                },
                "quick_reply" => Button::QuickReply { text },
                "phone_number" => Button::PhoneNumber {
                    text,
                    phone_number: text_of("phone_number"),
                },
                kind => Button::Other {
                    kind: kind.to_owned(),
                    text,
                },
            }
        }
    }
}

fn kind(value: &Value, key: &str) -> String {
    text(value, key).map_or_else(|| "unknown".to_owned(), |word| word.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use domain::template::{TemplateCategory, sendable};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_is_read_with_all_its_parts() {
        let wire = json!({
            "id": "600000000000001", "name": "order_shipped", "language": "en_US",
            "status": "APPROVED", "category": "UTILITY", "parameter_format": "POSITIONAL",
            "quality_score": {"score": "GREEN", "date": 1795000000},
            "components": [
                {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}",
                 "example": {"header_text": ["42"]}},
                {"type": "BODY", "text": "Hello {{1}}, on {{2}}."},
                {"type": "FOOTER", "text": "Example Shop"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}"},
                    {"type": "QUICK_REPLY", "text": "Stop"},
                    {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550100001"},
                    {"type": "COPY_CODE", "example": "SAVE25"},
                    {"type": "VOICE_CALL", "text": "Ring"}]},
            ],
        });
        let template = parse(&wire).unwrap();
        assert_eq!(template.status, TemplateStatus::Approved);
        assert_eq!(template.category, TemplateCategory::Utility);
        assert_eq!(template.quality.as_deref(), Some("green"));
        assert_eq!(template.components.footer.as_deref(), Some("Example Shop"));
        assert_eq!(template.components.buttons.len(), 5);
        let slots: Vec<_> = template.slots().iter().map(ToString::to_string).collect();
        assert_eq!(
            slots,
            ["header.1", "body.1", "body.2", "button.0", "button.3"]
        );
        assert_eq!(sendable(&template), Ok(()));
    }

    #[test]
    fn what_cannot_be_sent_is_remembered_by_its_kind() {
        let wire = json!({
            "id": 600000000000002_u64, "name": "flash_sale", "language": "en", "status": "APPROVED",
            "category": "SOMETHING_NEW", "quality_score": null,
            "components": [
                {"type": "HEADER", "format": "GIF"},
                {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon"}},
                {"type": "BODY", "text": "Hi"},
                {"type": "CAROUSEL", "cards": [{"components": []}]},
                {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "ONE_TAP"}, {}]},
                {"surprise": true},
            ],
        });
        let template = parse(&wire).unwrap();
        assert_eq!(template.id, "600000000000002");
        assert_eq!(
            template.category,
            TemplateCategory::Other("something_new".to_owned())
        );
        assert_eq!(
            template.components.unsupported,
            ["gif_header", "limited_time_offer", "carousel", "unknown"]
        );
        let other = |kind: &str| Button::Other {
            kind: kind.to_owned(),
            text: String::new(),
        };
        assert_eq!(
            template.components.buttons,
            [other("otp"), other("unknown")]
        );
        assert!(sendable(&template).is_err());
    }

    #[test]
    fn media_headers_are_known_by_their_format() {
        let formats = [("IMAGE", Header::Image), ("video", Header::Video)];
        let more = [
            ("DOCUMENT", Header::Document),
            ("LOCATION", Header::Location),
        ];
        for (format, expected) in formats.into_iter().chain(more) {
            let part = json!({"type": "HEADER", "format": format});
            assert_eq!(components(&[part]).header, Some(expected));
        }
    }
}
