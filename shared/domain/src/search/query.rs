//! What somebody looks for.

use super::{LETTERS_MIN, LONG, SHORT, Words, counts, first};
use crate::contact::InvalidField;
use crate::fold;

/// The most characters of a query.
const QUERY_MAX: usize = 200;

/// Words that a text must have, all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// The beginning of a word.
    Beginning(String),
    /// A word as it stands.
    Whole(String),
}

impl Query {
    /// Reads what somebody typed. Each word is found as the beginning of a word; in quotes, or when it is
    /// shorter than a word that texts are found by, as it stands.
    ///
    /// # Errors
    /// It is too long, or it has no word that a text can be found by.
    pub fn parse(field: &str, text: &str) -> Result<Self, InvalidField> {
        let text = limited(field, text)?;
        let mut terms: Vec<Term> = Vec::new();
        for (place, part) in text.split('"').enumerate() {
            let quoted = place % 2 == 1;
            for word in fold::words(part).split(' ').filter(|word| counts(word)) {
                let term = match quoted || word.chars().count() < LETTERS_MIN {
                    true => Term::Whole(word.to_owned()),
                    false => Term::Beginning(word.to_owned()),
                };
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        let query = Self(terms);
        if query.longest().chars().count() < LETTERS_MIN {
            let message = format!(
                "give a word of {LETTERS_MIN} letters or more; words that are in every other sentence, such as \"yang\" or \"the\", are not searched"
            );
            return Err(InvalidField::new(field, message));
        }
        Ok(query)
    }

    /// What everything is kept under that the query can find.
    #[must_use]
    pub fn beginning(&self) -> &str {
        let longest = self.longest();
        let beginning = first(longest, LONG).or_else(|| first(longest, SHORT));
        beginning.unwrap_or(longest)
    }

    /// Whether a text of these words has everything the query asks for.
    #[must_use]
    pub fn finds(&self, words: &Words) -> bool {
        self.0
            .iter()
            .all(|term| words.iter().any(|word| term.is(word)))
    }

    /// Whether the query asks for this word, which is folded.
    pub(super) fn asks_for(&self, word: &str) -> bool {
        self.0.iter().any(|term| term.is(word))
    }

    /// The longest word, which the fewest texts have.
    fn longest(&self) -> &str {
        let words = self.0.iter().map(|term| match term {
            Term::Beginning(word) | Term::Whole(word) => word.as_str(),
        });
        words.max_by_key(|word| word.chars().count()).unwrap_or("")
    }
}

impl Term {
    fn is(&self, word: &str) -> bool {
        match self {
            Self::Beginning(beginning) => word.starts_with(beginning.as_str()),
            Self::Whole(whole) => word == whole,
        }
    }
}

pub(super) fn limited<'a>(field: &str, text: &'a str) -> Result<&'a str, InvalidField> {
    if text.chars().count() <= QUERY_MAX {
        return Ok(text);
    }
    let message = format!("at most {QUERY_MAX} characters are allowed");
    Err(InvalidField::new(field, message))
}
