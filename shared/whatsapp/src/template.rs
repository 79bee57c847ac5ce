//! Meta's list of templates, read into the domain's picture of one (Meta: message templates,
//! components).
//!
//! Nothing unknown is an error: a component we cannot send is remembered by its kind, so that the
//! template is listed and refused with words instead of being lost.

use domain::template::{
    Button, Components, Header, Key, ParameterFormat, Slot, Template, TemplateStatus, Values,
};
use serde_json::Value;

use crate::lenient::{as_text, list, text};

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
        examples: examples(list(value, "components")),
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

/// The values the template was approved with: samples for each variable that has one.
fn examples(parts: &[Value]) -> Values {
    let mut examples = Values::default();
    for part in parts {
        let example = part.get("example").unwrap_or(&Value::Null);
        match kind(part, "type").as_str() {
            "header" => {
                let texts = list(example, "header_text");
                let named = list(example, "header_text_named_params");
                add(&mut examples, Slot::Header, texts, named);
            }
            "body" => {
                // A list of samples, each of which has a text for every variable.
                let first = list(example, "body_text").first();
                let texts = first
                    .and_then(Value::as_array)
                    .map_or(&[][..], Vec::as_slice);
                let named = list(example, "body_text_named_params");
                add(&mut examples, Slot::Body, texts, named);
            }
            "buttons" => {
                for (index, button) in list(part, "buttons").iter().enumerate() {
                    if let Some(example) = button_example(button) {
                        examples.0.insert(Slot::Button(index), example);
                    }
                }
            }
            _ => {}
        }
    }
    examples
}

fn add(examples: &mut Values, place: fn(Key) -> Slot, texts: &[Value], named: &[Value]) {
    let numbered = (1..)
        .zip(texts)
        .filter_map(|(number, example)| Some((place(Key::Position(number)), as_text(example)?)));
    let named = named.iter().filter_map(|parameter| {
        let key = Key::parse(&text(parameter, "param_name")?)?;
        Some((place(key), text(parameter, "example")?))
    });
    examples.0.extend(numbered.chain(named));
}

/// The sample of a link is the whole link; only its end is the variable's.
fn button_example(button: &Value) -> Option<String> {
    let example = button.get("example")?;
    let example = example.get(0).map_or_else(|| as_text(example), as_text)?;
    match kind(button, "type").as_str() {
        "copy_code" => Some(example),
        "url" => {
            let url = text(button, "url")?;
            let (before, _) = url.split_once("{{")?;
            let end = example.strip_prefix(before)?;
            (!end.is_empty()).then(|| end.to_owned())
        }
        _ => None,
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
    fn the_examples_of_every_variable_are_read() {
        let wire = json!({
            "id": "6", "name": "n", "language": "en", "status": "APPROVED", "components": [
                {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}",
                 "example": {"header_text": ["42"]}},
                {"type": "BODY", "text": "Hello {{1}}, on {{2}}.",
                 "example": {"body_text": [["Ada", "Friday"], ["Budi", "Monday"]]}},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Stop"},
                    {"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}",
                     "example": ["https://shop.example/t/a1b2"]},
                    {"type": "COPY_CODE", "example": "SAVE25"},
                    {"type": "URL", "text": "Shop", "url": "https://shop.example/{{1}}",
                     "example": ["https://elsewhere.example/x"]}]},
            ],
        });
        let examples = serde_json::to_value(parse(&wire).unwrap().examples).unwrap();
        assert_eq!(
            examples,
            json!({"header.1": "42", "body.1": "Ada", "body.2": "Friday", "button.1": "a1b2", "button.2": "SAVE25"})
        );
        let named = json!({
            "id": "6", "name": "n", "language": "en", "parameter_format": "NAMED", "components": [
                {"type": "HEADER", "format": "TEXT", "text": "{{shop}}", "example":
                    {"header_text_named_params": [{"param_name": "shop", "example": "Toko"}]}},
                {"type": "BODY", "text": "Hi {{first_name}}", "example":
                    {"body_text_named_params": [{"param_name": "first_name", "example": "Ada"}, {}]}},
            ],
        });
        let examples = serde_json::to_value(parse(&named).unwrap().examples).unwrap();
        assert_eq!(
            examples,
            json!({"header.shop": "Toko", "body.first_name": "Ada"})
        );
    }

    #[test]
    fn every_kind_of_button_and_header_is_read_and_what_cannot_be_sent_is_refused_by_name() {
        let with = |header: &str, button: Value| {
            let wire = json!({"id": "6", "name": "n", "language": "en", "status": "APPROVED",
                "components": [
                    {"type": "HEADER", "format": header, "text": "Hello"},
                    {"type": "BODY", "text": "Hi"},
                    {"type": "BUTTONS", "buttons": [button]}]});
            sendable(&parse(&wire).unwrap()).map_err(|error| error.to_string())
        };
        for header in ["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"] {
            assert_eq!(
                with(header, json!({"type": "QUICK_REPLY", "text": "Yes"})),
                Ok(())
            );
        }
        for kind in [
            "URL",
            "PHONE_NUMBER",
            "COPY_CODE",
            "VOICE_CALL",
            "REQUEST_CONTACT_INFO",
        ] {
            assert_eq!(
                with("TEXT", json!({"type": kind, "text": "x"})),
                Ok(()),
                "{kind}"
            );
        }
        for kind in ["FLOW", "CATALOG", "MPM", "SPM", "OTP", "BRAND_NEW"] {
            let refused = with("TEXT", json!({"type": kind, "text": "x"})).unwrap_err();
            let word = kind.to_lowercase().replace('_', " ");
            assert!(refused.contains(&word), "{refused}");
        }
        assert!(with("GIF", json!({"type": "QUICK_REPLY"})).is_err());
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
