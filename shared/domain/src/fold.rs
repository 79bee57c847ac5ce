//! Texts as they are compared: people write one word in any case, with and without accents and signs.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The words of a text in lower case and without accents, with one space between them. What is neither
/// letter nor digit parts words.
#[must_use]
pub fn words(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let plain = text
        .nfkd()
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(|character| canonical_combining_class(*character) == 0);
    for character in plain {
        if character.is_alphanumeric() {
            folded.push(character);
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The same without the spaces: "S.T.O.P" and "stop" are one word.
#[must_use]
pub fn letters(text: &str) -> String {
    words(text).replace(' ', "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_accents_signs_and_spaces_do_not_count() {
        for (text, folded) in [
            ("  Harga?  ", "harga"),
            ("HÀRGÁ  bérapa", "harga berapa"),
            ("ｓｔｏｐ", "stop"),
            ("opt-out", "opt out"),
            ("İstanbul", "istanbul"),
            ("Stop!!! 🙏", "stop"),
            ("नमस्ते", "नमसते"),
            ("🙏", ""),
        ] {
            assert_eq!(words(text), folded, "{text}");
        }
        assert_eq!(letters("S.T.O.P"), "stop");
    }

    proptest! {
        #[test]
        fn what_is_folded_stays_as_it_is(text in "\\PC{0,40}") {
            let once = words(&text);
            prop_assert_eq!(words(&once), once.clone());
            prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
        }

        #[test]
        fn upper_and_lower_case_are_one(text in "[a-zA-Zéüñçà .,!]{0,40}") {
            prop_assert_eq!(words(&text.to_uppercase()), words(&text.to_lowercase()));
        }
    }
}
