//! What arrived and what was refused, in order. It counts; it does not deliver.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fate::{Plan, Step};

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) wamid: String,
    pub(crate) phone_number_id: String,
    pub(crate) recipient: String,
    pub(crate) kind: String,
    pub(crate) template: Option<String>,
    /// The pricing category, in the lower case of webhooks.
    pub(crate) category: String,
    /// What the recipient sees.
    pub(crate) text: String,
    pub(crate) callback_data: Option<String>,
    pub(crate) arrived_us: i64,
    pub(crate) plan: Plan,
    /// Steps the callback has confirmed, one bit each.
    pub(crate) confirmed: u8,
    /// Steps nobody will be told of: no subscription, or the retries ran out.
    pub(crate) dropped: u8,
}

impl Message {
    pub(crate) fn open_steps(&self) -> impl Iterator<Item = (Step, i64)> + '_ {
        let closed = self.confirmed | self.dropped;
        self.plan
            .steps()
            .filter(move |(step, _)| closed & step.bit() == 0)
    }
}

/// A send that was refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) at_ms: i64,
    pub(crate) phone_number_id: String,
    pub(crate) code: u32,
}

/// Which part of the ledger a report is about.
#[derive(Default, Deserialize)]
pub(crate) struct Filter {
    pub(crate) phone_number_id: Option<String>,
    pub(crate) since_ms: Option<i64>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    messages: Vec<Message>,
    /// The person each message went to, as a dense number, so that a report can count in an array.
    person_of: Vec<u32>,
    people: HashMap<String, u32>,
    messages_of: Vec<Vec<u32>>,
    refused: Vec<Refused>,
}

impl Ledger {
    /// How many messages this recipient had so far.
    pub(crate) fn messages_to(&self, recipient: &str) -> u32 {
        let person = self.people.get(recipient);
        person.map_or(0, |person| self.messages_of[*person as usize].len() as u32)
    }

    pub(crate) fn push(&mut self, message: Message) -> u32 {
        let number = self.messages.len() as u32;
        let person = *self
            .people
            .entry(message.recipient.clone())
            .or_insert_with(|| {
                self.messages_of.push(Vec::new());
                self.messages_of.len() as u32 - 1
            });
        self.messages_of[person as usize].push(number);
        self.person_of.push(person);
        self.messages.push(message);
        number
    }

    pub(crate) fn refuse(&mut self, refused: Refused) {
        self.refused.push(refused);
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Message> {
        self.messages.get(number as usize)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Message> {
        self.messages.get_mut(number as usize)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &Message)> {
        self.messages
            .iter()
            .enumerate()
            .map(|(number, message)| (number as u32, message))
    }

    /// The newest messages first, of everybody or of one recipient.
    pub(crate) fn newest(&self, to: Option<&str>, limit: usize) -> Vec<Value> {
        match to {
            None => self.messages.iter().rev().take(limit).map(line).collect(),
            Some(to) => {
                let person = self.people.get(to);
                let numbers = person.map(|person| self.messages_of[*person as usize].as_slice());
                numbers
                    .unwrap_or_default()
                    .iter()
                    .rev()
                    .take(limit)
                    .filter_map(|number| self.get(*number).map(line))
                    .collect()
            }
        }
    }

    /// The figures of the part of the ledger that `filter` selects.
    pub(crate) fn report(&self, filter: &Filter) -> Value {
        let of_number = |id: &str| {
            filter
                .phone_number_id
                .as_deref()
                .is_none_or(|want| want == id)
        };
        let in_time = |ms: i64| filter.since_ms.is_none_or(|since| ms >= since);

        let mut per_person = vec![0_u8; self.messages_of.len()];
        let mut confirmed = [0_u64; Step::ALL.len()];
        let (mut accepted, mut first, mut last) = (0_u64, i64::MAX, i64::MIN);
        for (message, person) in self.messages.iter().zip(&self.person_of) {
            if !in_time(message.arrived_us / 1000) || !of_number(&message.phone_number_id) {
                continue;
            }
            accepted += 1;
            first = first.min(message.arrived_us);
            last = last.max(message.arrived_us);
            let count = &mut per_person[*person as usize];
            *count = count.saturating_add(1);
            for step in Step::ALL {
                confirmed[step as usize] += u64::from(message.confirmed & step.bit() != 0);
            }
        }
        let mut refused = BTreeMap::<String, u64>::new();
        for refusal in &self.refused {
            if in_time(refusal.at_ms) && of_number(&refusal.phone_number_id) {
                *refused.entry(refusal.code.to_string()).or_default() += 1;
            }
        }
        let rate = if accepted > 1 && last > first {
            (accepted - 1) as f64 / ((last - first) as f64 / 1e6)
        } else {
            0.0
        };
        let statuses: BTreeMap<_, _> = Step::ALL
            .into_iter()
            .map(|step| (step.name(), confirmed[step as usize]))
            .collect();
        json!({
            "accepted": accepted,
            "recipients": per_person.iter().filter(|count| **count > 0).count(),
            "recipients_with_more_than_one": per_person.iter().filter(|count| **count > 1).count(),
            "refused": refused,
            "first_arrival_ms": (accepted > 0).then_some(first / 1000),
            "last_arrival_ms": (accepted > 0).then_some(last / 1000),
            "rate_per_second": rate,
            "statuses": statuses,
        })
    }
}

fn line(message: &Message) -> Value {
    // The furthest step wins; `Step` is declared in the order of a message's life.
    let reached = Step::ALL
        .into_iter()
        .rev()
        .find(|step| message.confirmed & step.bit() != 0);
    json!({
        "id": message.wamid,
        "phone_number_id": message.phone_number_id,
        "to": message.recipient,
        "type": message.kind,
        "template": message.template,
        "text": message.text,
        "biz_opaque_callback_data": message.callback_data,
        "accepted_ms": message.arrived_us / 1000,
        "status": reached.map_or("accepted", Step::name),
    })
}
