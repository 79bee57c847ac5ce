//! The figures of a campaign, and how one recipient's move changes them.
//!
//! *Sent* means accepted or beyond and not failed; *delivered* includes read; *pending* includes
//! claimed. So `recipients = pending + sent + failed + excluded + unknown`, always. Figures change in
//! the transaction that moves the rows they count, and a recount from the rows proves them.

use serde::{Deserialize, Serialize};

use crate::message::Outcome;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub recipients: i64,
    pub pending: i64,
    pub sent: i64,
    pub delivered: i64,
    pub read: i64,
    pub failed: i64,
    pub excluded: i64,
    pub unknown: i64,
    /// Those who wrote back. They are counted under their status as well, so this is no part of the
    /// sum.
    pub replied: i64,
}

/// A change of the counters.
pub type Delta = Counters;

impl Counters {
    /// Recipients that were just planned and wait to be sent.
    #[must_use]
    pub fn planned(count: i64) -> Delta {
        Self {
            recipients: count,
            pending: count,
            ..Self::default()
        }
    }

    /// So many recipients wrote back.
    #[must_use]
    pub fn replied(count: i64) -> Delta {
        Self {
            replied: count,
            ..Self::default()
        }
    }

    /// One recipient moves from `from` (`None`: pending) to `to`.
    #[must_use]
    pub fn moved(from: Option<Outcome>, to: Outcome) -> Delta {
        let mut delta = Self::default();
        match from {
            Some(outcome) => delta.count(outcome, -1),
            None => delta.pending -= 1,
        }
        delta.count(to, 1);
        delta
    }

    /// The figures that these rows amount to, where `None` is a recipient without an outcome.
    pub fn recount(rows: impl IntoIterator<Item = Option<Outcome>>) -> Self {
        let mut counters = Self::default();
        for row in rows {
            counters += Self::planned(1);
            if let Some(outcome) = row {
                counters += Self::moved(None, outcome);
            }
        }
        counters
    }

    /// Every recipient is counted exactly once.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.recipients == self.pending + self.sent + self.failed + self.excluded + self.unknown
    }

    /// The figures with their stored names, for the expression that adds them.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, i64); 9] {
        [
            ("recipients", self.recipients),
            ("pending", self.pending),
            ("sent", self.sent),
            ("delivered", self.delivered),
            ("read", self.read),
            ("failed", self.failed),
            ("excluded", self.excluded),
            ("unknown", self.unknown),
            ("replied", self.replied),
        ]
    }

    fn count(&mut self, outcome: Outcome, by: i64) {
        match outcome {
            Outcome::Accepted => self.sent += by,
            Outcome::Delivered => {
                self.sent += by;
                self.delivered += by;
            }
            Outcome::Read => {
                self.sent += by;
                self.delivered += by;
                self.read += by;
            }
            Outcome::Failed => self.failed += by,
            Outcome::Excluded => self.excluded += by,
            Outcome::Unknown => self.unknown += by,
        }
    }
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.recipients += other.recipients;
        self.pending += other.pending;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.read += other.read;
        self.failed += other.failed;
        self.excluded += other.excluded;
        self.unknown += other.unknown;
        self.replied += other.replied;
    }
}

impl std::iter::Sum for Counters {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut total, one| {
            total += one;
            total
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::DeliveryStatus::{Delivered, Failed, Played, Read, Sent};

    proptest! {
        #[test]
        fn the_figures_equal_the_rows_after_any_statuses(
            statuses in proptest::collection::vec(
                (0_usize..20, proptest::sample::select(vec![Sent, Delivered, Read, Played, Failed])), 0..200),
        ) {
            let mut rows: Vec<Option<Outcome>> = vec![None; 20];
            let mut counters = Counters::planned(20);
            for (row, status) in statuses {
                if let Some(to) = Outcome::after(rows[row], status) {
                    counters += Counters::moved(rows[row], to);
                    rows[row] = Some(to);
                }
            }
            prop_assert!(counters.balanced());
            prop_assert_eq!(counters, Counters::recount(rows));
        }
    }

    #[test]
    fn read_counts_as_delivered_and_sent() {
        let mut counters = Counters::planned(1);
        counters += Counters::moved(None, Outcome::Read);
        assert_eq!(
            (
                counters.sent,
                counters.delivered,
                counters.read,
                counters.pending
            ),
            (1, 1, 1, 0)
        );
    }

    #[test]
    fn a_failure_after_acceptance_is_not_sent_any_more() {
        let delta = Counters::moved(Some(Outcome::Accepted), Outcome::Failed);
        assert_eq!((delta.sent, delta.failed, delta.pending), (-1, 1, 0));
    }
}
