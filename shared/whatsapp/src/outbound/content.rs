//! What a message says, and Meta's JSON for it, but for templates (Meta: sending messages).

use domain::chat::{Card, Choice, Section};
use domain::media::MediaKind;
use serde_json::{Value, json};

use super::TemplateMessage;
use crate::client::UploadedMedia;

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text {
        body: String,
        preview_url: bool,
    },
    Media {
        kind: MediaKind,
        media: UploadedMedia,
        caption: Option<String>,
        /// Shown for documents alone.
        file_name: String,
        /// An audio file is shown as spoken.
        voice: bool,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    Contacts(Vec<Card>),
    Reaction {
        wamid: String,
        /// `None` takes the reaction back.
        emoji: Option<String>,
    },
    Interactive(Interactive),
    Template(TemplateMessage),
}

/// Something to press or to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactive {
    pub header: Option<String>,
    pub text: String,
    pub footer: Option<String>,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Buttons(Vec<Choice>),
    List {
        button: String,
        sections: Vec<Section>,
    },
    Link {
        label: String,
        url: String,
    },
}

impl Content {
    /// Meta's word for the kind, which also names the field that the rest stands in.
    pub(super) fn to_json(&self) -> (&'static str, Value) {
        match self {
            Self::Text { body, preview_url } => {
                ("text", json!({"body": body, "preview_url": preview_url}))
            }
            Self::Media {
                kind,
                media: UploadedMedia(id),
                caption,
                file_name,
                voice,
            } => {
                let mut media = json!({"id": id});
                if let Some(caption) = caption {
                    media["caption"] = json!(caption);
                }
                if *kind == MediaKind::Document {
                    media["filename"] = json!(file_name);
                }
                if *voice {
                    media["voice"] = json!(true);
                }
                (kind.as_str(), media)
            }
            Self::Location {
                latitude,
                longitude,
                name,
                address,
            } => {
                let place = json!({"latitude": latitude, "longitude": longitude,
                    "name": name, "address": address});
                ("location", without_nulls(place))
            }
            Self::Contacts(cards) => ("contacts", cards.iter().map(card).collect()),
            Self::Reaction { wamid, emoji } => {
                let emoji = emoji.as_deref().unwrap_or_default();
                ("reaction", json!({"message_id": wamid, "emoji": emoji}))
            }
            Self::Interactive(interactive) => ("interactive", interactive.to_json()),
            Self::Template(template) => ("template", template.to_json()),
        }
    }
}

impl Interactive {
    fn to_json(&self) -> Value {
        let (kind, action) = match &self.action {
            Action::Buttons(buttons) => {
                let button = |choice: &Choice| json!({"type": "reply", "reply": {"id": choice.id, "title": choice.title}});
                let buttons: Vec<_> = buttons.iter().map(button).collect();
                ("button", json!({"buttons": buttons}))
            }
            Action::List { button, sections } => {
                let sections: Vec<_> = sections
                    .iter()
                    .map(|section| {
                        without_nulls(json!({"title": section.title, "rows": section.rows}))
                    })
                    .collect();
                ("list", json!({"button": button, "sections": sections}))
            }
            Action::Link { label, url } => {
                let parameters = json!({"display_text": label, "url": url});
                (
                    "cta_url",
                    json!({"name": "cta_url", "parameters": parameters}),
                )
            }
        };
        let mut body = json!({"type": kind, "body": {"text": self.text}, "action": action});
        if let Some(text) = &self.header {
            body["header"] = json!({"type": "text", "text": text});
        }
        if let Some(text) = &self.footer {
            body["footer"] = json!({"text": text});
        }
        body
    }
}

/// Meta wants the whole name and at least one part of it.
fn card(card: &Card) -> Value {
    let phones: Vec<_> = card
        .phones
        .iter()
        .map(|phone| json!({"phone": phone}))
        .collect();
    let emails: Vec<_> = card
        .emails
        .iter()
        .map(|email| json!({"email": email}))
        .collect();
    let mut body = json!({"name": {"formatted_name": card.name, "first_name": card.name}});
    if !phones.is_empty() {
        body["phones"] = json!(phones);
    }
    if !emails.is_empty() {
        body["emails"] = json!(emails);
    }
    if let Some(company) = &card.company {
        body["org"] = json!({"company": company});
    }
    body
}

/// What is absent is left out; Meta takes no `null`.
fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}
