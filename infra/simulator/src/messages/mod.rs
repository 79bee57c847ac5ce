//! `POST /{phone}/messages`: the checks a send passes, in Meta's order, and its acceptance.

mod content;
mod envelope;
mod filling;
mod parameters;
mod throughput;

use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::graph::Refusal;
use crate::template::Template;
use crate::universe::Number;

pub(crate) use throughput::Throughput;

/// A send on its way through the checks.
pub(crate) struct Sending<'a> {
    pub(crate) core: &'a Core,
    pub(crate) number: &'a Number,
    pub(crate) body: &'a Map<String, Value>,
    pub(crate) arrived_us: i64,
}

/// What is kept of a send that passed.
pub(crate) struct Accepted {
    pub(crate) recipient: String,
    pub(crate) kind: String,
    pub(crate) template: Option<String>,
    pub(crate) category: String,
    pub(crate) text: String,
    pub(crate) callback_data: Option<String>,
}

type Check = fn(&Sending<'_>) -> Result<(), Refusal>;

/// The synchronous checks, in the order Meta makes them; the first refusal is the answer. Token and
/// asset were checked before. A synchronous fault is one more entry at its place in this order.
pub(crate) const CHECKS: &[Check] = &[
    envelope::is_well_formed,
    envelope::has_a_recipient,
    content::is_complete,
    parameters::template_exists,
    parameters::template_may_be_sent,
    parameters::header_matches,
    parameters::body_matches,
    parameters::buttons_match,
    parameters::filled_body_fits,
    // Last, because a message that was refused for another reason does not use up throughput.
    throughput::is_within_limit,
];

impl<'a> Sending<'a> {
    pub(crate) fn text(&self, field: &str) -> Option<&'a str> {
        self.body.get(field)?.as_str()
    }

    /// The message's type; Meta takes a missing one for text.
    pub(crate) fn kind(&self) -> &'a str {
        self.text("type").unwrap_or("text")
    }

    pub(crate) fn is_receipt(&self) -> bool {
        self.body.contains_key("status")
    }

    /// The `template` object of a template message.
    pub(crate) fn template_body(&self) -> Option<&'a Value> {
        (self.kind() == "template" && !self.is_receipt())
            .then(|| self.body.get("template"))
            .flatten()
    }

    /// The template it names, if there is one.
    pub(crate) fn template(&self) -> Option<&'a Template> {
        let body = self.template_body()?;
        let name = body.get("name")?.as_str()?;
        let language = body.get("language")?.get("code")?.as_str()?;
        self.core
            .universe
            .template(self.number.waba, name, language)
    }
}

/// Takes a message or a receipt. An accepted message is in the ledger before its answer waits, so
/// that a caller who hangs up has sent it all the same.
pub(crate) async fn send(
    core: &Core,
    phone_number_id: &str,
    body: &[u8],
    arrived_us: i64,
) -> Result<Value, Refusal> {
    let number = core
        .universe
        .number(phone_number_id)
        .ok_or_else(|| Refusal::no_such_object(phone_number_id))?;
    let body: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(100, format!("The body is not a JSON object: {error}")))?;
    let sending = Sending {
        core,
        number,
        body: &body,
        arrived_us,
    };
    for check in CHECKS {
        check(&sending)?;
    }
    let latency = core.settings().answer_latency_ms;
    let answered_ms = arrived_us / 1000 + i64::try_from(latency).unwrap_or(0);
    let answer = if sending.is_receipt() {
        json!({"success": true})
    } else {
        accept(&sending, answered_ms)
    };
    core.requests.wait(core.time.as_ref(), answered_ms).await;
    Ok(answer)
}

fn accept(sending: &Sending<'_>, answered_ms: i64) -> Value {
    let input = sending.text("to").unwrap_or_default();
    let recipient = envelope::digits(input);
    let template = sending.template();
    let accepted = Accepted {
        recipient: recipient.clone(),
        kind: sending.kind().to_owned(),
        template: template.map(|template| template.name.to_owned()),
        category: template.map_or_else(|| "service".into(), |t| t.category.to_lowercase()),
        text: match template {
            Some(template) => filling::body(template, sending.template_body()),
            None => content::preview(sending),
        },
        callback_data: sending.text("biz_opaque_callback_data").map(str::to_owned),
    };
    let wamid = sending
        .core
        .accept(sending.number, accepted, sending.arrived_us, answered_ms);
    let mut message = json!({"id": wamid});
    if template.is_some() {
        message["message_status"] = json!("accepted");
    }
    json!({
        "messaging_product": "whatsapp",
        "contacts": [{"input": input, "wa_id": recipient}],
        "messages": [message],
    })
}
