//! Where each variable's value comes from: the same words for everybody, a field of the contact,
//! or one of the workspace's own attributes.
//!
//! A mapping is checked against its template when a campaign is written, and filled for each
//! person when the campaign is planned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Slot, Template, fill::clean};
use crate::contact::attribute_key;

/// The longest text a mapping may hold, fallbacks included: no part of a message takes more.
const TEXT_LIMIT: usize = super::BODY_LIMIT;

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
    #[error("the text for {slot} is longer than {TEXT_LIMIT} characters")]
    TextTooLong { slot: Slot },
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
            | Self::TextTooLong { slot }
            | Self::InvalidKey { slot } => slot,
        }
    }

    /// The field at fault as the API names it, such as `variables.body.1`.
    pub fn field(&self) -> String {
        format!("variables.{}", self.slot())
    }
}

impl Mapping {
    /// Whether this mapping serves this template, with every fault at once so that a form can
    /// mark them all.
    pub fn check(&self, template: &Template) -> Result<(), Vec<MappingError>> {
        let slots = template.slots();
        let missing = slots
            .iter()
            .filter(|slot| !self.0.contains_key(slot))
            .map(|slot| MappingError::Missing { slot: slot.clone() });
        let wrong = self.0.iter().filter_map(|(slot, source)| {
            let slot = slot.clone();
            if !slots.contains(&slot) {
                return Some(MappingError::Unknown { slot });
            }
            match source {
                Source::Text { value } if clean(value).is_none() => {
                    Some(MappingError::EmptyText { slot })
                }
                Source::Text { value: text }
                | Source::Field {
                    fallback: Some(text),
                    ..
                }
                | Source::Attribute {
                    fallback: Some(text),
                    ..
                } if text.chars().count() > TEXT_LIMIT => Some(MappingError::TextTooLong { slot }),
                Source::Attribute { key, .. } if attribute_key(key).is_err() => {
                    Some(MappingError::InvalidKey { slot })
                }
                Source::Text { .. } | Source::Field { .. } | Source::Attribute { .. } => None,
            }
        });
        let errors: Vec<_> = missing.chain(wrong).collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}
