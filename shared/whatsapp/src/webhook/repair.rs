//! Making a body readable that holds half of a surrogate pair.
//!
//! A name or text cut at a fixed length can end in the middle of an emoji. The escape that is
//! left (`\ud83d` alone) is refused by every strict parser, and with it the whole batch; so the
//! half becomes U+FFFD, the sign for a character that was lost.

/// The text with every lone surrogate escape replaced. Everything else stays as it is.
pub(super) fn lone_surrogates(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let taken = match surrogate(escape) {
            Some(Half::High) if surrogate(&escape[6..]) == Some(Half::Low) => 12,
            Some(_) => {
                repaired.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            // Two characters, so that an escaped backslash does not start an escape.
            None => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        repaired.push_str(&escape[..taken]);
        rest = &escape[taken..];
    }
    repaired.push_str(rest);
    repaired
}

#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// Which half of a pair the text starts with, if any.
fn surrogate(text: &str) -> Option<Half> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_an_emoji_becomes_the_sign_for_a_lost_character() {
        for (broken, repaired) in [
            (r"a\ud83d", r"a\ufffd"),
            (r"a\ud83d b", r"a\ufffd b"),
            (r"\udc4d\ud83d", r"\ufffd\ufffd"),
            (r"\ud83d\ud83d\udc4d", r"\ufffd\ud83d\udc4d"),
        ] {
            assert_eq!(lone_surrogates(broken), repaired);
        }
    }

    #[test]
    fn whole_emoji_and_escaped_backslashes_are_left_alone() {
        for text in [
            r"\ud83d\udc4d",
            r"\\ud83d",
            r"\n\u00e4\/",
            r"\",
            r"\u",
            r"\ud8",
        ] {
            assert_eq!(lone_surrogates(text), text);
        }
    }

    proptest! {
        #[test]
        fn valid_json_is_never_changed_in_meaning(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(lone_surrogates(&json), json);
        }

        #[test]
        fn any_text_can_be_repaired(text in r#"([a-z\\é]|\\u[d][89c][0-9]{2}){0,12}"#) {
            lone_surrogates(&text);
        }
    }
}
