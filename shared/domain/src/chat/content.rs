//! What a workspace can say in a chat, and Meta's limits of it (Meta: sending messages, size limits).

use serde::{Deserialize, Serialize};

use crate::contact::InvalidField;
use crate::id::{MediaId, MessageId};
use crate::media::CAPTION_MAX;
use crate::template::{HeaderInput, Mapping};

/// The most characters of a text.
pub const TEXT_MAX: usize = 4096;

/// Of what is offered to choose from: the text above it, and what stands at its top and foot.
const OFFER_TEXT_MAX: usize = 1024;
const MARGIN_TEXT_MAX: usize = 60;

const BUTTONS_MAX: usize = 3;
const BUTTON_MAX: usize = 20;
const BUTTON_ID_MAX: usize = 256;

const SECTIONS_MAX: usize = 10;
const ROWS_MAX: usize = 10;
const SECTION_TITLE_MAX: usize = 24;
const ROW_TITLE_MAX: usize = 24;
const ROW_ID_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 72;

const CARDS_MAX: usize = 257;
const URL_MAX: usize = 2000;
/// Ours, as Meta names none.
const PLACE_TEXT_MAX: usize = 300;

/// What is said by one message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    Text {
        text: String,
    },
    /// An uploaded file. What it is shown as follows from what it is.
    Media {
        media: MediaId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        /// An audio file is shown as spoken; it must be OGG with OPUS (Meta: media by id).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        voice: bool,
    },
    Location {
        latitude: f64,
        longitude: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    Contacts {
        contacts: Vec<Card>,
    },
    /// An emoji on an earlier message; `None` takes it back.
    Reaction {
        message: MessageId,
        #[serde(default)]
        emoji: Option<String>,
    },
    /// Up to three buttons, of which the person presses one.
    Buttons {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        buttons: Vec<Choice>,
    },
    /// Up to ten rows behind one button.
    List {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        /// What opens the list.
        button: String,
        sections: Vec<Section>,
    },
    /// A button that opens a page.
    Link {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        label: String,
        url: String,
    },
    /// A template, which may be sent also when the customer service window is closed.
    Template(TemplateContent),
}

/// A template to be filled for the person of the chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateContent {
    /// Meta's id of it.
    pub template: String,
    #[serde(default)]
    pub variables: Mapping,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderInput>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
}

/// Something to choose. `id` comes back with the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub id: String,
    pub title: String,
    /// Only rows of a list have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Rows of a list below one title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Only a list of one section needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub rows: Vec<Choice>,
}

impl Content {
    /// Whether everything is as Meta takes it, as far as it can be told without the file or the template.
    ///
    /// # Errors
    /// Every field that is not, by its name below `content`.
    pub fn check(&self) -> Result<(), Vec<InvalidField>> {
        let mut faults = Faults::default();
        match self {
            Self::Text { text } => faults.text("text", text, TEXT_MAX),
            Self::Media { caption, .. } => {
                faults.optional("caption", caption.as_deref(), CAPTION_MAX);
            }
            Self::Location {
                latitude,
                longitude,
                name,
                address,
            } => {
                faults.degrees("latitude", *latitude, 90.0);
                faults.degrees("longitude", *longitude, 180.0);
                faults.optional("name", name.as_deref(), PLACE_TEXT_MAX);
                faults.optional("address", address.as_deref(), PLACE_TEXT_MAX);
            }
            Self::Contacts { contacts } => faults.cards(contacts),
            Self::Reaction { emoji, .. } => {
                // What counts as an emoji changes every year, so Meta decides; a sentence is none.
                let one = |emoji: &String| {
                    !emoji.is_empty()
                        && emoji.chars().count() <= 12
                        && !emoji
                            .chars()
                            .any(|c| c.is_whitespace() || c.is_ascii_alphabetic())
                };
                if emoji.as_ref().is_some_and(|emoji| !one(emoji)) {
                    faults.add("emoji", "a reaction is one emoji; null takes it back");
                }
            }
            Self::Buttons {
                header,
                text,
                footer,
                buttons,
            } => {
                faults.around(header.as_deref(), footer.as_deref());
                faults.text("text", text, OFFER_TEXT_MAX);
                if buttons.is_empty() || buttons.len() > BUTTONS_MAX {
                    faults.add("buttons", format!("1 to {BUTTONS_MAX} buttons are allowed"));
                }
                faults.choices("buttons", buttons, BUTTON_MAX, BUTTON_ID_MAX, 0);
                faults.once("buttons", buttons.iter());
            }
            Self::List {
                header,
                text,
                footer,
                button,
                sections,
            } => {
                faults.around(header.as_deref(), footer.as_deref());
                faults.text("text", text, TEXT_MAX);
                faults.text("button", button, BUTTON_MAX);
                faults.sections(sections);
            }
            Self::Link {
                header,
                text,
                footer,
                label,
                url,
            } => {
                faults.around(header.as_deref(), footer.as_deref());
                faults.text("text", text, OFFER_TEXT_MAX);
                faults.text("label", label, BUTTON_MAX);
                let web = url.starts_with("https://") || url.starts_with("http://");
                if !web || url.len() > URL_MAX || url.contains(char::is_whitespace) {
                    faults.add("url", "a link begins with https:// and has no spaces");
                }
            }
            Self::Template(_) => {}
        }
        faults.end()
    }

