//! What the parts of the simulator share: settings, clock, ledger, outbox and data file.
//!
//! Locks are taken in one order: the ledger before the outbox. What goes to the data file is
//! handed over while they are held, so that the file sees changes in the order they happened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::fate::{self, Step};
use crate::gauges::{Activity, Requests};
use crate::ids::{self, Origin};
use crate::ledger::{Ledger, Message, Refused};
use crate::messages::{Accepted, Throughput};
use crate::settings::Settings;
use crate::store::{Change, Restored, Store};
use crate::time::Time;
use crate::universe::{Number, STANDARD_LIMIT, Universe};
use crate::webhooks::{self, Inbound, Outbox, Webhook};

pub(crate) struct Core {
    settings: Mutex<Arc<Settings>>,
    pub(crate) time: Arc<dyn Time>,
    pub(crate) universe: Universe,
    pub(crate) client: reqwest::Client,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) outbox: Mutex<Outbox>,
    pub(crate) throughput: Mutex<Throughput>,
    pub(crate) requests: Requests,
    /// Tells the engine that there may be something new to do.
    pub(crate) wake: Notify,
    pub(crate) stopped: watch::Sender<bool>,
    unsubscribed: Mutex<HashMap<String, bool>>,
    traces: AtomicU64,
    store: Option<Store>,
}

/// A panic elsewhere must not stop the simulation of everything else.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const CALLBACK: &str = "callback_url";
const SUBSCRIBED: &str = "subscribed:";

