//! Meta's webhooks: taken in at once, worked on later.
//!
//! [`ingest`] verifies and queues, nothing else, because Meta expects an answer within milliseconds
//! and there is no way to ask for a missed webhook. [`process`] parses everything, applies each
//! event by itself, and keeps the body for some days.

mod bodies;
mod door;

use std::collections::HashMap;

use domain::campaign::RecipientRef;
use domain::chat::MessageRef;
use domain::contact::{Consent, ConsentChange, ConsentSource};
use domain::event::{
    AccountEvent, ChannelEvent, EventKind, InboundMessage, NumberEvent, Preference, StatusUpdate,
    TemplateEvent,
};
use domain::id::WorkspaceId;
use jiff::Timestamp;

use crate::channel::{self, Route};
use crate::task::Webhook;
use crate::{App, Error, campaign, chat, contact, inbound, template};

pub use bodies::{Collector, Replayed, replay};
pub use door::{BODY_MAX, handshake, handshake_at, ingest, ingest_at};

/// Applies everything a body says. What cannot be applied holds up nothing else.
///
/// # Errors
/// The store cannot be reached; applying the body again is harmless.
pub async fn process(app: App, task: Webhook) -> Result<(), Error> {
    let raw = door::unpacked(&app, &task.content).await?;
    // Both are done whatever becomes of the other: a body that cannot be applied is the one worth keeping.
    let (kept, applied) = tokio::join!(
        bodies::keep(&app, &task, &raw),
        Box::pin(apply(&app, &task, &raw)),
    );
    applied.and(kept)
}

async fn apply(app: &App, task: &Webhook, raw: &[u8]) -> Result<(), Error> {
    let events = whatsapp::webhook::parse(raw)
        .map_err(|error| Error::internal("a signed webhook body cannot be parsed", error))?;
    let mut told = Told::new(task.received_at.unwrap_or_else(|| app.now()));
    let mut routes = Routes::new(app, task);
    for event in events {
        match event.kind {
            kind @ (EventKind::Template(_) | EventKind::Number(_) | EventKind::Account(_)) => {
                told.sort_account(routes.of_waba(&event.waba_id).await?, kind);
            }
            EventKind::Other { field, .. } => {
                tracing::debug!(field, "an event is kept and not acted on");
            }
            _ => {
                if let Some(route) = routes.of(&event).await? {
                    told.sort(route, event.kind);
                }
            }
        }
    }
    told.apply(app).await
}

/// Whom the events of one body concern. A body that a customer's own app signed speaks for that
/// customer's workspace alone.
struct Routes<'a> {
    app: &'a App,
    sender: Option<&'a Route>,
    numbers: HashMap<String, Option<Route>>,
    accounts: HashMap<String, Vec<Route>>,
}

impl<'a> Routes<'a> {
    fn new(app: &'a App, task: &'a Webhook) -> Self {
        Self {
            app,
            sender: task.sender.as_ref(),
            numbers: HashMap::new(),
            accounts: HashMap::new(),
        }
    }

    fn may_speak_for(&self, route: &Route) -> bool {
        let sender = self.sender;
        sender.is_none_or(|sender| sender.workspace == route.workspace)
    }

    /// By the number; without one, by the account when it has a single number.
    async fn of(&mut self, event: &ChannelEvent) -> Result<Option<Route>, Error> {
        let Some(number) = &event.phone_number_id else {
            let routes = self.of_waba(&event.waba_id).await?;
            let [only] = routes.as_slice() else {
                return Ok(None);
            };
            return Ok(Some(only.clone()));
        };
        if let Some(known) = self.numbers.get(number) {
            return Ok(known.clone());
        }
        let route = channel::route(self.app, number).await?;
        let route = route.filter(|route| self.may_speak_for(route));
        self.numbers.insert(number.clone(), route.clone());
        Ok(route)
    }

    async fn of_waba(&mut self, waba_id: &str) -> Result<Vec<Route>, Error> {
        if let Some(known) = self.accounts.get(waba_id) {
            return Ok(known.clone());
        }
        let mut routes = channel::of_waba(self.app, waba_id).await?;
        routes.retain(|route| self.may_speak_for(route));
        self.accounts.insert(waba_id.to_owned(), routes.clone());
        Ok(routes)
    }
}

/// What a body tells, sorted by whom it concerns.
struct Told {
    /// When the body came in, for news that do not say when they happened.
    received_at: Timestamp,
    /// What became of messages of campaigns.
    recipients: HashMap<WorkspaceId, Vec<(RecipientRef, StatusUpdate)>>,
    /// And of chats.
    chats: HashMap<WorkspaceId, Vec<(MessageRef, StatusUpdate)>>,
    /// People who stopped messages of the business, by the id Meta names them with.
    stopped: Vec<(WorkspaceId, String, Timestamp)>,
    preferences: Vec<(WorkspaceId, Preference)>,
    messages: HashMap<Route, Vec<InboundMessage>>,
    templates: Vec<(Vec<Route>, TemplateEvent)>,
    numbers: Vec<(Vec<Route>, NumberEvent)>,
    accounts: Vec<(Vec<Route>, AccountEvent)>,
}

