//! What arrived and what was refused, in order. It counts; it does not deliver.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fate::{Plan, Step};
use crate::people::Appearance;

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) wamid: String,
    pub(crate) phone_number_id: String,
    pub(crate) recipient: String,
    /// How the recipient appears, unless it is by their number.
    #[serde(default)]
    pub(crate) appearance: Option<Appearance>,
    pub(crate) kind: String,
    pub(crate) template: Option<String>,
    /// The pricing category, in the lower case of webhooks.
    pub(crate) category: String,
    /// What the recipient sees.
    pub(crate) text: String,
    /// The object that bears the kind's name; a template's is not kept, because campaigns send many.
    #[serde(default)]
    pub(crate) content: Option<Value>,
    /// The message that it quotes.
    #[serde(default)]
    pub(crate) context: Option<String>,
    pub(crate) callback_data: Option<String>,
    pub(crate) arrived_us: i64,
    /// How many messages its recipient had before.
    #[serde(default)]
    pub(crate) nth: u32,
    /// Whether it was written to somebody whose service window was closed.
    #[serde(default)]
    pub(crate) outside_window: bool,
    pub(crate) plan: Plan,
}

/// A message and how far its steps got.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Shared, so that whoever reads it does not hold up whoever writes.
    pub(crate) message: Arc<Message>,
    /// Steps the callback has confirmed, one bit each.
    pub(crate) confirmed: u8,
    /// Steps nobody will be told of: no subscription, or the retries ran out.
    pub(crate) dropped: u8,
}

/// A message that a person wrote.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inbound {
    pub(crate) id: String,
    pub(crate) phone_number_id: String,
    pub(crate) from: String,
    pub(crate) text: String,
    pub(crate) at_us: i64,
    /// The element of the webhook that told of it.
    pub(crate) message: Value,
}

/// A send that was not accepted, and the code or the fault that was in its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) at_ms: i64,
    pub(crate) phone_number_id: String,
    pub(crate) reason: String,
}

/// A message of a person that was marked as read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Receipt {
    pub(crate) phone_number_id: String,
    pub(crate) message_id: String,
    /// Whether the person was shown that somebody is typing.
    pub(crate) typing: bool,
    pub(crate) at_ms: i64,
}

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) entries: Vec<Entry>,
    /// The person each message went to, as a dense number, so that a report can count in an array.
    pub(crate) person_of: Vec<u32>,
    people: HashMap<String, u32>,
    messages_of: Vec<Vec<u32>>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) inbound: Vec<Inbound>,
    /// Not kept over a restart: nothing follows from them.
    pub(crate) receipts: Vec<Receipt>,
}

impl Message {
    /// How its recipient appears.
    pub(crate) fn appearance(&self) -> Appearance {
        let known = self.appearance.clone();
        known.unwrap_or_else(|| Appearance::of_number(&self.recipient))
    }

    /// Whether its recipient uses up the portfolio's messaging limit: only what reaches somebody
    /// outside a service window does.
    pub(crate) fn counts_for_tier(&self) -> bool {
        self.outside_window && self.plan.due(Step::Failed).is_none()
    }
}

impl Inbound {
    /// Meta's word for it.
    pub(crate) fn kind(&self) -> &str {
        self.message
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("text")
    }

    /// Whether it opens the customer service window: notices about the person, changes of earlier messages
    /// and reactions do not say anything (whether a reaction does is not documented).
    pub(crate) fn is_said(&self) -> bool {
        !matches!(self.kind(), "system" | "reaction" | "edit" | "revoke")
    }

    /// The message as the control plane lists it.
    pub(crate) fn line(&self) -> Value {
        json!({
            "id": self.id,
            "phone_number_id": self.phone_number_id,
            "from": self.from,
            "type": self.kind(),
            "message": self.message,
            "at_ms": self.at_us / 1000,
        })
    }
}

