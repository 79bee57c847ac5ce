//! The part of a text in which something was found.

use serde::Serialize;
use unicode_normalization::char::is_combining_mark;

use super::Query;
use crate::fold;

/// How many characters an excerpt has at most, and how many of them stand before what was found.
const EXCERPT_MAX: usize = 160;
const BEFORE_MAX: usize = 40;

/// A piece of an excerpt: what was asked for, or what stands between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    pub text: String,
    pub found: bool,
}

impl Query {
    /// The text around the first word that was asked for. What was cut off is marked by `…`.
    #[must_use]
    pub fn excerpt(&self, text: &str) -> Vec<Piece> {
        let runs = self.runs(text);
        let found = runs.iter().position(|run| run.found).unwrap_or(0);
        let mut before = 0;
        let start = runs[..found]
            .iter()
            .rposition(|run| {
                before += run.letters();
                before > BEFORE_MAX
            })
            .map_or(0, |place| place + 1);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut room = EXCERPT_MAX;
        for run in &runs[start..] {
            let text: String = run.text.chars().take(room).collect();
            room -= text.chars().count();
            match pieces.last_mut() {
                Some(last) if last.found == run.found => last.text.push_str(&text),
                _ if text.is_empty() => {}
                _ => pieces.push(Piece {
                    text,
                    found: run.found,
                }),
            }
        }
        let whole: usize = runs[start..].iter().map(Run::letters).sum();
        let cut = || Piece {
            text: "…".to_owned(),
            found: false,
        };
        if start > 0 {
            pieces.insert(0, cut());
        }
        if whole > EXCERPT_MAX {
            pieces.push(cut());
        }
        pieces
    }

    /// Words and what stands between them, in turn; spaces of any kind and number are one.
    fn runs(&self, text: &str) -> Vec<Run> {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut runs: Vec<Run> = Vec::new();
        for letter in plain.chars() {
            let word = letter.is_alphanumeric() || is_combining_mark(letter);
            match runs.last_mut() {
                Some(last) if last.word == word => last.text.push(letter),
                _ => runs.push(Run {
                    text: letter.to_string(),
                    word,
                    found: false,
                }),
            }
        }
        for run in runs.iter_mut().filter(|run| run.word) {
            run.found = fold::words(&run.text)
                .split(' ')
                .any(|word| self.asks_for(word));
        }
        runs
    }
}

struct Run {
    text: String,
    word: bool,
    found: bool,
}

impl Run {
    fn letters(&self) -> usize {
        self.text.chars().count()
    }
}
