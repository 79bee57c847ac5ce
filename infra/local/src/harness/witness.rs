//! Both sides' books laid side by side, person by person: the rows of a campaign as its API lists them,
//! and what arrived at the simulator.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::api::{Api, text};
use super::campaign::{Campaign, Ended};
use super::check::Check;
use super::control::{Arrival, Control, per_person};
use super::figures::Figures;
use super::screen::grouped;

/// One recipient as the report lists it.
#[derive(Clone, Debug)]
struct Row {
    phone: Option<String>,
    status: String,
}

pub struct Witness {
    audience: u32,
    ended: Ended,
    rows: Vec<Row>,
    arrivals: Vec<Arrival>,
}

impl Witness {
    /// Reads every row and every arrival, after a campaign has ended.
    ///
    /// # Errors
    /// One side cannot be asked.
    pub async fn hear(
        api: &Api,
        control: &Control,
        campaign: &Campaign,
        ended: Ended,
    ) -> anyhow::Result<Self> {
        let rows = api.list(&format!("{}/recipients", campaign.path())).await?;
        let row = |item: &Value| {
            let digits = |text: &str| text.trim_start_matches('+').to_owned();
            Ok(Row {
                phone: item.get("phone").and_then(Value::as_str).map(digits),
                status: text(item, "status")?,
            })
        };
        // Of this campaign alone: the callback data begins with its id.
        let prefix = format!("{}.", campaign.id);
        let ours = |arrival: &Arrival| {
            let data = arrival.callback_data.as_deref();
            data.is_some_and(|data| data.starts_with(&prefix))
        };
        let mut arrivals = control.arrivals().await?;
        arrivals.retain(ours);
        Ok(Self {
            audience: campaign.audience,
            ended,
            rows: rows.iter().map(row).collect::<anyhow::Result<_>>()?,
            arrivals,
        })
    }

    /// What must hold, whatever was done to the product meanwhile.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let twice = per_person(&self.arrivals);
        let twice = twice.values().filter(|count| **count > 1).count();
        let people: BTreeSet<_> = self
            .rows
            .iter()
            .filter_map(|row| row.phone.as_ref())
            .collect();
        let excluded = self.count("excluded");
        let known =
            people.len() as u64 + self.rows.iter().filter(|r| r.phone.is_none()).count() as u64;
        let recount = self.recount();
        let figures = self.ended.figures;
        let arrived: HashMap<&str, &str> = self
            .arrivals
            .iter()
            .map(|arrival| (arrival.to.as_str(), arrival.status.as_str()))
            .collect();
        let (mut never, mut denied, mut behind) = (0_u64, 0_u64, 0_u64);
        for row in &self.rows {
            let there = row.phone.as_deref().and_then(|phone| arrived.get(phone));
            match (row.status.as_str(), there) {
                ("accepted" | "delivered" | "read", None) => never += 1,
                ("pending" | "excluded" | "unknown", Some(_)) => denied += 1,
                // A failure that never arrived was refused at once.
                (_, None) => {}
                (status, Some(told)) => behind += u64::from(status != settled(told)),
            }
        }
        let strangers = arrived
            .keys()
            .filter(|to| !people.contains(&(**to).to_owned()));
        let strangers = strangers.count() as u64;
        let audience = u64::from(self.audience);
        vec![
            Check {
                claim: "the campaign is completed",
                holds: self.ended.state == "completed",
                figures: self.ended.state.clone(),
            },
            Check {
                claim: "nobody got the message twice",
                holds: twice == 0,
                figures: format!("{} did", grouped(twice as u64)),
            },
            Check {
                claim: "everybody of the audience is a recipient, once",
                holds: known == audience && self.rows.len() as u64 == audience && strangers == 0,
                figures: format!(
                    "{} rows for {} people, {} strangers",
                    grouped(self.rows.len() as u64),
                    grouped(audience),
                    grouped(strangers)
                ),
            },
            Check {
                claim: "nobody is left waiting",
                holds: self.count("pending") == 0,
                figures: format!("{} wait", grouped(self.count("pending"))),
            },
            Check {
                claim: "the figures are what the rows amount to",
                holds: figures == recount,
                figures: differences(&figures, &recount),
            },
            Check {
                claim: "who is shown as sent to did get the message",
                holds: never == 0,
                figures: format!("{} did not", grouped(never)),
            },
            Check {
                claim: "who got it is not shown as waiting, excluded or unknown",
                holds: denied == 0,
                figures: format!(
                    "{} are; {} unknown did not get it, {} excluded",
                    grouped(denied),
                    grouped(self.count("unknown").saturating_sub(denied)),
                    grouped(excluded)
                ),
            },
            Check {
                claim: "each message stands where its last status put it",
                holds: behind == 0 && self.ended.arrivals.waiting == 0,
                figures: format!(
                    "{} do not, {} webhooks wait",
                    grouped(behind),
                    grouped(self.ended.arrivals.waiting)
                ),
            },
        ]
    }

    /// Both sides in numbers, for the report.
    #[must_use]
    pub fn json(&self) -> Value {
        let Figures {
            recipients,
            pending,
            sent,
            delivered,
            read,
            failed,
            excluded,
            unknown,
        } = self.ended.figures;
        let arrivals = &self.ended.arrivals;
        json!({
            "campaign": {"state": self.ended.state, "recipients": recipients, "pending": pending,
                "sent": sent, "delivered": delivered, "read": read, "failed": failed,
                "excluded": excluded, "unknown": unknown},
            "simulator": {"accepted": self.arrivals.len(), "refused": arrivals.refused,
                "delivered": arrivals.delivered, "read": arrivals.read, "failed": arrivals.failed},
        })
    }

    fn count(&self, status: &str) -> u64 {
        self.rows.iter().filter(|row| row.status == status).count() as u64
    }

    /// The figures, counted anew from the rows.
    fn recount(&self) -> Figures {
        let mut of: BTreeMap<&str, u64> = BTreeMap::new();
        for row in &self.rows {
            *of.entry(&row.status).or_default() += 1;
        }
        let of = |status: &str| of.get(status).copied().unwrap_or(0);
        let read = of("read");
        let delivered = of("delivered") + read;
        Figures {
            recipients: self.rows.len() as u64,
            pending: of("pending"),
            sent: of("accepted") + delivered,
            delivered,
            read,
            failed: of("failed"),
            excluded: of("excluded"),
            unknown: of("unknown"),
        }
    }
}

