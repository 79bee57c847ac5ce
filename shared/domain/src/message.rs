//! What became of one outgoing message, and the order its statuses may move in.
//!
//! Meta delivers statuses at least once and in no order (Meta: webhook delivery), so a status is a
//! claim that only ever moves a message upward: pending < accepted < delivered < read. `failed` and
//! `excluded` are ends; `unknown` waits for a status to settle it.

use serde::{Deserialize, Serialize};

use crate::event::DeliveryStatus;

/// Where one recipient of a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Meta took the message and gave it an id.
    Accepted,
    Delivered,
    Read,
    /// Meta refused it, or reported that it could not be delivered.
    Failed,
    /// It was never sent, for a reason of ours: opted out, no number, no value for a variable.
    Excluded,
    /// It may have been sent: the call ended without a clear answer, or its process died.
    Unknown,
}

impl Outcome {
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Excluded,
        Self::Unknown,
    ];

    /// The word used in storage, JSON and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Excluded => "excluded",
            Self::Unknown => "unknown",
        }
    }

    /// Where a status moves a message that stands at `from` (`None`: no outcome is recorded yet), or
    /// `None` when it says nothing new.
    ///
    /// A failure after a delivery is an anomaly of the sender's side: the delivery stands.
    #[must_use]
    pub fn after(from: Option<Self>, status: DeliveryStatus) -> Option<Self> {
        let to = match status {
            DeliveryStatus::Sent => Self::Accepted,
            DeliveryStatus::Delivered => Self::Delivered,
            DeliveryStatus::Read | DeliveryStatus::Played => Self::Read,
            DeliveryStatus::Failed => Self::Failed,
        };
        match from {
            None | Some(Self::Unknown) => Some(to),
            Some(Self::Accepted) => (to != Self::Accepted).then_some(to),
            Some(Self::Delivered) => (to == Self::Read).then_some(to),
            Some(Self::Read | Self::Failed | Self::Excluded) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use DeliveryStatus::{Delivered, Failed, Played, Read, Sent};
    use proptest::prelude::*;

    use super::*;

    fn apply(statuses: &[DeliveryStatus]) -> Option<Outcome> {
        statuses
            .iter()
            .fold(None, |at, status| Outcome::after(at, *status).or(at))
    }

    #[test]
    fn a_late_delivered_does_not_undo_read() {
        assert_eq!(apply(&[Sent, Read, Delivered]), Some(Outcome::Read));
    }

    #[test]
    fn a_failure_ends_an_accepted_message_but_not_a_delivered_one() {
        assert_eq!(apply(&[Sent, Failed]), Some(Outcome::Failed));
        assert_eq!(apply(&[Delivered, Failed]), Some(Outcome::Delivered));
        assert_eq!(apply(&[Failed, Read]), Some(Outcome::Failed));
    }

    #[test]
    fn any_status_settles_an_unknown() {
        for status in [Sent, Delivered, Read, Played, Failed] {
            assert!(Outcome::after(Some(Outcome::Unknown), status).is_some());
        }
    }

    #[test]
    fn nothing_moves_an_excluded_recipient() {
        for status in [Sent, Delivered, Read, Failed] {
            assert_eq!(Outcome::after(Some(Outcome::Excluded), status), None);
        }
    }

    proptest! {
        #[test]
        fn order_and_duplicates_of_good_news_do_not_matter(
            order in Just(vec![Sent, Delivered, Read, Sent, Delivered, Read, Played]).prop_shuffle(),
        ) {
            prop_assert_eq!(apply(&order), Some(Outcome::Read));
        }

        #[test]
        fn a_status_said_twice_moves_nothing_the_second_time(
            statuses in proptest::collection::vec(
                proptest::sample::select(vec![Sent, Delivered, Read, Played, Failed]), 1..12),
        ) {
            let at = apply(&statuses);
            let last = statuses[statuses.len() - 1];
            prop_assert_eq!(Outcome::after(at, last).filter(|to| Some(*to) == at), None);
        }
    }
}
