//! A person the workspace writes to, and what may be stored about them.

pub mod columns;
pub mod consent;
pub mod filter;
mod opt_out;

use std::collections::BTreeMap;

use crate::template::{ContactField, Person};

pub use consent::{Consent, ConsentChange, ConsentSource};
pub use opt_out::OptOut;

/// Custom attributes of a contact: `company` → `Example Ltd`.
pub type Attributes = BTreeMap<String, String>;

pub const NAME_MAX: usize = 200;
pub const EMAIL_MAX: usize = 254;
pub const ATTRIBUTES_MAX: usize = 50;
pub const ATTRIBUTE_KEY_MAX: usize = 40;
pub const ATTRIBUTE_VALUE_MAX: usize = 1000;
pub const GROUP_NAME_MAX: usize = 80;
pub const GROUPS_PER_CONTACT_MAX: usize = 20;

/// One field of a contact cannot be stored as given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidField {
    /// The field's path in JSON: `attributes.company`.
    pub field: String,
    pub message: String,
}

impl InvalidField {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// What a template reads of a contact.
#[derive(Debug, Clone, Default)]
pub struct Profile<'a> {
    pub name: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub email: Option<&'a str>,
    pub attributes: Option<&'a Attributes>,
}

impl Person for Profile<'_> {
    fn field(&self, field: ContactField) -> Option<&str> {
        match field {
            ContactField::Name => self.name,
            ContactField::FirstName => self.name.and_then(|name| name.split_whitespace().next()),
            ContactField::Phone => self.phone,
            ContactField::Email => self.email,
        }
    }

    fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes?.get(key).map(String::as_str)
    }
}

/// A name, trimmed; empty means none.
///
/// # Errors
/// The name is too long.
pub fn name(text: &str) -> Result<Option<String>, InvalidField> {
    limited("name", text, NAME_MAX)
}

/// An e-mail address, trimmed; empty means none. Only its shape is checked: nothing is sent to it.
///
/// # Errors
/// It does not look like an address or is too long.
pub fn email(text: &str) -> Result<Option<String>, InvalidField> {
    let Some(email) = limited("email", text, EMAIL_MAX)? else {
        return Ok(None);
    };
    let well_formed = email.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && !host.is_empty()
            && !host.contains('@')
            && !email.contains(char::is_whitespace)
    });
    if well_formed {
        Ok(Some(email))
    } else {
        Err(InvalidField::new(
            "email",
            "this is not an e-mail address, like name@example.com",
        ))
    }
}

/// The key of a custom attribute: lower-case letters, digits and underscores, starting with a letter.
///
/// # Errors
/// Says what a key may be.
pub fn attribute_key(text: &str) -> Result<String, InvalidField> {
    let mut characters = text.chars();
    let valid = text.len() <= ATTRIBUTE_KEY_MAX
        && characters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if valid {
        Ok(text.to_owned())
    } else {
        Err(InvalidField::new(
            format!("attributes.{text}"),
            "an attribute's key is 1 to 40 lower-case letters, digits and underscores, starting with a letter",
        ))
    }
}

/// Custom attributes; empty values are dropped.
///
/// # Errors
/// A key or value is not allowed, or there are too many.
pub fn attributes(given: &Attributes) -> Result<Attributes, InvalidField> {
    let mut clean = Attributes::new();
    for (key, value) in given {
        let key = attribute_key(key)?;
        if let Some(value) = limited(&format!("attributes.{key}"), value, ATTRIBUTE_VALUE_MAX)? {
            clean.insert(key, value);
        }
    }
    if clean.len() > ATTRIBUTES_MAX {
        return Err(InvalidField::new(
            "attributes",
            format!("at most {ATTRIBUTES_MAX} attributes are allowed"),
        ));
    }
    Ok(clean)
}

/// The name of a group, trimmed.
///
/// # Errors
/// The name is empty or too long.
pub fn group_name(text: &str) -> Result<String, InvalidField> {
    limited("name", text, GROUP_NAME_MAX)?
        .ok_or_else(|| InvalidField::new("name", "a group needs a name"))
}

fn limited(field: &str, text: &str, max: usize) -> Result<Option<String>, InvalidField> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.chars().count() > max {
        return Err(InvalidField::new(
            field,
            format!("at most {max} characters are allowed"),
        ));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_host_is_refused() {
        assert_eq!(
            email(" a@b.example ").unwrap().as_deref(),
            Some("a@b.example")
        );
        assert_eq!(email("  ").unwrap(), None);
        for text in ["plain", "@b", "a@", "a b@c", "a@b@c"] {
            assert_eq!(email(text).unwrap_err().field, "email", "{text}");
        }
    }

    #[test]
    fn an_attribute_names_its_field_when_it_is_refused() {
        let given = Attributes::from([("Company".to_owned(), "x".to_owned())]);
        assert_eq!(attributes(&given).unwrap_err().field, "attributes.Company");
        let given = Attributes::from([("company".to_owned(), "x".repeat(1001))]);
        assert_eq!(attributes(&given).unwrap_err().field, "attributes.company");
    }

    #[test]
    fn the_first_name_is_the_first_word() {
        let profile = Profile {
            name: Some("Kusuma Anggraini"),
            ..Profile::default()
        };
        assert_eq!(profile.field(ContactField::FirstName), Some("Kusuma"));
    }
}