impl Core {
    pub(crate) fn new(mut settings: Settings, time: Arc<dyn Time>) -> anyhow::Result<Self> {
        let (store, restored) = match &settings.data {
            Some(path) => {
                let (store, restored) = Store::open(path)?;
                (Some(store), restored)
            }
            None => (None, Restored::default()),
        };
        if settings.webhook_url.is_empty() {
            settings.webhook_url = restored.facts.get(CALLBACK).cloned().unwrap_or_default();
        }
        let unsubscribed = restored
            .facts
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(SUBSCRIBED)?, value == "false")))
            .map(|(waba, gone)| (waba.to_owned(), gone))
            .collect();
        let (ledger, outbox) = restored.into_ledger_and_outbox();
        // Meta follows no redirects, and a proxy of the machine is none of its business.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            settings: Mutex::new(Arc::new(settings)),
            time,
            universe: Universe::new(),
            client,
            ledger: Mutex::new(ledger),
            outbox: Mutex::new(outbox),
            throughput: Mutex::default(),
            requests: Requests::default(),
            wake: Notify::new(),
            stopped: watch::Sender::new(false),
            unsubscribed: Mutex::new(unsubscribed),
            traces: AtomicU64::new(0),
            store,
        })
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    /// Changes the settings for everything that happens from now on.
    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        {
            let mut settings = lock(&self.settings);
            change(Arc::make_mut(&mut settings));
        }
        self.wake.notify_one();
    }

    /// Sends webhooks to `url` from now on, also after a restart.
    pub(crate) fn set_callback(&self, url: &str, verify_token: &str) {
        self.record(|| Change::Fact(CALLBACK.into(), url.into()));
        self.change_settings(|settings| {
            settings.webhook_url = url.into();
            settings.verify_token = verify_token.into();
        });
    }

    pub(crate) fn limit(&self, number: &str) -> u32 {
        let limit = self.settings().limits.get(number).copied();
        limit.unwrap_or(STANDARD_LIMIT)
    }

    pub(crate) fn is_subscribed(&self, waba: &str) -> bool {
        !lock(&self.unsubscribed).get(waba).copied().unwrap_or(false)
    }

    pub(crate) fn subscribe(&self, waba: &str, subscribed: bool) {
        lock(&self.unsubscribed).insert(waba.to_owned(), !subscribed);
        self.record(|| Change::Fact(format!("{SUBSCRIBED}{waba}"), subscribed.to_string()));
    }

    pub(crate) fn next_trace(&self) -> u64 {
        self.traces.fetch_add(1, Ordering::Relaxed)
    }

    /// Enters a message and everything that will be told of it; returns its id.
    pub(crate) fn accept(
        &self,
        number: &Number,
        accepted: Accepted,
        arrived_us: i64,
        answered_ms: i64,
    ) -> String {
        let settings = self.settings();
        let mut ledger = lock(&self.ledger);
        let nth = ledger.messages_to(&accepted.recipient);
        let wamid = ids::wamid(&Origin {
            seed: settings.seed,
            phone_number_id: number.id,
            person: &accepted.recipient,
            at_us: arrived_us,
            nth: u64::from(nth),
        });
        let (seed, timing) = (settings.seed, &settings.timing);
        let plan = fate::plan(seed, &accepted.recipient, nth, timing, answered_ms);
        let message = Message {
            wamid: wamid.clone(),
            phone_number_id: number.id.to_owned(),
            recipient: accepted.recipient,
            kind: accepted.kind,
            template: accepted.template,
            category: accepted.category,
            text: accepted.text,
            callback_data: accepted.callback_data,
            arrived_us,
            plan,
            confirmed: 0,
            dropped: 0,
        };
        let steps: Vec<_> = message.plan.steps().collect();
        let kept = self.store.is_some().then(|| message.clone());
        let entry = ledger.push(message);
        if let Some(message) = kept {
            self.record(|| Change::Accepted(entry, Box::new(message)));
        }
        let mut outbox = lock(&self.outbox);
        for (step, due_ms) in steps {
            outbox.schedule(entry, step, due_ms);
        }
        drop((outbox, ledger));
        self.wake.notify_one();
        wamid
    }

    pub(crate) fn refused(&self, phone_number_id: &str, code: u32, at_ms: i64) {
        let refused = Refused {
            at_ms,
            phone_number_id: phone_number_id.to_owned(),
            code,
        };
        let mut ledger = lock(&self.ledger);
        self.record(|| Change::Refused(refused.clone()));
        ledger.refuse(refused);
    }

    /// A customer writes to `number`; returns the id of their message.
    pub(crate) fn receive(&self, number: &Number, from: &str, name: &str, text: &str) -> String {
        let now_us = self.time.now_us();
        lock(&self.throughput).count(number.id, now_us);
        let id = ids::wamid(&Origin {
            seed: self.settings().seed,
            phone_number_id: number.id,
            person: from,
            at_us: now_us,
            nth: self.next_trace(),
        });
        if self.is_subscribed(number.waba) {
            let at_ms = now_us / 1000;
            let inbound = Inbound {
                from,
                name,
                id: &id,
                text,
                at_ms,
            };
            let body = webhooks::of_inbound(number, &inbound);
            let mut outbox = lock(&self.outbox);
            let webhook = outbox.add(body, Vec::new(), at_ms);
            // Unlike a status it cannot be planned again, so the file has it from the start.
            webhook.kept = true;
            self.keep(webhook, at_ms);
            drop(outbox);
            self.wake.notify_one();
        }
        id
    }

    /// Marks steps as told, or as never to be told.
    pub(crate) fn close_steps(&self, ledger: &mut Ledger, steps: &[(u32, Step)], told: bool) {
        for (entry, step) in steps {
            if let Some(message) = ledger.get_mut(*entry) {
                let mask = if told {
                    &mut message.confirmed
                } else {
                    &mut message.dropped
                };
                *mask |= step.bit();
            }
        }
        self.record(|| Change::Closed(steps.to_vec(), told));
    }

    pub(crate) fn keep(&self, webhook: &Webhook, next_ms: i64) {
        self.record(|| Change::Keep(webhook.clone(), next_ms));
    }

    pub(crate) fn forget(&self, webhook: u64) {
        self.record(|| Change::Forget(webhook));
    }

    /// Empties the ledger and everything that waits. What is being answered now is forgotten too.
    pub(crate) fn reset(&self) {
        let mut ledger = lock(&self.ledger);
        lock(&self.outbox).clear();
        *ledger = Ledger::default();
        self.record(|| Change::Reset);
    }

    pub(crate) fn activity(&self) -> Activity {
        let settings = self.settings();
        let now_ms = self.time.now_ms();
        let (requests_running, requests_waiting) = self.requests.count(now_ms);
        let outbox = lock(&self.outbox);
        Activity {
            requests_running,
            requests_waiting,
            deliveries_running: if settings.webhook_url.is_empty() {
                outbox.open()
            } else {
                outbox.running(now_ms, settings.webhooks.gather())
            },
            undelivered: outbox.undelivered(),
        }
    }

    /// Writes what is left and closes the data file. Blocks, but only as long as that takes.
    pub(crate) fn close(&self) {
        self.stopped.send_replace(true);
        if let Some(store) = &self.store {
            store.close();
        }
    }

    fn record(&self, change: impl FnOnce() -> Change) {
        if let Some(store) = &self.store {
            store.record(change());
        }
    }
}