    /// What the chat's list shows of it; the names of kinds that have no words are the screen's.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Text { text }
            | Self::Buttons { text, .. }
            | Self::List { text, .. }
            | Self::Link { text, .. } => text,
            Self::Media { caption, .. } => caption.as_deref().unwrap_or_default(),
            Self::Location { name, .. } => name.as_deref().unwrap_or_default(),
            Self::Contacts { contacts } => contacts.first().map_or("", |card| &card.name),
            Self::Reaction { emoji, .. } => emoji.as_deref().unwrap_or_default(),
            Self::Template(_) => "",
        }
    }
}

#[derive(Default)]
struct Faults(Vec<InvalidField>);

impl Faults {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        let message = message.into();
        self.0
            .push(InvalidField::new(format!("content.{field}"), message));
    }

    /// It is sent as it was written; only emptiness is judged without its spaces.
    fn text(&mut self, field: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(field, "this must not be empty");
        } else if text.chars().count() > most {
            self.add(field, format!("at most {most} characters are allowed"));
        }
    }

    fn optional(&mut self, field: &str, text: Option<&str>, most: usize) {
        if let Some(text) = text {
            self.text(field, text, most);
        }
    }

    fn around(&mut self, header: Option<&str>, footer: Option<&str>) {
        self.optional("header", header, MARGIN_TEXT_MAX);
        self.optional("footer", footer, MARGIN_TEXT_MAX);
    }

    fn degrees(&mut self, field: &str, degrees: f64, most: f64) {
        if !(-most..=most).contains(&degrees) {
            self.add(field, format!("degrees from -{most} to {most}"));
        }
    }

    fn cards(&mut self, cards: &[Card]) {
        if cards.is_empty() || cards.len() > CARDS_MAX {
            self.add("contacts", format!("1 to {CARDS_MAX} contacts are allowed"));
        }
        for (place, card) in cards.iter().enumerate() {
            self.text(
                &format!("contacts[{place}].name"),
                &card.name,
                PLACE_TEXT_MAX,
            );
            if card.phones.is_empty() && card.emails.is_empty() {
                let field = format!("contacts[{place}].phones");
                self.add(
                    &field,
                    "a contact card needs a phone number or an e-mail address",
                );
            }
        }
    }

    fn choices(&mut self, field: &str, choices: &[Choice], title: usize, id: usize, more: usize) {
        for (place, choice) in choices.iter().enumerate() {
            self.text(&format!("{field}[{place}].title"), &choice.title, title);
            self.text(&format!("{field}[{place}].id"), &choice.id, id);
            if choice.id.trim() != choice.id {
                self.add(
                    &format!("{field}[{place}].id"),
                    "no spaces around it are allowed",
                );
            }
            let about = format!("{field}[{place}].description");
            match &choice.description {
                Some(_) if more == 0 => self.add(&about, "a button has no description"),
                description => self.optional(&about, description.as_deref(), more),
            }
        }
    }

    fn sections(&mut self, sections: &[Section]) {
        let rows: usize = sections.iter().map(|section| section.rows.len()).sum();
        if sections.is_empty() || sections.len() > SECTIONS_MAX {
            self.add(
                "sections",
                format!("1 to {SECTIONS_MAX} sections are allowed"),
            );
        }
        if rows > ROWS_MAX {
            self.add(
                "sections",
                format!("at most {ROWS_MAX} rows are allowed in all"),
            );
        }
        for (place, section) in sections.iter().enumerate() {
            let field = format!("sections[{place}]");
            if section.rows.is_empty() {
                self.add(&format!("{field}.rows"), "a section needs a row");
            }
            match section.title.as_deref() {
                None if sections.len() > 1 => {
                    self.add(
                        &format!("{field}.title"),
                        "one of several sections needs a title",
                    );
                }
                title => self.optional(&format!("{field}.title"), title, SECTION_TITLE_MAX),
            }
            let rows = format!("{field}.rows");
            self.choices(
                &rows,
                &section.rows,
                ROW_TITLE_MAX,
                ROW_ID_MAX,
                DESCRIPTION_MAX,
            );
        }
        self.once(
            "sections",
            sections.iter().flat_map(|section| &section.rows),
        );
    }

    /// The answer must tell which one was chosen.
    fn once<'a>(&mut self, field: &str, choices: impl Iterator<Item = &'a Choice>) {
        let mut ids = std::collections::HashSet::new();
        if choices
            .into_iter()
            .any(|choice| !ids.insert(choice.id.as_str()))
        {
            self.add(field, "every id must be different");
        }
    }

    fn end(self) -> Result<(), Vec<InvalidField>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(content: Value) -> Vec<String> {
        let content: Content = serde_json::from_value(content).unwrap();
        let faults = content.check().err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_text_has_one_to_4096_characters_however_many_bytes() {
        let text = |text: &str| faults(json!({"type": "text", "text": text}));
        assert!(text(&"é".repeat(TEXT_MAX)).is_empty());
        assert!(text(" two lines\n ").is_empty());
        assert_eq!(text(&"e".repeat(TEXT_MAX + 1)), ["content.text"]);
        assert_eq!(text(" \n "), ["content.text"]);
    }

    #[test]
    fn every_fault_of_an_offer_is_named_at_once() {
        let offer = json!({"type": "buttons", "text": "", "footer": "f".repeat(61), "buttons": [
            {"id": "a", "title": "x".repeat(21)}, {"id": "a", "title": "No", "description": "d"}]});
        assert_eq!(
            faults(offer),
            [
                "content.footer",
                "content.text",
                "content.buttons[0].title",
                "content.buttons[1].description",
                "content.buttons",
            ]
        );
    }

    #[test]
    fn a_list_has_ten_rows_in_all_and_titles_when_there_are_several_sections() {
        let row = |id: usize| json!({"id": id.to_string(), "title": "A row"});
        let rows = |from: usize| (from..from + 6).map(row).collect::<Vec<_>>();
        let list = |sections: Value| {
            faults(json!({"type": "list", "text": "Pick", "button": "Times", "sections": sections}))
        };
        assert!(list(json!([{"rows": rows(0)}])).is_empty());
        assert_eq!(
            list(json!([{"rows": rows(0)}, {"title": "B", "rows": rows(6)}])),
            ["content.sections", "content.sections[0].title"]
        );
    }

    #[test]
    fn what_is_no_place_no_link_and_no_emoji_is_refused() {
        let place = json!({"type": "location", "latitude": 91.0, "longitude": -180.0});
        assert_eq!(faults(place), ["content.latitude"]);
        let link = json!({"type": "link", "text": "a", "label": "b", "url": "javascript:alert(1)"});
        assert_eq!(faults(link), ["content.url"]);
        let message = MessageId::at(jiff::Timestamp::UNIX_EPOCH, &["a"]);
        for (emoji, fault) in [
            (json!("👍🏽"), 0),
            (Value::Null, 0),
            (json!("well done"), 1),
            (json!(""), 1),
        ] {
            let reaction = json!({"type": "reaction", "message": message, "emoji": emoji});
            assert_eq!(faults(reaction).len(), fault, "{emoji}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        let unknown = json!({"type": "text", "text": "a", "colour": "red"});
        assert!(serde_json::from_value::<Content>(unknown).is_err());
        let template = json!({"type": "template", "template": "6", "x": 1});
        assert!(serde_json::from_value::<Content>(template).is_err());
    }
}
