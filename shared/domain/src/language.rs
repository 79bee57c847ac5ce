//! The languages in which the product writes to its own users.

use serde::{Deserialize, Serialize};

/// A language of mails and screens, by its ISO 639 code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "id")]
    Indonesian,
}

impl Language {
    /// The code, as in JSON and in HTML's `lang`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Indonesian => "id",
        }
    }

    /// The first of a browser's languages that is spoken here: `id-ID,id;q=0.9,en;q=0.8`.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        header.split(',').find_map(|range| {
            let tag = range.split(';').next().unwrap_or_default().trim();
            match tag.split('-').next().unwrap_or_default() {
                "en" => Some(Self::English),
                // The older code of Indonesian is still in use.
                "id" | "in" => Some(Self::Indonesian),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_here_counts() {
        let accepted = Language::accepted;
        assert_eq!(
            accepted("id-ID,id;q=0.9,en;q=0.8"),
            Some(Language::Indonesian)
        );
        assert_eq!(accepted("fr, en-GB;q=0.7"), Some(Language::English));
        assert_eq!(accepted("de"), None);
        assert_eq!(accepted(""), None);
    }
}
