//! The last step: what both sides counted, put side by side, and whether it fits together.

use std::fmt::Write;

use serde_json::{Value, json};

use local::harness::check;
use local::harness::figures::{Arrivals, Figures};
use local::harness::import::Imported;
use local::harness::screen::grouped;

pub(crate) struct Report {
    pub(crate) imported: Imported,
    pub(crate) figures: Figures,
    pub(crate) arrivals: Arrivals,
}

impl Report {
    /// The report as it is written to the file.
    pub(crate) fn json(&self) -> Value {
        let Self {
            imported,
            figures,
            arrivals,
        } = self;
        json!({
            "import": {
                "accepted": imported.accepted,
                "duplicates": imported.duplicates,
                "invalid": imported.invalid,
            },
            "campaign": {
                "recipients": figures.recipients,
                "sent": figures.sent,
                "delivered": figures.delivered,
                "read": figures.read,
                "failed": figures.failed,
                "excluded": figures.excluded,
                "unknown": figures.unknown,
            },
            "simulator": {
                "accepted": arrivals.accepted,
                "recipients_with_more_than_one": arrivals.with_more_than_one,
                "refused": arrivals.refused,
            },
            "rate_per_second": arrivals.rate_per_second,
        })
    }

    /// The report for the terminal, without a line end at its end.
    pub(crate) fn table(&self) -> String {
        let Self {
            imported,
            figures,
            arrivals,
        } = self;
        let mut table = String::new();
        section(
            &mut table,
            "Import",
            &[
                ("rows", imported.rows),
                ("accepted", imported.accepted),
                ("updated", imported.updated),
                ("duplicates", imported.duplicates),
                ("invalid", imported.invalid),
            ],
        );
        section(
            &mut table,
            "Campaign",
            &[
                ("recipients", figures.recipients),
                ("sent", figures.sent),
                ("delivered", figures.delivered),
                ("read", figures.read),
                ("failed", figures.failed),
                ("excluded", figures.excluded),
                ("unknown", figures.unknown),
            ],
        );
        section(
            &mut table,
            "Simulator",
            &[
                ("accepted", arrivals.accepted),
                ("more than one", arrivals.with_more_than_one),
                ("refused", arrivals.refused.values().sum()),
            ],
        );
        // Writing to a text cannot fail.
        for (code, count) in &arrivals.refused {
            let _ = writeln!(
                table,
                "  {:<12}{:<16}{:>10}",
                "",
                format!("  code {code}"),
                grouped(*count)
            );
        }
        let _ = writeln!(
            table,
            "  {:<12}{:<16}{:>10.1}",
            "", "per second", arrivals.rate_per_second
        );
        table.push('\n');
        table.push_str(&check::lines(&self.checks()));
        table
    }
}

fn section(table: &mut String, title: &str, rows: &[(&str, u64)]) {
    for (place, (name, count)) in rows.iter().enumerate() {
        let title = if place == 0 { title } else { "" };
        let _ = writeln!(table, "  {title:<12}{name:<16}{:>10}", grouped(*count));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn good() -> Report {
        Report {
            imported: Imported {
                rows: 10_000,
                accepted: 9730,
                updated: 0,
                duplicates: 194,
                invalid: 76,
            },
            figures: Figures {
                recipients: 9730,
                pending: 0,
                sent: 9535,
                delivered: 9535,
                read: 6670,
                failed: 195,
                excluded: 0,
                unknown: 0,
            },
            arrivals: Arrivals {
                accepted: 9730,
                rate_per_second: 79.9,
                delivered: 9535,
                read: 6670,
                failed: 195,
                ..Arrivals::default()
            },
        }
    }

    #[test]
    fn the_file_has_exactly_these_entries() {
        let expected = json!({
            "import": {"accepted": 9730, "duplicates": 194, "invalid": 76},
            "campaign": {"recipients": 9730, "sent": 9535, "delivered": 9535, "read": 6670,
                "failed": 195, "excluded": 0, "unknown": 0},
            "simulator": {"accepted": 9730, "recipients_with_more_than_one": 0, "refused": {}},
            "rate_per_second": 79.9,
        });
        assert_eq!(good().json(), expected);
    }

    #[test]
    fn a_good_run_passes_every_check() {
        assert!(good().checks().iter().all(|check| check.holds));
        assert!(!good().table().contains('✗'));
        assert!(good().table().contains("9,535"));
    }
}
