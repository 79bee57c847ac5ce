//! The figures of the ledger, for whoever compares them with their own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fate::Step;
use crate::ledger::Ledger;

const SECOND_US: i64 = 1_000_000;

/// Which part of the ledger a report is about.
#[derive(Default, Deserialize)]
pub(crate) struct Filter {
    phone_number_id: Option<String>,
    since_ms: Option<i64>,
}

/// What a report is made of, copied from the ledger so that its lock is not held for long.
#[derive(Default)]
pub(crate) struct Figures {
    recipients: usize,
    recipients_with_more_than_one: usize,
    confirmed: [u64; Step::STATUSES.len()],
    latest: BTreeMap<&'static str, u64>,
    refused: BTreeMap<String, u64>,
    numbers: BTreeMap<String, Arrivals>,
}

/// The instants at which messages went through one number.
#[derive(Default)]
struct Arrivals {
    outbound_us: Vec<i64>,
    inbound_us: Vec<i64>,
}

impl Filter {
    fn selects(&self, number: &str, at_ms: i64) -> bool {
        self.since_ms.is_none_or(|since| at_ms >= since)
            && self
                .phone_number_id
                .as_deref()
                .is_none_or(|want| want == number)
    }
}

impl Figures {
    /// One pass over the ledger.
    pub(crate) fn of(ledger: &Ledger, filter: &Filter) -> Self {
        let mut figures = Self::default();
        let mut per_person = vec![0_u8; ledger.people()];
        for (entry, person) in ledger.entries.iter().zip(&ledger.person_of) {
            let message = &entry.message;
            if !filter.selects(&message.phone_number_id, message.arrived_us / 1000) {
                continue;
            }
            let count = &mut per_person[*person as usize];
            *count = count.saturating_add(1);
            for (step, told) in Step::STATUSES.into_iter().zip(&mut figures.confirmed) {
                *told += u64::from(entry.confirmed & step.bit() != 0);
            }
            *figures.latest.entry(entry.status()).or_default() += 1;
            let arrivals = figures.arrivals(&message.phone_number_id);
            arrivals.outbound_us.push(message.arrived_us);
        }
        figures.recipients = per_person.iter().filter(|count| **count > 0).count();
        figures.recipients_with_more_than_one =
            per_person.iter().filter(|count| **count > 1).count();
        for refused in &ledger.refused {
            if filter.selects(&refused.phone_number_id, refused.at_ms) {
                *figures.refused.entry(refused.reason.clone()).or_default() += 1;
            }
        }
        for inbound in &ledger.inbound {
            if filter.selects(&inbound.phone_number_id, inbound.at_us / 1000) {
                let arrivals = figures.arrivals(&inbound.phone_number_id);
                arrivals.inbound_us.push(inbound.at_us);
            }
        }
        figures
    }

    /// The report. It takes its time, so nothing should be locked any more.
    pub(crate) fn report(self) -> Value {
        let outbound = || self.numbers.values().flat_map(|of| &of.outbound_us);
        let (first, last) = (outbound().min(), outbound().max());
        let accepted = outbound().count();
        let rate = match (first, last) {
            (Some(first), Some(last)) if last > first => {
                (accepted - 1) as f64 / ((last - first) as f64 / SECOND_US as f64)
            }
            _ => 0.0,
        };
        let statuses: BTreeMap<_, _> = Step::STATUSES
            .into_iter()
            .map(Step::name)
            .zip(self.confirmed)
            .collect();
        let inbound: usize = self.numbers.values().map(|of| of.inbound_us.len()).sum();
        let (first, last) = (first.copied(), last.copied());
        let numbers: BTreeMap<_, _> = self
            .numbers
            .into_iter()
            .map(|(id, arrivals)| (id, arrivals.report()))
            .collect();
        json!({
            "accepted": accepted,
            "recipients": self.recipients,
            "recipients_with_more_than_one": self.recipients_with_more_than_one,
            "refused": self.refused,
            "first_arrival_ms": first.map(|us| us / 1000),
            "last_arrival_ms": last.map(|us| us / 1000),
            "rate_per_second": rate,
            "statuses": statuses,
            "latest": self.latest,
            "inbound": inbound,
            "numbers": numbers,
        })
    }

    fn arrivals(&mut self, number: &str) -> &mut Arrivals {
        self.numbers.entry(number.to_owned()).or_default()
    }
}

impl Arrivals {
    fn report(mut self) -> Value {
        let (accepted, inbound) = (self.outbound_us.len(), self.inbound_us.len());
        let outbound_peak = peak(&mut self.outbound_us);
        self.outbound_us.append(&mut self.inbound_us);
        json!({
            "accepted": accepted,
            "inbound": inbound,
            "peak_per_second": peak(&mut self.outbound_us),
            "peak_outbound_per_second": outbound_peak,
        })
    }
}

/// The most instants that any second had in it.
fn peak(instants: &mut [i64]) -> usize {
    instants.sort_unstable();
    let mut first = 0;
    let mut most = 0;
    for (last, at_us) in instants.iter().enumerate() {
        while at_us - instants[first] >= SECOND_US {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_the_fullest_second_wherever_it_begins() {
        assert_eq!(peak(&mut []), 0);
        let mut instants = [2_900_000, 0, 900_000, 999_999, 1_000_000, 1_850_000];
        assert_eq!(peak(&mut instants), 4);
    }
}
