//! `POST /{phone}/messages`: the checks a send passes, in Meta's order, and what becomes of it.

mod content;
mod envelope;
mod filling;
mod interactive;
mod parameters;
mod source;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::arrivals::Accepted;
use crate::core::{Core, lock};
use crate::fate::Cause;
use crate::faults::{Effect, Seen, Transport, scenario};
use crate::graph::Refusal;
use crate::ids::{self, Origin};
use crate::ledger::Receipt;
use crate::limits::Broken;
use crate::people::Appearance;
use crate::settings::{Channel, Settings};
use crate::template::Template;
use crate::universe::{Number, PORTFOLIO};

/// A send on its way through the checks.
pub(crate) struct Sending<'a> {
    core: &'a Core,
    settings: Arc<Settings>,
    number: &'a Number,
    body: &'a Map<String, Value>,
    /// The template it names, if there is one.
    template: Option<&'a Template>,
    /// The digits of the number that it is for, if it says so in an understandable way.
    recipient: Option<String>,
    arrived_us: i64,
}

/// An answer, and how it gets to the client.
pub(crate) struct Answer {
    pub(crate) body: Value,
    pub(crate) transport: Transport,
}

/// How long a message can be referred to: quoted, reacted to, marked as read.
const REFERRED_US: i64 = 30 * 24 * 3_600_000_000;

type Check = fn(&Sending<'_>) -> Result<(), Refusal>;

/// The checks of a send's own content, in the order Meta makes them; the first refusal is the
/// answer. Token and asset were checked before, the state of the account too; rules and limits
/// come after, because what was refused for another reason uses up nothing.
const CHECKS: &[Check] = &[
    envelope::is_well_formed,
    envelope::has_a_recipient,
    content::is_complete,
    parameters::template_exists,
    parameters::template_may_be_sent,
    parameters::components_are_known,
    parameters::header_matches,
    parameters::body_matches,
    parameters::buttons_match,
    parameters::filled_body_fits,
];

impl<'a> Sending<'a> {
    fn new(
        core: &'a Core,
        settings: Arc<Settings>,
        number: &'a Number,
        body: &'a Map<String, Value>,
        arrived_us: i64,
    ) -> Self {
        let mut sending = Self {
            core,
            settings,
            number,
            body,
            template: None,
            recipient: None,
            arrived_us,
        };
        sending.template = sending.named_template();
        sending.recipient = envelope::recipient(&sending);
        sending
    }

    fn text(&self, field: &str) -> Option<&'a str> {
        self.body.get(field)?.as_str()
    }

    /// The message's type; Meta takes a missing one for text.
    fn kind(&self) -> &'a str {
        self.text("type").unwrap_or("text")
    }

    fn is_receipt(&self) -> bool {
        self.body.contains_key("status")
    }

    /// The `template` object of a template message.
    fn template_body(&self) -> Option<&'a Value> {
        (self.kind() == "template" && !self.is_receipt())
            .then(|| self.body.get("template"))
            .flatten()
    }

    fn named_template(&self) -> Option<&'a Template> {
        let body = self.template_body()?;
        let name = body.get("name")?.as_str()?;
        let language = body.get("language")?.get("code")?.as_str()?;
        let waba = self.number.waba;
        let template = self.core.universe.template(waba, name, language)?;
        (self.status_of(template) != "DELETED").then_some(template)
    }

    fn status_of<'b>(&'b self, template: &'b Template) -> &'b str {
        let switches = &self.settings.switches;
        switches.template_status(template.name, template.status)
    }
}

/// Takes a message or a receipt. An accepted message is in the ledger before its answer waits, so
/// that a caller who hangs up has sent it all the same.
pub(crate) async fn send(
    core: &Core,
    phone_number_id: &str,
    body: &[u8],
    arrived_us: i64,
) -> Result<Answer, Refusal> {
    let settings = core.settings();
    let number = core
        .universe
        .number(phone_number_id)
        .ok_or_else(|| Refusal::no_such_object(phone_number_id))?;
    may_send(&settings, number)?;
    let body: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(100, format!("The body is not a JSON object: {error}")))?;
    let sending = Sending::new(core, settings, number, &body, arrived_us);
    for check in CHECKS {
        check(&sending)?;
    }
    let latency = sending.settings.answer_latency_ms;
    let answered_ms = arrived_us / 1000 + i64::try_from(latency).unwrap_or(0);
    let answer = if sending.is_receipt() {
        core.marked_read(Receipt {
            phone_number_id: number.id.to_owned(),
            message_id: sending.text("message_id").unwrap_or_default().to_owned(),
            typing: sending.body.contains_key("typing_indicator"),
            at_ms: arrived_us / 1000,
        });
        Answer {
            body: json!({"success": true}),
            transport: Transport::Whole,
        }
    } else {
        take(&sending, answered_ms)?
    };
    core.requests.wait(core.time.as_ref(), answered_ms).await;
    Ok(answer)
}

