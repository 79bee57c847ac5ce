//! The words by which people say that they want no more messages, or want them again.

use serde::{Deserialize, Serialize};

use super::{Consent, InvalidField};
use crate::chat::TEXT_MAX;
use crate::event::InboundContent;
use crate::fold;

/// The most words of either kind.
const WORDS_MAX: usize = 100;

/// The longest of them, in characters.
const WORD_MAX: usize = 50;

/// How a workspace hears that somebody opts out or back in, and what it says then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// Each ends messages when it is a person's whole message.
    pub stop_words: Vec<String>,
    /// Each takes it back.
    pub start_words: Vec<String>,
    /// What whoever opts out is told, once; `None`: nothing.
    #[serde(default)]
    pub stop_answer: Option<String>,
    #[serde(default)]
    pub start_answer: Option<String>,
}

const STOP: &[&str] = &[
    "STOP",
    "STOP ALL",
    "STOP IT",
    "STOP PLEASE",
    "PLEASE STOP",
    "STOP MESSAGES",
    "STOP PROMO",
    "STOP PROMOSI",
    "STOP PROMOTION",
    "STOP PROMOTIONS",
    "UNSUBSCRIBE",
    "UNSUB",
    "OPT OUT",
    "BERHENTI",
    "HENTIKAN",
    "BERHENTI LANGGANAN",
    "BERHENTI BERLANGGANAN",
    "BERHENTI PROMO",
    "BERHENTI PROMOSI",
    "HENTIKAN PROMO",
    "HENTIKAN PROMOSI",
    "STOP LANGGANAN",
    "STOP BERLANGGANAN",
    "JANGAN KIRIM",
    "JANGAN KIRIM LAGI",
    "JANGAN KIRIM PESAN",
    "JANGAN KIRIM PESAN LAGI",
];

const START: &[&str] = &[
    "START",
    "UNSTOP",
    "SUBSCRIBE",
    "RESUBSCRIBE",
    "OPT IN",
    "MULAI",
    "LANGGANAN",
    "BERLANGGANAN",
    "MULAI LANGGANAN",
    "MULAI BERLANGGANAN",
];

const STOPPED: &str = "You will not receive any more messages from us. Reply START to receive them again.\n\nAnda tidak akan menerima pesan dari kami lagi. Balas MULAI untuk menerimanya kembali.";

const STARTED: &str = "You will receive our messages again. Reply STOP to end them.\n\nAnda akan menerima pesan dari kami lagi. Balas BERHENTI untuk menghentikannya.";

impl Default for OptOut {
    /// English and Indonesian.
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            stop_words: owned(STOP),
            start_words: owned(START),
            stop_answer: Some(STOPPED.to_owned()),
            start_answer: Some(STARTED.to_owned()),
        }
    }
}

impl OptOut {
    /// What a message says about the consent of whoever wrote it; nearly all say nothing.
    ///
    /// Only a whole message counts: "stop" ends messages and "please stop by tomorrow" does not. Of a
    /// button both the label and the payload may say it, the payload up to a colon: `STOP:42`.
    #[must_use]
    pub fn wished(&self, content: &InboundContent) -> Option<Consent> {
        let payload = |payload: &str| self.said(payload.split(':').next().unwrap_or_default());
        match content {
            InboundContent::Text { body } => self.said(body),
            InboundContent::Button {
                text,
                payload: data,
            } => self.said(text).or_else(|| payload(data)),
            InboundContent::Choice { id, title, .. } => self.said(title).or_else(|| payload(id)),
            _ => None,
        }
    }

    fn said(&self, text: &str) -> Option<Consent> {
        // Longer than any of the words, whatever is folded away.
        if text.len() > 8 * WORD_MAX {
            return None;
        }
        let said = fold::letters(text);
        if said.is_empty() {
            return None;
        }
        let among = |words: &[String]| words.iter().any(|word| fold::letters(word) == said);
        if among(&self.stop_words) {
            Some(Consent::OptedOut)
        } else if among(&self.start_words) {
            Some(Consent::Subscribed)
        } else {
            None
        }
    }

    /// What is told to whoever made this wish.
    #[must_use]
    pub fn answer(&self, wished: Consent) -> Option<&str> {
        match wished {
            Consent::OptedOut => self.stop_answer.as_deref(),
            Consent::Subscribed => self.start_answer.as_deref(),
        }
    }

