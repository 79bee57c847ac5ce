//! What arrives is entered here: accepted messages with everything that will be told of them,
//! refused sends, and what people write.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::core::{Core, lock};
use crate::fate::{self, Cause, Subject};
use crate::ids::{self, Origin};
use crate::ledger::{Entry, Inbound, Ledger, Message, Receipt, Refused};
use crate::people::{Appearance, Habit};
use crate::settings::Settings;
use crate::store::Change;
use crate::universe::{Number, PORTFOLIO};
use crate::webhooks::{self, Outbox, Said};

/// What is kept of a send that passed.
pub(crate) struct Accepted {
    pub(crate) recipient: String,
    pub(crate) appearance: Option<Appearance>,
    pub(crate) reads: Habit,
    pub(crate) plays: Habit,
    pub(crate) kind: String,
    pub(crate) template: Option<String>,
    pub(crate) category: String,
    pub(crate) text: String,
    pub(crate) content: Option<Value>,
    pub(crate) context: Option<String>,
    pub(crate) callback_data: Option<String>,
    pub(crate) outside_window: bool,
    pub(crate) arrived_us: i64,
    pub(crate) answered_ms: i64,
    pub(crate) cause: Cause,
}

/// What a person does.
pub(crate) struct Utterance<'a> {
    pub(crate) from: &'a str,
    pub(crate) appearance: &'a Appearance,
    pub(crate) said: Said<'a>,
    /// The id of the message they answer or press a button of.
    pub(crate) context: Option<&'a str>,
}

impl Core {
    /// Enters a message and everything that will be told of it; returns its id.
    pub(crate) fn accept(
        &self,
        settings: &Settings,
        number: &Number,
        accepted: Accepted,
    ) -> String {
        let mut ledger = lock(&self.ledger);
        let nth = ledger.messages_to(&accepted.recipient);
        let wamid = ids::wamid(&Origin {
            seed: settings.seed,
            phone_number_id: number.id,
            person: &accepted.recipient,
            at_us: accepted.arrived_us,
            nth: u64::from(nth),
        });
        let subject = Subject {
            settings,
            recipient: &accepted.recipient,
            nth,
            is_template: accepted.template.is_some(),
            is_reaction: accepted.kind == "reaction",
            is_voice: is_voice(accepted.content.as_ref()),
            reads: accepted.reads,
            plays: accepted.plays,
            arrived_ms: accepted.arrived_us / 1000,
            answered_ms: accepted.answered_ms,
        };
        let plan = fate::plan(&subject, accepted.cause);
        let message = Arc::new(Message {
            wamid: wamid.clone(),
            phone_number_id: number.id.to_owned(),
            recipient: accepted.recipient,
            appearance: accepted.appearance,
            kind: accepted.kind,
            template: accepted.template,
            category: accepted.category,
            text: accepted.text,
            content: accepted.content,
            context: accepted.context,
            callback_data: accepted.callback_data,
            arrived_us: accepted.arrived_us,
            nth,
            outside_window: accepted.outside_window,
            plan,
        });
        let entry = ledger.push(Entry {
            message: Arc::clone(&message),
            confirmed: 0,
            dropped: 0,
        });
        self.record(|| Change::Accepted(entry, Arc::clone(&message)));
        let mut outbox = lock(&self.outbox);
        for (step, due_ms) in message.plan.steps() {
            let held_ms = webhooks::held_back(settings, &message, step);
            outbox.schedule(entry, step, due_ms + held_ms);
        }
        if let Some(reply) = message.plan.reply {
            outbox.expect_reply(entry, reply.at_ms);
        }
        if message.counts_for_tier() {
            let mut limits = lock(&self.limits);
            let at_ms = message.arrived_us / 1000;
            limits
                .portfolios
                .count(PORTFOLIO, &message.recipient, at_ms);
        }
        drop((outbox, ledger));
        self.wake.notify_one();
        wamid
    }

    /// Enters a send that was not accepted.
    pub(crate) fn refused(&self, phone_number_id: &str, reason: String, at_ms: i64) {
        let refused = Refused {
            at_ms,
            phone_number_id: phone_number_id.to_owned(),
            reason,
        };
        let mut ledger = lock(&self.ledger);
        self.record(|| Change::Refused(refused.clone()));
        ledger.refused.push(refused);
    }