/// The state of the account and of the number.
fn may_send(settings: &Settings, number: &Number) -> Result<(), Refusal> {
    let switches = &settings.switches;
    if switches.locked.contains(number.waba) {
        return Err(Refusal::told(131_031, None));
    }
    if switches.maintenance.contains(number.id) {
        return Err(Refusal::told(131_057, None));
    }
    Ok(())
}

/// Lets rules and limits have their say about a message that is in order, and enters it.
fn take(sending: &Sending<'_>, answered_ms: i64) -> Result<Answer, Refusal> {
    let input = sending.text("to").or(sending.text("recipient"));
    let input = input.unwrap_or_default();
    let recipient = sending.recipient.clone().unwrap_or_default();
    let effect = fault(sending, &recipient);
    if let Some(refusal) = effect.and_then(Effect::refusal) {
        return Err(refusal);
    }
    let transport = effect.map_or(Transport::Whole, Effect::transport);
    if let Some(effect) = effect.filter(|effect| !effect.accepts()) {
        let core = sending.core;
        let at_ms = sending.arrived_us / 1000;
        core.refused(sending.number.id, effect.name().to_owned(), at_ms);
        let id = ids::wamid(&Origin {
            seed: sending.settings.seed,
            phone_number_id: sending.number.id,
            person: &recipient,
            at_us: sending.arrived_us,
            nth: u64::MAX,
        });
        let body = answer(sending, input, &recipient, &id, effect);
        return Ok(Answer { body, transport });
    }
    let (outside_window, limited) = limit(sending, &recipient)?;
    let cause = effect.and_then(Effect::cause).or(limited);
    let template = sending.template;
    let (person, appearance) = {
        let people = lock(&sending.core.people);
        (people.get(&recipient), people.appearance(&recipient))
    };
    let accepted = Accepted {
        recipient: recipient.clone(),
        appearance,
        reads: person.reads,
        plays: person.plays,
        kind: sending.kind().to_owned(),
        template: template.map(|template| template.name.to_owned()),
        category: template.map_or_else(|| "service".into(), |t| t.category.to_lowercase()),
        text: match template {
            Some(template) => filling::body(template, sending.template_body()),
            None => content::preview(sending),
        },
        content: match template {
            Some(_) => None,
            None => sending.body.get(sending.kind()).cloned(),
        },
        context: quoted(sending, &recipient),
        callback_data: sending.text("biz_opaque_callback_data").map(str::to_owned),
        outside_window,
        arrived_us: sending.arrived_us,
        answered_ms,
        cause: cause.unwrap_or(Cause::Chance),
    };
    let wamid = sending
        .core
        .accept(&sending.settings, sending.number, accepted);
    let body = answer(sending, input, &recipient, &wamid, effect);
    Ok(Answer { body, transport })
}

/// The message that this one quotes. What is not there any more is not quoted (Meta: contextual replies),
/// and a reaction quotes nothing.
fn quoted(sending: &Sending<'_>, recipient: &str) -> Option<String> {
    let id = sending.body.get("context")?.get("message_id")?.as_str()?;
    let known = sending.kind() != "reaction" && knows(sending, id, recipient).is_some();
    known.then(|| id.to_owned())
}

/// The kind of a message between the number and the person, while it is not too old to be referred to.
fn knows(sending: &Sending<'_>, id: &str, person: &str) -> Option<String> {
    let since_us = sending.arrived_us - REFERRED_US;
    let ledger = lock(&sending.core.ledger);
    let known = ledger.kind_of(sending.number.id, person, id, since_us);
    let trusted = sending.settings.trusts_ids && ids::is_wamid(id);
    known.or_else(|| trusted.then(|| "text".to_owned()))
}

