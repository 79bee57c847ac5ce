//! The words of a canned reply: a text with variables in braces, each with words to use when the chat has
//! no value for it.
//!
//! `{{contact.first_name | friend}}` reads like a campaign's variable with its fallback: a value that is
//! absent or blank takes the fallback, and a blank fallback is none.

use super::TEXT_MAX;
use crate::contact::{self, InvalidField};
use crate::template::{ContactField, Person, clean};

/// The longest shortcut.
pub const SHORTCUT_MAX: usize = 40;

/// What stands between braces.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Variable {
    Contact(ContactField),
    Attribute(String),
    /// The name of whoever is about to send it.
    Agent,
}

/// A piece of the text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Variable {
        variable: Variable,
        /// Its name as written, such as `contact.name`.
        name: &'a str,
        fallback: Option<&'a str>,
        /// As written, braces included.
        source: &'a str,
    },
}

/// A text for one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// What has no value stands in it as it was written, so that nobody overlooks it.
    pub text: String,
    /// The names of the variables without a value, each once.
    pub missing: Vec<String>,
}

/// The text of a canned reply, trimmed.
///
/// # Errors
/// It is empty, too long, or braces in it hold no variable.
pub fn text(given: &str) -> Result<String, InvalidField> {
    let text = given.trim();
    if text.is_empty() || text.chars().count() > TEXT_MAX {
        let message = format!("a canned reply has 1 to {TEXT_MAX} characters");
        return Err(InvalidField::new("text", message));
    }
    pieces(text)?;
    Ok(text.to_owned())
}

/// What is typed after a slash to get the reply, in lower case and without the slash.
///
/// # Errors
/// Says what a shortcut may be.
pub fn shortcut(given: &str) -> Result<String, InvalidField> {
    let shortcut = given.trim().to_lowercase();
    let allowed = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let length = shortcut.chars().count();
    if !(1..=SHORTCUT_MAX).contains(&length) || !shortcut.chars().all(allowed) {
        let message = format!(
            "a shortcut is 1 to {SHORTCUT_MAX} letters, digits, hyphens and underscores, without the slash"
        );
        return Err(InvalidField::new("shortcut", message));
    }
    Ok(shortcut)
}

/// Puts the values of a person, and the name of whoever writes to them, into a text.
#[must_use]
pub fn fill(text: &str, person: &dyn Person, agent: Option<&str>) -> Filled {
    let mut filled = Filled {
        text: String::with_capacity(text.len()),
        missing: Vec::new(),
    };
    // What is stored was checked; a text that cannot be read all the same is shown as it is.
    let pieces = pieces(text).unwrap_or_else(|_| vec![Piece::Text(text)]);
    for piece in pieces {
        match piece {
            Piece::Text(text) => filled.text.push_str(text),
            Piece::Variable {
                variable,
                name,
                fallback,
                source,
            } => {
                let own = match &variable {
                    Variable::Contact(field) => person.field(*field),
                    Variable::Attribute(key) => person.attribute(key),
                    Variable::Agent => agent,
                };
                let value = own.and_then(clean).or_else(|| fallback.and_then(clean));
                if value.is_none() && filled.missing.iter().all(|missing| missing != name) {
                    filled.missing.push(name.to_owned());
                }
                filled.text.push_str(value.as_deref().unwrap_or(source));
            }
        }
    }
    filled
}

/// Cuts a text at its variables. Braces that are never closed are ordinary text.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, InvalidField> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, source, after)) = braces(rest) {
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(variable(source)?);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// What stands before the first `{{…}}`, itself, and what stands after it.
fn braces(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find("{{")?;
    let close = open + text[open..].find("}}")? + 2;
    Some((&text[..open], &text[open..close], &text[close..]))
}

fn variable(source: &str) -> Result<Piece<'_>, InvalidField> {
    let inner = &source[2..source.len() - 2];
    let (name, fallback) = match inner.split_once('|') {
        Some((name, fallback)) => (name.trim(), Some(fallback)),
        None => (inner.trim(), None),
    };
    let variable = match name {
        "contact.name" => Some(Variable::Contact(ContactField::Name)),
        "contact.first_name" => Some(Variable::Contact(ContactField::FirstName)),
        "contact.phone" => Some(Variable::Contact(ContactField::Phone)),
        "contact.email" => Some(Variable::Contact(ContactField::Email)),
        "agent.name" => Some(Variable::Agent),
        _ => name
            .strip_prefix("contact.attributes.")
            .and_then(|key| contact::attribute_key(key).ok())
            .map(Variable::Attribute),
    };
    let Some(variable) = variable else {
        let message = format!(
            "there is no variable {source}; there are contact.name, contact.first_name, contact.phone, contact.email, contact.attributes.… and agent.name"
        );
        return Err(InvalidField::new("text", message));
    };
    Ok(Piece::Variable {
        variable,
        name,
        fallback,
        source,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contact::{Attributes, Profile};

    fn sari(attributes: &Attributes) -> Profile<'_> {
        Profile {
            name: Some("Sari  Wijaya"),
            attributes: Some(attributes),
            ..Profile::default()
        }
    }

    fn filled(text: &str) -> Filled {
        let attributes = Attributes::from([("city".to_owned(), "Bandung".to_owned())]);
        fill(text, &sari(&attributes), Some("Budi"))
    }

    #[test]
    fn variables_take_the_values_of_the_chat() {
        let text = "Hi {{contact.first_name}} in {{ contact.attributes.city }}, {{agent.name}} here. {{contact.name}}!";
        let filled = filled(text);
        assert_eq!(filled.text, "Hi Sari in Bandung, Budi here. Sari Wijaya!");
        assert!(filled.missing.is_empty());
    }

    #[test]
    fn what_has_no_value_takes_its_fallback_or_stays_visible() {
        let text = "{{contact.phone|your number}} {{contact.email | }} {{contact.email}}";
        let filled = filled(text);
        assert_eq!(
            filled.text,
            "your number {{contact.email | }} {{contact.email}}"
        );
        assert_eq!(filled.missing, ["contact.email"]);
    }

    #[test]
    fn braces_hold_a_variable_or_are_never_closed() {
        for fine in [
            "a {{ b",
            "a }} b",
            "{a} {{contact.name}}",
            "{{contact.name|a|b}}",
        ] {
            assert_eq!(text(fine).unwrap(), fine);
        }
        for wrong in [
            "{{}}",
            "{{name}}",
            "{{1}}",
            "{{contact.nam}}",
            "{{{contact.name}}}",
            "{{contact.attributes.City}}",
            "{{contact.attributes.}}",
        ] {
            assert_eq!(text(wrong).unwrap_err().field, "text", "{wrong}");
        }
        assert!(text(" ").is_err());
        assert!(text(&"a".repeat(TEXT_MAX + 1)).is_err());
    }

    #[test]
    fn a_shortcut_is_one_word_in_lower_case() {
        assert_eq!(shortcut(" Terima-Kasih_2 ").unwrap(), "terima-kasih_2");
        for wrong in ["", "/thanks", "two words", "a.b", &"a".repeat(41)] {
            assert!(shortcut(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_never_read_as_a_variable(name in ".{0,20}", given in ".{0,40}") {
            let person = Profile { name: Some(&name), ..Profile::default() };
            // Whatever stands there, nothing panics.
            let _ = fill(&given, &person, None);
            let hostile = Profile { name: Some("{{agent.name}}"), ..Profile::default() };
            let filled = fill("{{contact.name}}", &hostile, Some("Budi"));
            prop_assert_eq!(filled.text, "{{agent.name}}");
        }
    }
}