impl Told {
    fn new(received_at: Timestamp) -> Self {
        Self {
            received_at,
            recipients: HashMap::new(),
            chats: HashMap::new(),
            stopped: Vec::new(),
            preferences: Vec::new(),
            messages: HashMap::new(),
            templates: Vec::new(),
            numbers: Vec::new(),
            accounts: Vec::new(),
        }
    }

    fn sort_account(&mut self, routes: Vec<Route>, kind: EventKind) {
        match kind {
            EventKind::Template(event) => self.templates.push((routes, event)),
            EventKind::Number(event) => self.numbers.push((routes, event)),
            EventKind::Account(event) => self.accounts.push((routes, event)),
            _ => {}
        }
    }

    fn sort(&mut self, route: Route, kind: EventKind) {
        match kind {
            EventKind::Status(update) => {
                let stopped =
                    update.error.as_ref().map(|error| error.code) == Some(whatsapp::STOPPED);
                if let Some(person) = update.recipient.clone().filter(|_| stopped) {
                    let workspace = route.workspace.clone();
                    self.stopped.push((workspace, person, update.at));
                }
                // Without our callback data the message was sent by another of Meta's tools.
                let data = update.callback_data.clone().unwrap_or_default();
                if let Ok(recipient) = data.parse() {
                    let updates = self.recipients.entry(route.workspace).or_default();
                    updates.push((recipient, update));
                } else if let Ok(message) = data.parse() {
                    let updates = self.chats.entry(route.workspace).or_default();
                    updates.push((message, update));
                }
            }
            EventKind::NumberErrors(errors) => {
                let codes: Vec<i64> = errors.iter().map(|error| error.code).collect();
                tracing::warn!(channel = %route.channel, ?codes, "Meta reports errors of a number");
            }
            EventKind::Message(message) => {
                self.messages.entry(route).or_default().push(message);
            }
            EventKind::Preference(preference) => {
                self.preferences.push((route.workspace, preference));
            }
            _ => {}
        }
    }

    /// Each by itself, and none of them holds up another. What stops campaigns comes first, and
    /// statuses before messages: a message may answer what a status of the same body makes known.
    async fn apply(self, app: &App) -> Result<(), Error> {
        let mut result = Ok(());
        for (routes, event) in self.accounts {
            let at = event.at.unwrap_or(self.received_at);
            result = result.and(channel::health::account(app, &routes, &event, at).await);
        }
        for (routes, event) in self.templates {
            let at = event.at.unwrap_or(self.received_at);
            result = result.and(of_template(app, &routes, &event, at).await);
        }
        for (routes, event) in self.numbers {
            let at = event.at.unwrap_or(self.received_at);
            result = result.and(channel::health::number(app, &routes, &event, at).await);
        }
        for (workspace, updates) in self.recipients {
            let applied = campaign::status::apply(app, &workspace, updates).await;
            result = result.and(applied);
        }
        for (workspace, updates) in self.chats {
            result = result.and(chat::status::apply(app, &workspace, updates).await);
        }
        for (workspace, person, at) in self.stopped {
            let stopped = Consent::OptedOut;
            result = result.and(wish(app, &workspace, &person, stopped, at).await);
        }
        for (
            workspace,
            Preference {
                person,
                stopped,
                at,
            },
        ) in self.preferences
        {
            let wished = match stopped {
                true => Consent::OptedOut,
                false => Consent::Subscribed,
            };
            result = result.and(wish(app, &workspace, &person, wished, at).await);
        }
        for (route, messages) in self.messages {
            result = result.and(inbound::take_in(app, &route, messages).await);
        }
        result
    }
}

/// A person told WhatsApp whether they want messages of this business.
async fn wish(
    app: &App,
    workspace: &WorkspaceId,
    person: &str,
    wished: Consent,
    at: Timestamp,
) -> Result<(), Error> {
    let scope = app.store.workspace(workspace);
    let Some(contact) = contact::by_wa_id(app, scope, person).await? else {
        return Ok(());
    };
    let made = ConsentChange {
        at,
        source: ConsentSource::Whatsapp,
    };
    contact::wish(app, scope, contact, wished, made, None).await
}

/// A template is stored once for each workspace, however many of the account's numbers it has.
async fn of_template(
    app: &App,
    routes: &[Route],
    event: &TemplateEvent,
    at: Timestamp,
) -> Result<(), Error> {
    let mut result = Ok(());
    for (place, route) in routes.iter().enumerate() {
        let earlier = &routes[..place];
        if earlier.iter().any(|it| it.workspace == route.workspace) {
            continue;
        }
        let scope = app.store.workspace(&route.workspace);
        let heard = template::heard(app, scope, &route.channel, event, at).await;
        result = result.and(heard);
    }
    result
}
