//! Turning a mapping into the values for one person.
//!
//! Values leave here in the shape Meta accepts, so a recipient that was planned cannot be refused
//! for a stray line break in an imported name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    BODY_LIMIT, ContactField, HEADER_LIMIT, Mapping, Misfit, Slot, Source, Template,
    render::{body_length, header_text},
};

/// Whoever can answer for a person's data: a contact, or a row of an imported file.
pub trait Person {
    fn field(&self, field: ContactField) -> Option<&str>;
    fn attribute(&self, key: &str) -> Option<&str>;
}

/// The cleaned values for one person and one template: what a planned recipient stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(pub BTreeMap<Slot, String>);

/// Why a person cannot be sent this template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfillable {
    #[error("there is no value for {slot}, and no fallback")]
    MissingValue { slot: Slot },
    #[error("the value for {slot} does not fit: {misfit}")]
    Unfit { slot: Slot, misfit: Misfit },
    #[error("the message would have {length} characters; WhatsApp allows {BODY_LIMIT}")]
    BodyTooLong { length: usize },
    #[error("the header would have {length} characters; WhatsApp allows {HEADER_LIMIT}")]
    HeaderTooLong { length: usize },
}

impl Values {
    pub fn get(&self, slot: &Slot) -> Option<&str> {
        self.0.get(slot).map(String::as_str)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Mapping {
    /// The values of this person for every variable of the template, and for the payloads that the
    /// mapping gives. A field that is absent, empty or blank takes its fallback.
    pub fn fill(&self, template: &Template, person: &dyn Person) -> Result<Values, Unfillable> {
        self.filled(template, |slot| value(self.0.get(slot)?, person))
    }

    /// Like [`Mapping::fill`], for a message that shows how it will look: where the person has no
    /// value and there is no fallback, the template's own example stands in.
    pub fn fill_or_example(
        &self,
        template: &Template,
        person: &dyn Person,
    ) -> Result<Values, Unfillable> {
        self.filled(template, |slot| {
            let own = self.0.get(slot).and_then(|source| value(source, person));
            own.or_else(|| template.examples.get(slot).and_then(clean))
        })
    }

    fn filled(
        &self,
        template: &Template,
        value: impl Fn(&Slot) -> Option<String>,
    ) -> Result<Values, Unfillable> {
        let mut values = BTreeMap::new();
        for slot in template.slots() {
            match value(&slot) {
                Some(value) => values.insert(slot, value),
                None => return Err(Unfillable::MissingValue { slot }),
            };
        }
        // A payload that this person has no value for is left to its default.
        let payloads = template.optional_slots().into_iter();
        values.extend(payloads.filter_map(|slot| Some((slot.clone(), value(&slot)?))));
        for (slot, value) in &values {
            if let Some(Err(misfit)) = template.takes(slot).map(|takes| takes.check(value)) {
                let slot = slot.clone();
                return Err(Unfillable::Unfit { slot, misfit });
            }
        }
        let values = Values(values);
        let length = body_length(template, &values);
        if length > BODY_LIMIT {
            return Err(Unfillable::BodyTooLong { length });
        }
        let length = header_text(template, &values).map_or(0, |text| text.chars().count());
        if length > HEADER_LIMIT {
            return Err(Unfillable::HeaderTooLong { length });
        }
        Ok(values)
    }
}

fn value(source: &Source, person: &dyn Person) -> Option<String> {
    let (own, fallback) = match source {
        Source::Text { value } => (Some(value.as_str()), None),
        Source::Field { field, fallback } => (person.field(*field), fallback.as_deref()),
        Source::Attribute { key, fallback } => (person.attribute(key), fallback.as_deref()),
    };
    own.and_then(clean).or_else(|| fallback.and_then(clean))
}

/// A value as Meta takes it: no line breaks, tabs or runs of spaces, and never empty (Meta:
/// template parameters). `None` when nothing is left.
pub(crate) fn clean(text: &str) -> Option<String> {
    let mut cleaned = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !cleaned.is_empty() {
            cleaned.push(' ');
        }
        cleaned.push_str(word);
    }
    (!cleaned.is_empty()).then_some(cleaned)
}