/// What the person has decided about the business makes a message fail.
fn unwelcome(sending: &Sending<'_>, recipient: &str) -> Option<u32> {
    let person = lock(&sending.core.people).get(recipient);
    let number = sending.number.id;
    let marketing = sending
        .template
        .is_some_and(|template| template.category == "MARKETING");
    if person.blocked.contains(number) || person.moved_to.is_some() {
        Some(131_026)
    } else if marketing && person.stopped.contains(number) {
        Some(131_050)
    } else {
        None
    }
}

/// A reaction to what is not there, or to another reaction, only shows when it is delivered.
fn reacts_to_nothing(sending: &Sending<'_>, recipient: &str) -> bool {
    if sending.kind() != "reaction" {
        return false;
    }
    let reaction = sending.body.get("reaction");
    let target = reaction.and_then(|reaction| reaction.get("message_id")?.as_str());
    target
        .and_then(|id| knows(sending, id, recipient))
        .is_none_or(|kind| kind == "reaction")
}

/// What a rule or the recipient's own number has in store for the send.
fn fault(sending: &Sending<'_>, recipient: &str) -> Option<Effect> {
    let seen = Seen {
        phone_number_id: sending.number.id,
        recipient,
        template: sending.template.map(|template| template.name),
        kind: sending.kind(),
        at_ms: sending.arrived_us / 1000,
    };
    let by_rule = lock(&sending.core.rules).decide(sending.settings.seed, &seen);
    let magic = sending.settings.magic_recipients;
    by_rule.or_else(|| magic.then(|| scenario(recipient)).flatten())
}

/// Asks every limit. Says whether the person's service window is closed, and how a limit that
/// only shows later makes the message fail.
fn limit(sending: &Sending<'_>, recipient: &str) -> Result<(bool, Option<Cause>), Refusal> {
    let settings = &sending.settings;
    let number = sending.number;
    let at_ms = sending.arrived_us / 1000;
    let unwelcome = unwelcome(sending, recipient);
    let mistaken = reacts_to_nothing(sending, recipient);
    let mut limits = lock(&sending.core.limits);
    let outside_window = !limits.is_open(number.id, recipient, at_ms);
    let mut cause = None;
    let mut later = |code: u32, channel: Channel| match channel {
        Channel::Off => Ok(()),
        Channel::Sync => Err(Refusal::told(code, None)),
        Channel::Async => {
            cause = cause.or(Some(Cause::Failure {
                code,
                delay_ms: None,
            }));
            Ok(())
        }
    };
    if let Some(code) = unwelcome {
        later(code, Channel::Async)?;
    }
    if source::is_of_another_kind(sending) {
        later(131_053, Channel::Async)?;
    }
    if mistaken {
        later(131_009, Channel::Async)?;
    }
    if sending.template.is_none() {
        if outside_window {
            later(131_047, settings.outside_window)?;
        }
    } else {
        if settings.switches.unpaid.contains(number.waba) {
            later(131_042, Channel::Async)?;
        }
        if outside_window
            && let Some(people) = settings.tier(PORTFOLIO).people()
            && !limits
                .portfolios
                .has_room(PORTFOLIO, recipient, at_ms, people)
        {
            later(131_048, settings.over_tier)?;
        }
    }
    let throughput = settings.limit(number.id);
    let person = settings.pair_limiter.then_some(recipient);
    match limits.admit(number.id, person, sending.arrived_us, throughput) {
        Ok(()) => Ok((outside_window, cause)),
        Err(Broken::Pair) => Err(Refusal::told(131_056, None)),
        Err(Broken::Throughput) => Err(Refusal::new(
            130_429,
            format!("More than {throughput} messages within a second on this phone number"),
        )),
    }
}

fn answer(
    sending: &Sending<'_>,
    input: &str,
    recipient: &str,
    wamid: &str,
    effect: impl Into<Option<Effect>>,
) -> Value {
    let mut message = json!({"id": wamid});
    if sending.template.is_some() {
        let held = matches!(effect.into(), Some(Effect::Held { .. }));
        message["message_status"] = json!(if held {
            "held_for_quality_assessment"
        } else {
            "accepted"
        });
    }
    let mut contact = json!({"input": input});
    let appearance = lock(&sending.core.people).appearance(recipient);
    let appearance = appearance.unwrap_or_else(|| Appearance::of_number(recipient));
    if let Some(wa_id) = appearance.wa_id {
        contact["wa_id"] = json!(wa_id);
    }
    if let Some(user_id) = appearance.user_id {
        contact["user_id"] = json!(user_id);
    }
    json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [message],
    })
}