/// The status of a recipient whose message the simulator has told this much of.
fn settled(told: &str) -> &str {
    match told {
        "sent" => "accepted",
        other => other,
    }
}

fn differences(figures: &Figures, recount: &Figures) -> String {
    let pairs = [
        ("recipients", figures.recipients, recount.recipients),
        ("pending", figures.pending, recount.pending),
        ("sent", figures.sent, recount.sent),
        ("delivered", figures.delivered, recount.delivered),
        ("read", figures.read, recount.read),
        ("failed", figures.failed, recount.failed),
        ("excluded", figures.excluded, recount.excluded),
        ("unknown", figures.unknown, recount.unknown),
    ];
    let apart: Vec<_> = pairs
        .iter()
        .filter(|(_, ours, rows)| ours != rows)
        .map(|(name, ours, rows)| format!("{name} {} of {}", grouped(*ours), grouped(*rows)))
        .collect();
    if apart.is_empty() {
        format!("all {} rows", grouped(recount.recipients))
    } else {
        apart.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Arrivals;
    use super::*;

    fn row(person: u32, status: &str) -> Row {
        Row {
            phone: Some(format!("62{person}")),
            status: status.to_owned(),
        }
    }

    fn arrival(person: u32, status: &str) -> Arrival {
        Arrival {
            to: format!("62{person}"),
            callback_data: None,
            kind: "template".to_owned(),
            text: String::new(),
            at_ms: 0,
            status: status.to_owned(),
        }
    }

    /// Five people: one read, one sent, one failed later, one refused at once, one unknown and not sent.
    fn good() -> Witness {
        let figures = Figures {
            recipients: 5,
            sent: 2,
            delivered: 1,
            read: 1,
            failed: 2,
            unknown: 1,
            ..Figures::default()
        };
        Witness {
            audience: 5,
            ended: Ended {
                state: "completed".to_owned(),
                figures,
                arrivals: Arrivals::default(),
                after: std::time::Duration::ZERO,
            },
            rows: vec![
                row(1, "read"),
                row(2, "accepted"),
                row(3, "failed"),
                row(4, "failed"),
                row(5, "unknown"),
            ],
            arrivals: vec![arrival(1, "read"), arrival(2, "sent"), arrival(3, "failed")],
        }
    }

    fn broken(witness: &Witness) -> Vec<&'static str> {
        let broken = witness.checks().into_iter().filter(|check| !check.holds);
        broken.map(|check| check.claim).collect()
    }

    #[test]
    fn books_that_agree_break_nothing() {
        assert!(broken(&good()).is_empty());
    }

    #[test]
    fn each_fault_is_found() {
        let mut twice = good();
        twice.arrivals.push(arrival(1, "read"));
        assert_eq!(broken(&twice), ["nobody got the message twice"]);

        let mut missed = good();
        missed.rows[1].status = "pending".to_owned();
        missed.arrivals.remove(1);
        missed.ended.figures.sent = 1;
        missed.ended.figures.pending = 1;
        assert_eq!(broken(&missed), ["nobody is left waiting"]);

        let mut unplanned = good();
        unplanned.rows.pop();
        unplanned.ended.figures.recipients = 4;
        unplanned.ended.figures.unknown = 0;
        assert_eq!(
            broken(&unplanned),
            ["everybody of the audience is a recipient, once"]
        );

        let mut miscounted = good();
        miscounted.ended.figures.delivered = 2;
        assert_eq!(
            broken(&miscounted),
            ["the figures are what the rows amount to"]
        );

        let mut claimed = good();
        claimed.arrivals.remove(1);
        assert_eq!(
            broken(&claimed),
            ["who is shown as sent to did get the message"]
        );

        let mut unsettled = good();
        unsettled.arrivals.push(arrival(5, "delivered"));
        assert_eq!(
            broken(&unsettled),
            ["who got it is not shown as waiting, excluded or unknown"]
        );

        let mut late = good();
        late.arrivals[1].status = "delivered".to_owned();
        assert_eq!(
            broken(&late),
            ["each message stands where its last status put it"]
        );
    }
}
