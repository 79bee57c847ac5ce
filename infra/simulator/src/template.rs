//! A message template: what Graph lists of it, which variables it has, and how it reads when
//! they are filled in. The templates themselves are in the universe's catalogue.

use serde_json::{Map, Value, json};

/// The most characters a filled body may have.
pub(crate) const LONGEST_BODY: usize = 1024;

#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) language: &'static str,
    pub(crate) category: &'static str,
    pub(crate) status: &'static str,
    pub(crate) named: bool,
    pub(crate) header: Option<Header>,
    pub(crate) body: &'static str,
    pub(crate) examples: &'static [&'static str],
    pub(crate) footer: Option<&'static str>,
    pub(crate) buttons: Vec<Button>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Header {
    Text(&'static str, &'static [&'static str]),
    Image,
    Video,
    Document,
    Location,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Button {
    Url {
        text: &'static str,
        url: &'static str,
    },
    QuickReply(&'static str),
    Phone {
        text: &'static str,
        number: &'static str,
    },
    CopyCode(&'static str),
}

impl Header {
    pub(crate) fn format(self) -> &'static str {
        match self {
            Header::Text(..) => "TEXT",
            Header::Image => "IMAGE",
            Header::Video => "VIDEO",
            Header::Document => "DOCUMENT",
            Header::Location => "LOCATION",
        }
    }
}

impl Button {
    /// The `sub_type` a send uses for it.
    pub(crate) fn sub_type(self) -> &'static str {
        match self {
            Button::Url { .. } => "url",
            Button::QuickReply(_) => "quick_reply",
            Button::Phone { .. } => "phone_number",
            Button::CopyCode(_) => "copy_code",
        }
    }

    /// Whether a send must bring a parameter for it.
    pub(crate) fn needs_parameter(self) -> bool {
        match self {
            Button::Url { url, .. } => !variables(url).is_empty(),
            Button::CopyCode(_) => true,
            Button::QuickReply(_) | Button::Phone { .. } => false,
        }
    }
}

impl Template {
    /// Everything Graph knows of it, field by field, while it has `status`.
    pub(crate) fn node(&self, status: &str) -> Map<String, Value> {
        let score = match status {
            "APPROVED" => "GREEN",
            "PAUSED" | "DISABLED" => "RED",
            _ => "UNKNOWN",
        };
        let rejected = match status {
            "REJECTED" => "INVALID_FORMAT",
            _ => "NONE",
        };
        let node = json!({
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "status": status,
            "category": self.category,
            "parameter_format": if self.named { "NAMED" } else { "POSITIONAL" },
            "components": self.components(),
            "quality_score": {"score": score, "date": 1_795_000_000},
            "rejected_reason": rejected,
        });
        match node {
            Value::Object(node) => node,
            _ => Map::new(),
        }
    }

    fn components(&self) -> Vec<Value> {
        let mut components = Vec::new();
        match self.header {
            Some(Header::Text(text, examples)) => {
                let mut header = json!({"type": "HEADER", "format": "TEXT", "text": text});
                if !examples.is_empty() {
                    header["example"] = self.example("header_text", text, examples);
                }
                components.push(header);
            }
            Some(Header::Location) => {
                components.push(json!({"type": "HEADER", "format": "LOCATION"}));
            }
            Some(media) => components.push(json!({"type": "HEADER", "format": media.format(),
                "example": {"header_handle": [format!("https://scontent.example/{}", self.id)]}})),
            None => {}
        }
        let mut body = json!({"type": "BODY", "text": self.body});
        if !self.examples.is_empty() {
            body["example"] = self.example("body_text", self.body, self.examples);
        }
        components.push(body);
        if let Some(footer) = self.footer {
            components.push(json!({"type": "FOOTER", "text": footer}));
        }
        if !self.buttons.is_empty() {
            let buttons: Vec<_> = self.buttons.iter().map(|button| node_of(*button)).collect();
            components.push(json!({"type": "BUTTONS", "buttons": buttons}));
        }
        components
    }

    fn example(&self, field: &str, text: &str, examples: &[&str]) -> Value {
        if self.named {
            let named: Vec<_> = variables(text)
                .iter()
                .zip(examples)
                .map(|(name, example)| json!({"param_name": name, "example": example}))
                .collect();
            json!({ format!("{field}_named_params"): named })
        } else if field == "body_text" {
            json!({ field: [examples] })
        } else {
            json!({ field: examples })
        }
    }
}

/// The names of the variables in `text`, each once, in order of appearance.
pub(crate) fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else {
            break;
        };
        if !found.contains(&name) {
            found.push(name);
        }
        rest = tail;
    }
    found
}

/// Fills `text` in one pass, so that a value which looks like a variable stays what it is.
pub(crate) fn fill(text: &str, values: &[(String, String)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else {
            break;
        };
        filled.push_str(before);
        if let Some((_, value)) = values.iter().find(|(known, _)| known == name) {
            filled.push_str(value);
        }
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

fn node_of(button: Button) -> Value {
    match button {
        Button::Url { text, url } => {
            let mut node = json!({"type": "URL", "text": text, "url": url});
            if button.needs_parameter() {
                node["example"] = json!([fill(url, &[("1".into(), "a1b2".into())])]);
            }
            node
        }
        Button::QuickReply(text) => json!({"type": "QUICK_REPLY", "text": text}),
        Button::Phone { text, number } => {
            json!({"type": "PHONE_NUMBER", "text": text, "phone_number": number})
        }
        Button::CopyCode(example) => {
            json!({"type": "COPY_CODE", "text": "Copy offer code", "example": [example]})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_variable_is_not_filled_again() {
        let values = [
            ("1".to_owned(), "{{2}}".to_owned()),
            ("2".to_owned(), "x".to_owned()),
        ];
        assert_eq!(fill("a {{1}} b {{2}} c", &values), "a {{2}} b x c");
        assert_eq!(variables("{{b}} {{a}} {{b}} {{"), ["b", "a"]);
    }
}
