//! Whether a message says one of the keywords of a rule. Case, accents and signs never count.

use serde::{Deserialize, Serialize};

use crate::event::InboundContent;
use crate::fold;

/// Where a keyword must stand in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// It is the whole message.
    Exact,
    /// Some word of the message begins with it: "harga" is in "berapa harganya?", "hi" is not in "this".
    Contains,
    /// The message begins with it.
    StartsWith,
}

impl Match {
    /// Whether a message says the keyword.
    #[must_use]
    pub fn is_said(self, keyword: &str, content: &InboundContent) -> bool {
        let keyword = fold::words(keyword);
        !keyword.is_empty()
            && said(content)
                .iter()
                .any(|text| self.holds(&keyword, &fold::words(text)))
    }

    fn holds(self, keyword: &str, text: &str) -> bool {
        match self {
            Self::Exact => text == keyword,
            Self::StartsWith => text.starts_with(keyword),
            Self::Contains => text.match_indices(keyword).any(|(place, _)| {
                let before = text.get(..place).and_then(|text| text.chars().last());
                before.is_none_or(|letter| letter == ' ' || runs_on(letter))
            }),
        }
    }
}

/// What a person said in words of their own, or by pressing something. The name of a file is neither.
fn said(content: &InboundContent) -> Vec<&str> {
    match content {
        InboundContent::Text { body } => vec![body],
        InboundContent::Button { text, payload } => vec![text, payload],
        InboundContent::Choice { id, title, .. } => vec![title, id],
        InboundContent::Media(media) => media.caption.as_deref().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A letter of a script that puts no spaces between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese.
fn runs_on(letter: char) -> bool {
    matches!(letter,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn says(how: Match, keyword: &str, body: &str) -> bool {
        let body = body.to_owned();
        how.is_said(keyword, &InboundContent::Text { body })
    }

    #[test]
    fn each_way_of_matching_has_its_place() {
        use Match::{Contains, Exact, StartsWith};
        for (how, keyword, body, is_said) in [
            (Exact, "Price list", "PRICE  list!", true),
            (Exact, "price", "the price", false),
            (StartsWith, "harga", "Harganya berapa?", true),
            (StartsWith, "harga", "Berapa harga", false),
            (Contains, "harga", "Bérapa HÀRGANYA?", true),
            (Contains, "hi", "what is this", false),
            (Contains, "opening hours", "your opening-hours please", true),
            (Contains, "价格", "请问价格多少", true),
            (Contains, "🙏", "🙏", false),
        ] {
            assert_eq!(
                says(how, keyword, body),
                is_said,
                "{how:?} {keyword}: {body}"
            );
        }
    }

    #[test]
    fn a_press_says_its_label_and_what_it_carries() {
        let pressed = InboundContent::Choice {
            id: "menu:prices".into(),
            title: "Show me".into(),
            description: None,
        };
        assert!(Match::Exact.is_said("menu prices", &pressed));
        assert!(Match::StartsWith.is_said("show", &pressed));
        let reaction = InboundContent::Reaction {
            to_wamid: "wamid.1".into(),
            emoji: Some("menu".into()),
        };
        assert!(!Match::Contains.is_said("menu", &reaction));
    }

    proptest! {
        #[test]
        fn whoever_says_it_exactly_says_it_in_every_way(keyword in "[a-zA-Zé]{1,12}( [a-z]{1,5})?") {
            for how in [Match::Exact, Match::StartsWith, Match::Contains] {
                prop_assert!(says(how, &keyword, &keyword.to_uppercase()));
            }
        }

        #[test]
        fn what_begins_with_it_contains_it(keyword in "[a-z]{1,5}", body in "[a-z ]{0,20}") {
            prop_assert!(!says(Match::StartsWith, &keyword, &body) || says(Match::Contains, &keyword, &body));
        }
    }
}
