//! What must hold between the two sides' counts.

use local::harness::Check;
use local::harness::screen::grouped;

use crate::report::Report;

/// Meta's code for a number that sends faster than it may.
const TOO_FAST: &str = "130429";

impl Report {
    pub(crate) fn checks(&self) -> Vec<Check> {
        let Self {
            imported,
            figures,
            arrivals,
        } = self;
        let rows = imported.accepted + imported.updated + imported.duplicates + imported.invalid;
        let ended = figures.attempted() + figures.excluded;
        let too_fast = arrivals.refused.get(TOO_FAST).copied().unwrap_or(0);
        // What failed by status had been accepted; what failed at once was refused. What is unknown
        // may or may not have arrived, so only between these two bounds is the count certain.
        let least = figures.sent + arrivals.failed;
        let most = least + figures.unknown;
        let heard = (figures.delivered, figures.read) == (arrivals.delivered, arrivals.read)
            && figures.failed >= arrivals.failed;
        vec![
            Check {
                claim: "every row of the file is accounted for",
                holds: rows == imported.rows && rows > 0,
                figures: format!("{} of {}", grouped(rows), grouped(imported.rows)),
            },
            Check {
                claim: "sent + failed + excluded + unknown = recipients",
                holds: ended == figures.recipients && ended > 0,
                figures: format!("{} of {}", grouped(ended), grouped(figures.recipients)),
            },
            Check {
                claim: "nobody got the message twice",
                holds: arrivals.with_more_than_one == 0,
                figures: format!("{} did", grouped(arrivals.with_more_than_one)),
            },
            Check {
                claim: "the number never sent too fast (130429)",
                holds: too_fast == 0,
                figures: format!("{} refused", grouped(too_fast)),
            },
            Check {
                claim: "the simulator accepted what was sent or failed later",
                holds: (least..=most).contains(&arrivals.accepted),
                figures: format!("{} of {}", grouped(arrivals.accepted), range(least, most)),
            },
            Check {
                claim: "every status the simulator told of was counted",
                holds: heard && arrivals.waiting == 0,
                figures: format!(
                    "delivered {} of {}, read {} of {}, failed {} of {}",
                    grouped(figures.delivered),
                    grouped(arrivals.delivered),
                    grouped(figures.read),
                    grouped(arrivals.read),
                    grouped(figures.failed.min(arrivals.failed)),
                    grouped(arrivals.failed),
                ),
            },
        ]
    }
}

fn range(least: u64, most: u64) -> String {
    if least == most {
        grouped(least)
    } else {
        format!("{} to {}", grouped(least), grouped(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::good;

    fn broken(report: &Report) -> Vec<&'static str> {
        let broken = report.checks().into_iter().filter(|check| !check.holds);
        broken.map(|check| check.claim).collect()
    }

    #[test]
    fn each_fault_breaks_its_check() {
        let mut lost = good();
        lost.figures.sent -= 1;
        assert_eq!(broken(&lost).len(), 2);

        let mut twice = good();
        twice.arrivals.with_more_than_one = 1;
        assert_eq!(broken(&twice), ["nobody got the message twice"]);

        let mut fast = good();
        fast.arrivals.refused.insert(TOO_FAST.to_owned(), 4);
        assert_eq!(broken(&fast), ["the number never sent too fast (130429)"]);

        let mut unheard = good();
        unheard.figures.read -= 1;
        assert_eq!(
            broken(&unheard),
            ["every status the simulator told of was counted"]
        );

        let mut nobody = good();
        (nobody.figures, nobody.arrivals) = Default::default();
        assert_eq!(
            broken(&nobody),
            ["sent + failed + excluded + unknown = recipients"]
        );
    }

    #[test]
    fn what_is_unknown_may_or_may_not_have_arrived() {
        let mut report = good();
        (report.figures.sent, report.figures.unknown) = (9525, 10);
        (report.figures.delivered, report.arrivals.delivered) = (9525, 9525);
        report.arrivals.accepted = 9725;
        assert!(broken(&report).is_empty());
        report.arrivals.accepted = 9719;
        assert_eq!(broken(&report).len(), 1);
    }

    #[test]
    fn what_was_refused_at_once_never_arrived() {
        let mut report = good();
        (report.figures.sent, report.figures.failed) = (9530, 200);
        (report.figures.delivered, report.arrivals.delivered) = (9530, 9530);
        report.arrivals.accepted = 9725;
        report.arrivals.refused.insert("132018".to_owned(), 5);
        assert!(broken(&report).is_empty());
    }
}
