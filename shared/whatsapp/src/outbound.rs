//! What we send, and the JSON Meta wants for it (Meta: sending messages; template messages).

use domain::template::{
    Button, Header, HeaderContent, Key, MediaSource, ParameterFormat, Slot, Template, Values,
};
use serde_json::{Value, json};

use crate::client::UploadedMedia;

mod content;

pub use content::{Action, Content, Interactive};

/// A message to one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Outbound {
    /// A number in international form, best with its plus sign (without it Meta may put the
    /// business's own country in front), or a business-scoped user id.
    pub to: String,
    pub content: Content,
    /// Meta's id of the message that this one quotes.
    pub context: Option<String>,
    /// Our own id of the message, which comes back with every status. At most 512 characters.
    pub callback_data: String,
}

/// A template with its variables filled in, ready for the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateMessage {
    name: String,
    language: String,
    components: Vec<Value>,
}

impl TemplateMessage {
    /// Values come from filling a mapping, which leaves none out. Were one missing, Meta would
    /// refuse the message for the wrong count; it could not go out with a hole in it.
    ///
    /// `answer` comes back when a quick reply is pressed that was given no payload of its own. It
    /// names the message, so an answer is known for what it answers; left to itself Meta would
    /// return the button's text, which comes along anyway.
    pub fn new(
        template: &Template,
        header: Option<&HeaderContent<UploadedMedia>>,
        values: &Values,
        answer: &str,
    ) -> Self {
        let slots = template.slots();
        let named = template.parameter_format == ParameterFormat::Named;
        let texts = |part: fn(&Slot) -> Option<&Key>| -> Vec<Value> {
            let filled = slots
                .iter()
                .filter_map(|slot| Some((part(slot)?, values.get(slot)?)));
            filled
                .map(|(key, value)| text_parameter(key, value, named))
                .collect()
        };
        let mut components = Vec::new();
        let header = match &template.components.header {
            Some(Header::Text { .. }) => texts(header_key),
            Some(Header::Image | Header::Video | Header::Document | Header::Location) => {
                header.map(header_parameter).into_iter().collect()
            }
            None => Vec::new(),
        };
        if !header.is_empty() {
            components.push(json!({"type": "header", "parameters": header}));
        }
        let body = texts(body_key);
        if !body.is_empty() {
            components.push(json!({"type": "body", "parameters": body}));
        }
        let buttons = template.components.buttons.iter().enumerate();
        components.extend(buttons.filter_map(|(index, button)| {
            button_component(index, button, template.button_value(index, values), answer)
        }));
        let (name, language) = (template.name.clone(), template.language.clone());
        Self {
            name,
            language,
            components,
        }
    }
}

impl Outbound {
    pub(crate) fn to_json(&self) -> Value {
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "biz_opaque_callback_data": self.callback_data,
        });
        // A hidden number's owner is addressed in a field of its own (Meta: business-scoped ids).
        let address = if is_user_id(&self.to) {
            "recipient"
        } else {
            "to"
        };
        body[address] = json!(self.to);
        if let Some(wamid) = &self.context {
            body["context"] = json!({"message_id": wamid});
        }
        let (kind, content) = self.content.to_json();
        body["type"] = json!(kind);
        body[kind] = content;
        body
    }
}

impl TemplateMessage {
    fn to_json(&self) -> Value {
        let mut template = json!({"name": self.name, "language": {"code": self.language}});
        // A template without variables must not carry the list at all.
        if !self.components.is_empty() {
            template["components"] = json!(self.components);
        }
        template
    }
}

fn header_key(slot: &Slot) -> Option<&Key> {
    match slot {
        Slot::Header(key) => Some(key),
        Slot::Body(_) | Slot::Button(_) => None,
    }
}

fn body_key(slot: &Slot) -> Option<&Key> {
    match slot {
        Slot::Body(key) => Some(key),
        Slot::Header(_) | Slot::Button(_) => None,
    }
}

/// Named parameters say which one they are; numbered ones are told apart by their order. A name
/// is sent as one even when the list of templates did not say which format it is in.
fn text_parameter(key: &Key, value: &str, named: bool) -> Value {
    match key {
        Key::Position(_) if !named => json!({"type": "text", "text": value}),
        Key::Position(_) | Key::Name(_) => {
            json!({"type": "text", "parameter_name": key.to_string(), "text": value})
        }
    }
}

/// A file by its link or by Meta's id, or a place.
fn header_parameter(header: &HeaderContent<UploadedMedia>) -> Value {
    let file = |source: &MediaSource<UploadedMedia>| match source {
        MediaSource::Link(link) => json!({"link": link.as_str()}),
        MediaSource::Media(UploadedMedia(id)) => json!({"id": id}),
    };
    match header {
        HeaderContent::Image { source } => json!({"type": "image", "image": file(source)}),
        HeaderContent::Video { source } => json!({"type": "video", "video": file(source)}),
        HeaderContent::Document { source, file_name } => {
            let mut document = file(source);
            document["filename"] = json!(file_name);
            json!({"type": "document", "document": document})
        }
        HeaderContent::Location(place) => json!({"type": "location", "location": {
            "latitude": place.latitude.to_string(), "longitude": place.longitude.to_string(),
            "name": place.name, "address": place.address}}),
    }
}

/// Variables of buttons have no names, whatever the template's format.
fn button_component(
    index: usize,
    button: &Button,
    value: Option<&str>,
    answer: &str,
) -> Option<Value> {
    let (sub_type, parameter) = match button {
        Button::Url { .. } => ("url", json!({"type": "text", "text": value?})),
        Button::CopyCode { .. } => (
            "copy_code",
            json!({"type": "coupon_code", "coupon_code": value?}),
        ),
        Button::QuickReply { .. } => (
            "quick_reply",
            json!({"type": "payload", "payload": value.unwrap_or(answer)}),
        ),
        Button::PhoneNumber { .. } | Button::Other { .. } => return None,
    };
    let index = index.to_string();
    Some(json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}))
}

/// `US.` and the like: two letters of a country, a dot, letters and digits.
fn is_user_id(to: &str) -> bool {
    let Some((country, rest)) = to.split_once('.') else {
        return false;
    };
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

#[cfg(test)]
mod tests;
