//! Search by words: which words of a text count, where they are kept, and what a query finds.
//!
//! Texts and queries are folded alike ([`crate::fold`]), so case and accents do not count. A text is kept
//! once for each *beginning* of its words; a query is looked up under the beginning of its longest word, and
//! everything kept there carries enough words to be judged without another look-up.

mod excerpt;
mod person;
mod query;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fold;

pub use excerpt::Piece;
pub use person::{PersonQuery, names};
pub use query::Query;

/// The fewest letters of a word that a text is found by.
pub const LETTERS_MIN: usize = 3;

/// Texts are kept under the first letters of their words, by these lengths. Under the short one everything
/// is found that a query of three or four letters asks for. The long one parts words of one syllable, which
/// in Indonesian are most verbs: `men`, `ber`, `ter`.
const SHORT: usize = LETTERS_MIN;
const LONG: usize = 5;

/// The most bytes of a text's words that are searched. With its keys they stay below a kilobyte, up to which
/// DynamoDB takes one unit for an item.
const WORDS_MAX: usize = 600;

/// Words that are in every other sentence and tell nothing of it. Kept short on purpose: a word that
/// somebody may look for does not belong here, however frequent it is.
const STOP_WORDS: [&str; 72] = [
    // Indonesian
    "ada", "adalah", "agar", "akan", "aku", "anda", "apa", "atau", "bahwa", "bisa", "buat", "dalam",
    "dan", "dari", "dengan", "dia", "itu", "ini", "jadi", "juga", "kak", "kakak", "kalau", "kami",
    "karena", "kita", "lagi", "mau", "min", "nya", "oleh", "pada", "saja", "sama", "saya", "sudah",
    "tapi", "tidak", "untuk", "yang", "yah", "yuk", // English
    "and", "are", "but", "can", "for", "from", "had", "has", "have", "her", "his", "its", "not",
    "our", "she", "that", "the", "their", "them", "then", "there", "they", "this", "was", "were",
    "will", "with", "would", "you", "your",
];

/// The words of a text that it is found by and judged by: folded, each once, without stop words, in the
/// order of the text, with one space between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(String);

impl Words {
    /// Of a long text the words of its beginning.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let folded = fold::words(text);
        let mut seen = BTreeSet::new();
        let mut words = String::new();
        for word in folded.split(' ').filter(|word| counts(word)) {
            let fits = words.len() + 1 + word.len() <= WORDS_MAX;
            if fits && seen.insert(word) {
                if !words.is_empty() {
                    words.push(' ');
                }
                words.push_str(word);
            }
        }
        Self(words)
    }

    /// What the text is kept under.
    #[must_use]
    pub fn beginnings(&self) -> BTreeSet<&str> {
        self.iter()
            .flat_map(|word| [first(word, SHORT), first(word, LONG)])
            .flatten()
            .collect()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }
}

fn counts(word: &str) -> bool {
    !word.is_empty() && !STOP_WORDS.contains(&word)
}

/// The first letters of a word that has as many.
fn first(word: &str, letters: usize) -> Option<&str> {
    let (last, letter) = word.char_indices().nth(letters - 1)?;
    word.get(..last + letter.len_utf8())
}
