//! Where each variable's value comes from: the same words for everybody, a field of the contact,
//! or one of the workspace's own attributes.
//!
//! A mapping is checked against its template when a campaign is written, and filled for each
//! person when the campaign is planned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    BODY_LIMIT, HEADER_LIMIT, Misfit, Slot, Template, Values,
    fill::clean,
    render::{body_length, header_text},
};
use crate::contact::attribute_key;

/// As JSON: `{"body.1": {"from": "field", "field": "name", "fallback": "friend"}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mapping(pub BTreeMap<Slot, Source>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    Text {
        value: String,
    },
    Field {
        field: ContactField,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fallback: Option<String>,
    },
    Attribute {
        key: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fallback: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactField {
    Name,
    FirstName,
    Phone,
    Email,
}

/// What is wrong with one entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("the template has a variable at {slot}: say what to put there")]
    Missing { slot: Slot },
    #[error("the template has no variable at {slot}")]
    Unknown { slot: Slot },
    #[error("the text for {slot} is empty")]
    EmptyText { slot: Slot },
    #[error("{misfit}")]
    Unfit { slot: Slot, misfit: Misfit },
    #[error("with this text the {part} has at least {length} characters; WhatsApp allows {limit}")]
    MessageTooLong {
        slot: Slot,
        part: &'static str,
        length: usize,
        limit: usize,
    },
    #[error(
        "no contact can have the attribute for {slot}: a key is lower-case letters, digits and underscores"
    )]
    InvalidKey { slot: Slot },
}

impl MappingError {
    pub fn slot(&self) -> &Slot {
        match self {
            Self::Missing { slot }
            | Self::Unknown { slot }
            | Self::EmptyText { slot }
            | Self::Unfit { slot, .. }
            | Self::MessageTooLong { slot, .. }
            | Self::InvalidKey { slot } => slot,
        }
    }

    /// The field at fault as the API names it, such as `variables.body.1`.
    pub fn field(&self) -> String {
        format!("variables.{}", self.slot())
    }
}

impl Source {
    /// The words that are the same for everybody: the text itself, or the fallback.
    fn fixed(&self) -> Option<&str> {
        match self {
            Self::Text { value } => Some(value),
            Self::Field { fallback, .. } | Self::Attribute { fallback, .. } => fallback.as_deref(),
        }
    }
}

impl Mapping {
    /// Whether this mapping serves this template, with every fault at once so that a form can
    /// mark them all.
    pub fn check(&self, template: &Template) -> Result<(), Vec<MappingError>> {
        let slots = template.slots();
        let missing = slots
            .into_iter()
            .filter(|slot| !self.0.contains_key(slot))
            .map(|slot| MappingError::Missing { slot });
        let wrong = self
            .0
            .iter()
            .filter_map(|(slot, source)| fault(template, slot, source));
        let mut errors: Vec<_> = missing.chain(wrong).collect();
        if errors.is_empty() {
            errors.extend(self.too_long(template));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// A header or body that is too long by its fixed texts alone, and so for everybody. The longest
    /// of them is at fault.
    fn too_long(&self, template: &Template) -> Option<MappingError> {
        let text = |source: &Source| match source {
            Source::Text { value } => clean(value).unwrap_or_default(),
            Source::Field { .. } | Source::Attribute { .. } => String::new(),
        };
        let least = Values(
            self.0
                .iter()
                .map(|(slot, source)| (slot.clone(), text(source)))
                .collect(),
        );
        let header = header_text(template, &least).map_or(0, |text| text.chars().count());
        let body = body_length(template, &least);
        let (part, length, limit) = match (header > HEADER_LIMIT, body > BODY_LIMIT) {
            (true, _) => ("header", header, HEADER_LIMIT),
            (_, true) => ("body", body, BODY_LIMIT),
            (false, false) => return None,
        };
        let at_fault = least.0.into_iter().filter(|(slot, _)| match slot {
            Slot::Header(_) => part == "header",
            Slot::Body(_) => part == "body",
            Slot::Button(_) => false,
        });
        let (slot, _) = at_fault.max_by_key(|(_, text)| text.len())?;
        Some(MappingError::MessageTooLong {
            slot,
            part,
            length,
            limit,
        })
    }
}

fn fault(template: &Template, slot: &Slot, source: &Source) -> Option<MappingError> {
    let slot = slot.clone();
    let Some(takes) = template.takes(&slot) else {
        return Some(MappingError::Unknown { slot });
    };
    if let Source::Attribute { key, .. } = source
        && attribute_key(key).is_err()
    {
        return Some(MappingError::InvalidKey { slot });
    }
    match source.fixed().map(clean) {
        Some(Some(text)) => {
            let misfit = takes.check(&text).err()?;
            Some(MappingError::Unfit { slot, misfit })
        }
        Some(None) if matches!(source, Source::Text { .. }) => {
            Some(MappingError::EmptyText { slot })
        }
        // A blank fallback is none.
        Some(None) | None => None,
    }
}
