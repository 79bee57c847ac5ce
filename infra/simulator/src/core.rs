//! What the parts of the simulator share: settings, clock, ledger, outbox, limits and data file.
//! What arrives is entered in [`crate::arrivals`].
//!
//! Locks are taken in one order: the ledger before the outbox before the limits; the others are
//! held alone. What goes to the data file is handed over while they are held, so that the file
//! sees changes in the order they happened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::fate::Step;
use crate::faults::Rules;
use crate::gauges::{Activity, Requests};
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::media::Library;
use crate::people::{Appearance, People, Person};
use crate::settings::Settings;
use crate::store::{Change, Restored, Store};
use crate::time::Time;
use crate::universe::{PORTFOLIO, Universe};
use crate::webhooks::{Callbacks, Outbox, Signing, Webhook};

pub(crate) struct Core {
    settings: Mutex<Arc<Settings>>,
    pub(crate) time: Arc<dyn Time>,
    pub(crate) universe: Universe,
    pub(crate) client: reqwest::Client,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) outbox: Mutex<Outbox>,
    pub(crate) limits: Mutex<Limits>,
    pub(crate) rules: Mutex<Rules>,
    pub(crate) signing: Mutex<Signing>,
    pub(crate) callbacks: Mutex<Callbacks>,
    pub(crate) media: Mutex<Library>,
    pub(crate) people: Mutex<People>,
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
const OVERRIDE: &str = "override:";
const OWN_CALLBACK: &str = "own_callback:";
const PERSON: &str = "person:";

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
        let mut callbacks = Callbacks::default();
        for (name, url) in restored.facts.iter().filter(|(_, url)| !url.is_empty()) {
            if let Some(waba) = name.strip_prefix(OVERRIDE) {
                callbacks.set_override(waba, Some(url));
            } else if let Some(waba) = name.strip_prefix(OWN_CALLBACK) {
                callbacks.set_own(waba, Some(url));
            }
        }
        let known = restored.facts.iter().filter_map(|(name, value)| {
            let number = name.strip_prefix(PERSON)?;
            Some((number.to_owned(), serde_json::from_str(value).ok()?))
        });
        let people = People::new(settings.seed, known);
        let mut media = Library::default();
        for file in &restored.media {
            media.restore(Arc::clone(file));
        }
        let (ledger, outbox) = restored.into_ledger_and_outbox();
        let limits = used_up(&ledger, settings.pair_limiter);
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
            limits: Mutex::new(limits),
            rules: Mutex::default(),
            signing: Mutex::default(),
            callbacks: Mutex::new(callbacks),
            media: Mutex::new(media),
            people: Mutex::new(people),
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

    /// Whether anything can be delivered at all.
    pub(crate) fn delivers(&self, settings: &Settings) -> bool {
        !settings.webhook_url.is_empty() || !lock(&self.callbacks).is_empty()
    }

    /// Sends an account's messages to `url` instead, also after a restart.
    pub(crate) fn set_override(&self, waba: &str, url: Option<&str>) {
        let kept = url.unwrap_or_default().to_owned();
        self.record(|| Change::Fact(format!("{OVERRIDE}{waba}"), kept));
        lock(&self.callbacks).set_override(waba, url);
        self.wake.notify_one();
    }

    /// The callback of the app that an account is under, where it is not the simulated one.
    pub(crate) fn set_own_callback(&self, waba: &str, url: &str) {
        self.record(|| Change::Fact(format!("{OWN_CALLBACK}{waba}"), url.to_owned()));
        lock(&self.callbacks).set_own(waba, Some(url));
        self.wake.notify_one();
    }

    /// Changes what a person is like, also after a restart.
    pub(crate) fn change_person(&self, number: &str, change: impl FnOnce(&mut Person)) -> Person {
        let mut people = lock(&self.people);
        let mut person = people.get(number);
        change(&mut person);
        people.put(number, person.clone());
        let fact = serde_json::json!(person).to_string();
        self.record(|| Change::Fact(format!("{PERSON}{number}"), fact));
        person
    }

    /// How a person appears to businesses.
    pub(crate) fn appearance(&self, number: &str) -> Appearance {
        let known = lock(&self.people).appearance(number);
        known.unwrap_or_else(|| Appearance::of_number(number))
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

    /// Marks steps as told, or as never to be told.
    pub(crate) fn close_steps(&self, ledger: &mut Ledger, steps: &[(u32, Step)], told: bool) {
        if steps.is_empty() {
            return;
        }
        for (number, step) in steps {
            if let Some(entry) = ledger.get_mut(*number) {
                let mask = if told {
                    &mut entry.confirmed
                } else {
                    &mut entry.dropped
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

    /// Empties the ledger, everything that waits, and what limits have counted but for the last
    /// second. What is being answered now is forgotten too. Settings, switches, rules, media
    /// and people stay.
    pub(crate) fn reset(&self) {
        let mut ledger = lock(&self.ledger);
        lock(&self.outbox).clear();
        *ledger = Ledger::default();
        lock(&self.limits).forget();
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
            deliveries_running: usize::from(outbox.is_reply_due(now_ms))
                + if !self.delivers(&settings) {
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

    pub(crate) fn record(&self, change: impl FnOnce() -> Change) {
        if let Some(store) = &self.store {
            store.record(change());
        }
    }
}

/// What the messages of a former life have used up. Its last second is over.
fn used_up(ledger: &Ledger, pair_limiter: bool) -> Limits {
    let mut limits = Limits::default();
    for inbound in ledger.inbound.iter().filter(|inbound| inbound.is_said()) {
        limits.heard_before(&inbound.phone_number_id, &inbound.from, inbound.at_us);
    }
    for (_, entry) in ledger.all() {
        let message = &entry.message;
        if pair_limiter {
            limits.sent_before(
                &message.phone_number_id,
                &message.recipient,
                message.arrived_us,
            );
        }
        if message.counts_for_tier() {
            let at_ms = message.arrived_us / 1000;
            limits
                .portfolios
                .count(PORTFOLIO, &message.recipient, at_ms);
        }
    }
    limits
}