impl Entry {
    pub(crate) fn open_steps(&self) -> impl Iterator<Item = (Step, i64)> + '_ {
        let steps = self.message.plan.steps();
        steps.filter(|(step, _)| self.is_open(*step))
    }

    /// Whether a step is neither confirmed nor given up.
    pub(crate) fn is_open(&self, step: Step) -> bool {
        (self.confirmed | self.dropped) & step.bit() == 0
    }

    /// The furthest status the callback has confirmed.
    pub(crate) fn status(&self) -> &'static str {
        let reached = Step::STATUSES
            .into_iter()
            .rev()
            .find(|step| self.confirmed & step.bit() != 0);
        reached.map_or("accepted", Step::name)
    }

    /// The entry as the control plane lists it.
    pub(crate) fn line(&self, number: u32) -> Value {
        let message = &self.message;
        json!({
            "entry": number,
            "id": message.wamid,
            "phone_number_id": message.phone_number_id,
            "to": message.recipient,
            "type": message.kind,
            "template": message.template,
            "text": message.text,
            "content": message.content,
            "context": message.context,
            "biz_opaque_callback_data": message.callback_data,
            "accepted_ms": message.arrived_us / 1000,
            "arrived_us": message.arrived_us,
            "status": self.status(),
        })
    }
}

impl Ledger {
    /// How many messages this recipient had so far.
    pub(crate) fn messages_to(&self, recipient: &str) -> u32 {
        let person = self.people.get(recipient);
        person.map_or(0, |person| self.messages_of[*person as usize].len() as u32)
    }

    /// What a person wrote, by its id.
    pub(crate) fn heard(&self, id: &str) -> Option<&Inbound> {
        // Whoever refers to a message mostly means a recent one.
        self.inbound.iter().rev().find(|inbound| inbound.id == id)
    }

    /// What was sent to a person, oldest first, by its place in the ledger.
    pub(crate) fn sent_to(&self, person: &str) -> &[u32] {
        let person = self.people.get(person);
        person.map_or(&[], |person| self.messages_of[*person as usize].as_slice())
    }

    /// The kind of a message between a number and a person, in either direction, that is not older.
    pub(crate) fn kind_of(
        &self,
        number: &str,
        person: &str,
        id: &str,
        since_us: i64,
    ) -> Option<String> {
        let heard = self.heard(id).filter(|heard| {
            heard.phone_number_id == number && heard.from == person && heard.at_us >= since_us
        });
        if let Some(heard) = heard {
            return Some(heard.kind().to_owned());
        }
        let sent = self.sent_to(person).iter().rev();
        sent.filter_map(|entry| self.get(*entry))
            .map(|entry| &entry.message)
            .find(|sent| {
                sent.wamid == id && sent.phone_number_id == number && sent.arrived_us >= since_us
            })
            .map(|sent| sent.kind.clone())
    }

    /// How many people had messages.
    pub(crate) fn people(&self) -> usize {
        self.messages_of.len()
    }

    pub(crate) fn push(&mut self, entry: Entry) -> u32 {
        let number = self.entries.len() as u32;
        let recipient = &entry.message.recipient;
        let person = match self.people.get(recipient) {
            Some(person) => *person,
            None => {
                let person = self.messages_of.len() as u32;
                self.messages_of.push(Vec::new());
                self.people.insert(recipient.clone(), person);
                person
            }
        };
        self.messages_of[person as usize].push(number);
        self.person_of.push(person);
        self.entries.push(entry);
        number
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Entry> {
        self.entries.get_mut(number as usize)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.entries)
    }

    /// The newest messages first, of everybody or of one recipient.
    pub(crate) fn newest(&self, to: Option<&str>, limit: usize) -> Vec<(u32, Entry)> {
        match to {
            None => {
                let count = self.entries.len() as u32;
                let newest = (0..count).rev().zip(self.entries.iter().rev());
                newest
                    .take(limit)
                    .map(|(number, entry)| (number, entry.clone()))
                    .collect()
            }
            Some(to) => {
                let person = self.people.get(to);
                let numbers = person.map(|person| self.messages_of[*person as usize].as_slice());
                numbers
                    .unwrap_or_default()
                    .iter()
                    .rev()
                    .take(limit)
                    .filter_map(|number| Some((*number, self.get(*number)?.clone())))
                    .collect()
            }
        }
    }

    /// The oldest messages first, from an entry on.
    pub(crate) fn from(&self, first: u32, limit: usize) -> Vec<(u32, Entry)> {
        let rest = self.entries.get(first as usize..).unwrap_or_default();
        (first..).zip(rest.iter().take(limit).cloned()).collect()
    }
}
