//! Finding a person by name, number or e-mail address.

use std::collections::BTreeSet;

use super::query::limited;
use crate::contact::InvalidField;
use crate::fold;
use crate::phone::Phone;

/// The most words of a name that a person is found by.
const NAME_WORDS_MAX: usize = 8;

/// What a person is found by: the words of the name, folded; the digits of the number, with the country's
/// code and as they are dialled there; the e-mail address. Every word counts here, however short or common.
#[must_use]
pub fn names(name: Option<&str>, phone: Option<&Phone>, email: Option<&str>) -> BTreeSet<String> {
    let name = fold::words(name.unwrap_or_default());
    let words = name.split(' ').filter(|word| !word.is_empty());
    let words = words.take(NAME_WORDS_MAX).map(str::to_owned);
    let international = phone.map(|phone| phone.digits().to_owned());
    let national = phone.and_then(Phone::national);
    let email = email.map(str::to_lowercase);
    words
        .chain(international)
        .chain(national)
        .chain(email)
        .collect()
}

/// A person that somebody looks for: what all of it must be the beginning of one of the [`names`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonQuery(Vec<String>);

impl PersonQuery {
    /// Reads what somebody typed: the beginnings of words of a name, of a number however it is written, or
    /// of an e-mail address.
    ///
    /// # Errors
    /// It is too long, or it names nothing.
    pub fn parse(field: &str, text: &str) -> Result<Self, InvalidField> {
        let text = limited(field, text)?.trim();
        let number = |letter: char| letter.is_ascii_digit() || " +-().".contains(letter);
        let words = if text.contains('@') {
            vec![text.to_lowercase()]
        } else if text.chars().all(number) && text.chars().any(|letter| letter.is_ascii_digit()) {
            vec![text.chars().filter(char::is_ascii_digit).collect()]
        } else {
            let folded = fold::words(text);
            folded.split(' ').map(str::to_owned).collect()
        };
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            let message = "give the beginning of a name, a phone number or an e-mail address";
            return Err(InvalidField::new(field, message));
        }
        Ok(Self(words))
    }

    /// What is looked up: the longest word, which the fewest people have.
    #[must_use]
    pub fn beginning(&self) -> &str {
        let longest = self.0.iter().max_by_key(|word| word.chars().count());
        longest.map(String::as_str).unwrap_or_default()
    }

    /// Whether a person with these names is asked for.
    #[must_use]
    pub fn finds(&self, names: &BTreeSet<String>) -> bool {
        self.0
            .iter()
            .all(|word| names.iter().any(|name| name.starts_with(word.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(asked: &str) -> bool {
        let phone = Phone::parse("+6281234567890", None).unwrap();
        let (name, email) = ("Siti Nur Àisyah", "Siti@Example.com");
        let names = names(Some(name), Some(&phone), Some(email));
        let query = PersonQuery::parse("search", asked).unwrap();
        let kept = |name: &String| name.starts_with(query.beginning());
        let found = query.finds(&names);
        assert!(
            !found || names.iter().any(kept),
            "{asked} is not looked up where it is kept"
        );
        found
    }

    #[test]
    fn a_person_is_found_by_name_number_and_address() {
        for asked in [
            "siti",
            "SI",
            "aisyah",
            "nur siti",
            "siti n",
            "+62 812-3456",
            "62812",
            "0812 3456",
            "08",
            "siti@example",
            "SITI@",
        ] {
            assert!(finds(asked), "{asked}");
        }
        for asked in [
            "iti",
            "siti b",
            "812",
            "0813",
            "62 813",
            "example.com",
            "a@b",
        ] {
            assert!(!finds(asked), "{asked}");
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for asked in ["", "  ", "--", "🙏"] {
            let refused = PersonQuery::parse("search", asked).unwrap_err();
            assert_eq!(refused.field, "search", "{asked}");
        }
        assert!(PersonQuery::parse("search", &"a".repeat(201)).is_err());
    }
}
