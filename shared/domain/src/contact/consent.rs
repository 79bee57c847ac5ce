//! Whether a contact may be written to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

impl Consent {
    /// Whether a wish of this time changes a consent about which was last decided as given. Messages come
    /// late and twice, so an old wish must not undo a newer one. WhatsApp tells whole seconds: of two
    /// wishes in one second the opt-out counts.
    #[must_use]
    pub fn changes(self, from: Self, last: Option<Timestamp>, at: Timestamp) -> bool {
        if self == from {
            return false;
        }
        match (self, last) {
            (_, None) => true,
            (Self::OptedOut, Some(last)) => at.as_second() >= last.as_second(),
            (Self::Subscribed, Some(last)) => at.as_second() > last.as_second(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_wish_does_not_undo_a_newer_one() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (stop, start) = (Consent::OptedOut, Consent::Subscribed);
        assert!(stop.changes(start, None, at(5)));
        assert!(!stop.changes(start, Some(at(6)), at(5)));
        assert!(start.changes(stop, Some(at(4)), at(5)));
        assert!(!start.changes(stop, Some(at(5)), at(5)));
        assert!(stop.changes(start, Some(at(5)), at(5)));
        assert!(!stop.changes(stop, Some(at(1)), at(5)));
    }
}