    /// Enters that a message of a person was marked as read.
    pub(crate) fn marked_read(&self, receipt: Receipt) {
        lock(&self.ledger).receipts.push(receipt);
    }

    /// A person writes to `number`; returns the id of their message.
    pub(crate) fn receive(&self, number: &Number, utterance: &Utterance<'_>) -> String {
        let mut ledger = lock(&self.ledger);
        let mut outbox = lock(&self.outbox);
        let id = self.enter(&mut ledger, &mut outbox, number, utterance);
        drop((outbox, ledger));
        self.wake.notify_one();
        id
    }

    /// Lets everybody answer who does so by now.
    pub(crate) fn receive_replies(&self) {
        let now_ms = self.time.now_ms();
        let mut ledger = lock(&self.ledger);
        let mut outbox = lock(&self.outbox);
        while let Some(entry) = outbox.take_reply(now_ms) {
            let Some(message) = ledger.get(entry).map(|entry| Arc::clone(&entry.message)) else {
                continue;
            };
            let (Some(number), Some(reply)) = (
                self.universe.number(&message.phone_number_id),
                message.plan.reply,
            ) else {
                continue;
            };
            let said = if reply.stop { "STOP" } else { "Thank you!" };
            let appearance = message.appearance();
            let utterance = Utterance {
                from: &message.recipient,
                appearance: &appearance,
                said: Said::Text(said),
                context: None,
            };
            self.enter(&mut ledger, &mut outbox, number, &utterance);
            self.close_steps(&mut ledger, &[(entry, fate::Step::Replied)], true);
        }
    }

    /// Tells the callback something about an account, if the app is subscribed to it.
    pub(crate) fn tell(&self, waba: &str, body: Bytes) {
        if !self.is_subscribed(waba) {
            return;
        }
        let now_ms = self.time.now_ms();
        let mut outbox = lock(&self.outbox);
        self.add_kept(&mut outbox, body, now_ms);
        drop(outbox);
        self.wake.notify_one();
    }

    /// Unlike a status it cannot be planned again, so the file has it from the start.
    fn add_kept(&self, outbox: &mut Outbox, body: Bytes, now_ms: i64) {
        let webhook = outbox.add(body, Vec::new(), now_ms);
        webhook.kept = true;
        self.keep(webhook, now_ms);
    }

    fn enter(
        &self,
        ledger: &mut Ledger,
        outbox: &mut Outbox,
        number: &Number,
        utterance: &Utterance<'_>,
    ) -> String {
        let settings = self.settings();
        let at_us = self.time.now_us();
        let nth = ledger.inbound.len() as u32;
        let id = ids::wamid(&Origin {
            seed: settings.seed,
            phone_number_id: number.id,
            person: utterance.from,
            at_us,
            nth: u64::from(nth),
        });
        let message = webhooks::element(number, utterance, &id, at_us / 1000);
        let inbound = Inbound {
            id: id.clone(),
            phone_number_id: number.id.to_owned(),
            from: utterance.from.to_owned(),
            text: utterance.said.text().to_owned(),
            at_us,
            message: message.clone(),
        };
        let said = inbound.is_said();
        lock(&self.limits).heard(number.id, utterance.from, at_us, said);
        self.record(|| Change::Inbound(inbound.clone()));
        ledger.inbound.push(inbound);
        if self.is_subscribed(number.waba) {
            let at_ms = at_us / 1000;
            let body = webhooks::of_inbound(number, utterance.appearance, &message);
            let what = [utterance.from, "wrote"];
            if let Some(again_ms) = webhooks::told_again(&settings, nth, what, at_ms) {
                outbox.repeat(body.clone(), again_ms);
            }
            self.add_kept(outbox, body, at_ms);
        }
        id
    }
}

/// Whether a message is something spoken, which can be listened to.
pub(crate) fn is_voice(content: Option<&Value>) -> bool {
    let voice = content.and_then(|content| content.get("voice")?.as_bool());
    voice == Some(true)
}