    /// # Errors
    /// Every field that is not acceptable.
    pub fn check(&self) -> Result<(), Vec<InvalidField>> {
        let mut faults = Vec::new();
        let mut fault =
            |field: String, message: &str| faults.push(InvalidField::new(field, message));
        for (field, words) in [
            ("stop_words", &self.stop_words),
            ("start_words", &self.start_words),
        ] {
            if words.is_empty() || words.len() > WORDS_MAX {
                fault(
                    field.to_owned(),
                    &format!("1 to {WORDS_MAX} words are allowed"),
                );
            }
            for (place, word) in words.iter().enumerate() {
                if word.chars().count() > WORD_MAX {
                    let message = format!("at most {WORD_MAX} characters are allowed");
                    fault(format!("{field}[{place}]"), &message);
                } else if fold::letters(word).is_empty() {
                    fault(
                        format!("{field}[{place}]"),
                        "a word needs a letter or a digit",
                    );
                }
            }
        }
        let stops: Vec<_> = self
            .stop_words
            .iter()
            .map(|word| fold::letters(word))
            .collect();
        for (place, word) in self.start_words.iter().enumerate() {
            if stops.contains(&fold::letters(word)) {
                fault(
                    format!("start_words[{place}]"),
                    "this is a stop word too; a word means one thing",
                );
            }
        }
        for (field, answer) in [
            ("stop_answer", &self.stop_answer),
            ("start_answer", &self.start_answer),
        ] {
            let Some(text) = answer else { continue };
            if text.trim().is_empty() {
                fault(
                    field.to_owned(),
                    "this must not be empty; null says nothing",
                );
            } else if text.chars().count() > TEXT_MAX {
                fault(
                    field.to_owned(),
                    &format!("at most {TEXT_MAX} characters are allowed"),
                );
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wished(content: &InboundContent) -> Option<Consent> {
        OptOut::default().wished(content)
    }

    fn text(body: &str) -> InboundContent {
        InboundContent::Text {
            body: body.to_owned(),
        }
    }

    fn button(text: &str, payload: &str) -> InboundContent {
        InboundContent::Button {
            text: text.to_owned(),
            payload: payload.to_owned(),
        }
    }

    #[test]
    fn a_stop_word_counts_in_any_case_with_any_spaces_and_signs() {
        for body in [
            "STOP",
            " stop. ",
            "Stop!!! 🙏",
            "S.T.O.P",
            "STÓP",
            "Unsubscribe",
            "opt-out",
            "BERHENTI",
            "berhenti berlangganan",
            "Jangan kirim lagi",
        ] {
            assert_eq!(wished(&text(body)), Some(Consent::OptedOut), "{body}");
        }
    }

    #[test]
    fn a_start_word_takes_it_back() {
        for body in ["START", "mulai", "Mulai langganan."] {
            assert_eq!(wished(&text(body)), Some(Consent::Subscribed), "{body}");
        }
    }

    #[test]
    fn a_sentence_with_the_word_in_it_says_nothing() {
        for body in [
            "please stop by the shop",
            "how do I start?",
            "jangan berhenti",
            "",
            "🙏",
        ] {
            assert_eq!(wished(&text(body)), None, "{body}");
        }
    }

    #[test]
    fn a_button_says_it_by_its_label_or_its_payload() {
        for content in [
            button("Stop promotions", "b1"),
            button("No, thanks", "STOP:42"),
            button("No, thanks", "STOP"),
        ] {
            assert_eq!(wished(&content), Some(Consent::OptedOut));
        }
        assert_eq!(wished(&button("Yes", "KEEP:42")), None);
    }

    #[test]
    fn the_words_are_the_workspaces_own() {
        let own = OptOut {
            stop_words: vec!["ZATRZYMAJ".into(), "2".into()],
            ..OptOut::default()
        };
        assert_eq!(own.wished(&text("zatrzymaj!")), Some(Consent::OptedOut));
        assert_eq!(own.wished(&text(" 2 ")), Some(Consent::OptedOut));
        assert_eq!(own.wished(&text("stop")), None);
    }

    #[test]
    fn what_could_not_be_said_or_means_two_things_is_refused() {
        assert_eq!(OptOut::default().check(), Ok(()));
        let wrong = OptOut {
            stop_words: vec!["stop".into(), "!!!".into(), "x".repeat(51)],
            start_words: vec!["S-T-O-P".into()],
            stop_answer: Some(" ".into()),
            start_answer: Some("x".repeat(TEXT_MAX + 1)),
        };
        let faults = wrong.check().unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "stop_words[1]",
                "stop_words[2]",
                "start_words[0]",
                "stop_answer",
                "start_answer"
            ]
        );
        let none = OptOut {
            stop_words: Vec::new(),
            ..OptOut::default()
        };
        assert_eq!(none.check().unwrap_err()[0].field, "stop_words");
    }

    proptest! {
        #[test]
        fn a_word_with_more_around_it_says_nothing(before in "[a-z]{1,8}", after in "[a-z]{1,8}") {
            let body = format!("{before} stop {after}");
            prop_assert_eq!(wished(&text(&body)), None);
        }
    }
}
