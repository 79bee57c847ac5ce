//! Whether a contact may be written to, and the words by which people say so themselves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::InboundContent;

/// Whether a contact may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    #[default]
    Subscribed,
    OptedOut,
}

/// Who changed a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// The person, by a word or a button.
    Person,
    /// WhatsApp, which reports that the person stopped messages of this business.
    Whatsapp,
    /// Somebody of the workspace, or one of its API keys.
    Workspace,
}

/// When a consent was changed, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentChange {
    pub at: Timestamp,
    pub source: ConsentSource,
}

/// Words that end messages when they are a person's whole message, as [`folded`] leaves them.
const STOP: &[&str] = &[
    "stop",
    "stopall",
    "stopit",
    "stopplease",
    "pleasestop",
    "stopmessages",
    "stoppromo",
    "stoppromosi",
    "stoppromotion",
    "stoppromotions",
    "unsubscribe",
    "unsub",
    "optout",
    "berhenti",
    "hentikan",
    "berhentilangganan",
    "berhentiberlangganan",
    "berhentipromo",
    "berhentipromosi",
    "hentikanpromo",
    "hentikanpromosi",
    "stopberlangganan",
    "stoplangganan",
];

/// Words that take it back.
const START: &[&str] = &[
    "start",
    "unstop",
    "subscribe",
    "resubscribe",
    "optin",
    "mulai",
    "langganan",
    "berlangganan",
    "mulailangganan",
    "mulaiberlangganan",
];

impl Consent {
    /// What a message says about the consent of whoever wrote it; nearly all say nothing.
    ///
    /// Only a whole message counts: "stop" ends messages and "please stop by tomorrow" does not. Of a
    /// button both the label and the payload may say it.
    #[must_use]
    pub fn wished(content: &InboundContent) -> Option<Self> {
        match content {
            InboundContent::Text { body } => said(body),
            InboundContent::Button { text, payload } => said(text).or_else(|| said(payload)),
            InboundContent::Choice { id, title, .. } => said(title).or_else(|| said(id)),
            _ => None,
        }
    }

    /// Whether a wish of this time changes a consent that was last changed as given. Messages come
    /// late and twice, so an old wish must not undo a newer one. WhatsApp tells whole seconds: of two
    /// wishes in one second the opt-out counts.
    #[must_use]
    pub fn changes(self, from: Self, last: Option<&ConsentChange>, at: Timestamp) -> bool {
        if self == from {
            return false;
        }
        match (self, last) {
            (_, None) => true,
            (Self::OptedOut, Some(last)) => at.as_second() >= last.at.as_second(),
            (Self::Subscribed, Some(last)) => at.as_second() > last.at.as_second(),
        }
    }
}

fn said(text: &str) -> Option<Consent> {
    // Longer than any of the words, whatever is folded away.
    if text.len() > 100 {
        return None;
    }
    let word = folded(text);
    if STOP.contains(&word.as_str()) {
        Some(Consent::OptedOut)
    } else if START.contains(&word.as_str()) {
        Some(Consent::Subscribed)
    } else {
        None
    }
}

/// The letters alone, in lower case.
fn folded(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "Unsubscribe",
            "opt-out",
            "BERHENTI",
            "berhenti berlangganan",
        ] {
            assert_eq!(
                Consent::wished(&text(body)),
                Some(Consent::OptedOut),
                "{body}"
            );
        }
    }

    #[test]
    fn a_start_word_takes_it_back() {
        for body in ["START", "mulai", "Mulai langganan."] {
            let wished = Consent::wished(&text(body));
            assert_eq!(wished, Some(Consent::Subscribed), "{body}");
        }
    }

    #[test]
    fn a_sentence_with_the_word_in_it_says_nothing() {
        for body in [
            "please stop by tomorrow",
            "how do I start?",
            "jangan berhenti",
            "",
            "🙏",
        ] {
            assert_eq!(Consent::wished(&text(body)), None, "{body}");
        }
    }

    #[test]
    fn a_button_says_it_by_its_label_or_its_payload() {
        for content in [
            button("Stop promotions", "b1"),
            button("No, thanks", "STOP:42"),
        ] {
            assert_eq!(Consent::wished(&content), Some(Consent::OptedOut));
        }
        assert_eq!(Consent::wished(&button("Yes", "KEEP:42")), None);
    }

    #[test]
    fn an_old_wish_does_not_undo_a_newer_one() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let last = |second| ConsentChange {
            at: at(second),
            source: ConsentSource::Person,
        };
        let (stop, start) = (Consent::OptedOut, Consent::Subscribed);
        assert!(stop.changes(start, None, at(5)));
        assert!(!stop.changes(start, Some(&last(6)), at(5)));
        assert!(start.changes(stop, Some(&last(4)), at(5)));
        assert!(!start.changes(stop, Some(&last(5)), at(5)));
        assert!(stop.changes(start, Some(&last(5)), at(5)));
        assert!(!stop.changes(stop, Some(&last(1)), at(5)));
    }
}
