//! A template as a person will read it: for previews and for the chat thread.
//!
//! A value is data: braces inside it mean nothing. Each text is walked once and values are copied
//! into the result, so what was inserted is never looked at again.

use serde::{Deserialize, Serialize};

use super::{
    Button, Header, HeaderContent, Slot, Template, Values,
    placeholder::{Segment, segments},
    slot::Key,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rendered {
    pub header: Option<RenderedHeader>,
    pub body: String,
    pub footer: Option<String>,
    pub buttons: Vec<RenderedButton>,
}

/// What stands at the top: `{"type": "text", "text": "Order 42"}`, or the file or place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RenderedHeader {
    Text {
        text: String,
    },
    #[serde(untagged)]
    Content(HeaderContent),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedButton {
    /// `url`, `quick_reply`, `phone_number`, `copy_code`, or Meta's own word for another kind.
    pub kind: String,
    pub text: String,
    /// What pressing it uses: the link, the number, the code, or the payload that comes back.
    pub value: Option<String>,
}

/// Puts the values in. A variable without a value stays visible as it is written in the
/// template, which is what a preview of an unfinished campaign should show.
pub fn render(template: &Template, header: Option<&HeaderContent>, values: &Values) -> Rendered {
    let components = &template.components;
    let header = match header_text(template, values) {
        Some(text) => Some(RenderedHeader::Text { text }),
        None => header.cloned().map(RenderedHeader::Content),
    };
    let buttons = components.buttons.iter().enumerate();
    Rendered {
        header,
        body: body(template, values),
        footer: components.footer.clone(),
        buttons: buttons
            .map(|(index, button)| rendered_button(button, template.button_value(index, values)))
            .collect(),
    }
}

/// The header's text; a file or place has none.
pub(super) fn header_text(template: &Template, values: &Values) -> Option<String> {
    match template.components.header.as_ref()? {
        Header::Text { text } => Some(filled(text, |key| values.get(&Slot::Header(key.clone())))),
        Header::Image | Header::Video | Header::Document | Header::Location => None,
    }
}

/// The link of a button with its end.
pub(super) fn filled_link(url: &str, end: Option<&str>) -> String {
    filled(url, |_| end)
}

/// The length that counts against Meta's limit.
pub(super) fn body_length(template: &Template, values: &Values) -> usize {
    body(template, values).chars().count()
}

fn body(template: &Template, values: &Values) -> String {
    filled(&template.components.body, |key| {
        values.get(&Slot::Body(key.clone()))
    })
}

fn rendered_button(button: &Button, filling: Option<&str>) -> RenderedButton {
    let (kind, text, value) = match button {
        Button::Url { text, url } => ("url", text.clone(), Some(filled_link(url, filling))),
        Button::QuickReply { text } => ("quick_reply", text.clone(), filling.map(str::to_owned)),
        Button::PhoneNumber { text, phone_number } => {
            ("phone_number", text.clone(), Some(phone_number.clone()))
        }
        Button::CopyCode { text } => (
            "copy_code",
            text.clone().unwrap_or_else(|| "Copy code".to_owned()),
            filling.map(str::to_owned),
        ),
        Button::Other { kind, text } => (kind.as_str(), text.clone(), None),
    };
    RenderedButton {
        kind: kind.to_owned(),
        text,
        value,
    }
}

fn filled<'v>(text: &str, value: impl Fn(&Key) -> Option<&'v str>) -> String {
    segments(text)
        .into_iter()
        .map(|segment| match segment {
            Segment::Text(text) => text,
            Segment::Placeholder { key, source } => match value(&key) {
                Some(value) => value,
                None => source,
            },
        })
        .collect::<Vec<&str>>()
        .concat()
}
