//! The bytes of a webhook and their signature.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Said;
use crate::arrivals::Utterance;
use crate::codes;
use crate::fate::Step;
use crate::ledger::Message;
use crate::people::Appearance;
use crate::template::Template;
use crate::universe::Number;

const ERROR_HELP: &str =
    "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

/// The value of `X-Hub-Signature-256` for a body, computed over its raw bytes.
pub fn signature(app_secret: &str, body: &[u8]) -> String {
    // An HMAC takes a key of any length, so the error cannot happen; an empty signature would be
    // refused by every receiver.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let mut text = String::from("sha256=");
    for byte in digest {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// One POST with the given steps of messages of one number, in the given order.
pub(super) fn of_statuses(number: &Number, told: &[(&Message, Step)]) -> Bytes {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "statuses": told.iter().map(|told| status(*told)).collect::<Vec<_>>(),
    });
    let mut people: Vec<Appearance> = Vec::new();
    for (message, _) in told.iter().filter(|(_, step)| *step != Step::Failed) {
        let appearance = message.appearance();
        if !people.contains(&appearance) {
            people.push(appearance);
        }
    }
    if !people.is_empty() {
        value["contacts"] = people.iter().map(contact).collect();
    }
    messages(number, &value)
}

/// What a person wrote or did, as an element of `messages`.
pub(crate) fn element(number: &Number, utterance: &Utterance<'_>, id: &str, at_ms: i64) -> Value {
    let mut message = json!({"id": id, "timestamp": (at_ms / 1000).to_string()});
    if let Some(wa_id) = &utterance.appearance.wa_id {
        message["from"] = json!(wa_id);
    }
    if let Some(user_id) = &utterance.appearance.user_id {
        message["from_user_id"] = json!(user_id);
    }
    match utterance.said {
        Said::Text(text) => {
            message["type"] = json!("text");
            message["text"] = json!({"body": text});
        }
        Said::Button { text, payload } => {
            message["type"] = json!("button");
            message["button"] = json!({"payload": payload, "text": text});
        }
        Said::Other(fields) => {
            for (name, value) in fields {
                message[name] = value.clone();
            }
        }
    }
    if let Some(context) = utterance.context {
        message["context"] = json!({"from": number.digits(), "id": context});
    }
    message
}

/// One POST with one element of `messages`. Notices about a person list no contacts.
pub(crate) fn of_inbound(number: &Number, appearance: &Appearance, element: &Value) -> Bytes {
    let mut value = json!({"messaging_product": "whatsapp", "metadata": metadata(number)});
    if element["type"] != "system" {
        value["contacts"] = json!([contact(appearance)]);
    }
    value["messages"] = json!([element]);
    messages(number, &value)
}

/// One POST about the new status of a template (Meta: template webhooks).
pub(crate) fn of_template(waba: &str, template: &Template, status: &str, at_ms: i64) -> Bytes {
    let mut value = json!({
        "event": status,
        // Here the id is a number and the language has a hyphen, unlike everywhere else.
        "message_template_id": template.id.parse::<u64>().unwrap_or_default(),
        "message_template_name": template.name,
        "message_template_language": template.language.replace('_', "-"),
        "message_template_category": template.category,
        "reason": if status == "PENDING_DELETION" { Value::Null } else { json!("NONE") },
    });
    if status == "PAUSED" {
        value["other_info"] = json!({
            "title": "FIRST_PAUSE",
            "description": "The template was paused for its quality.",
        });
    }
    of_account(waba, "message_template_status_update", &value, at_ms)
}

/// One POST with a change of an account that is not about messages.
pub(crate) fn of_account(waba: &str, field: &str, value: &Value, at_ms: i64) -> Bytes {
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{
            "id": waba,
            "time": at_ms / 1000,
            "changes": [{"field": field, "value": value}],
        }],
    });
    Bytes::from(escaped(&body.to_string()))
}

fn status((message, step): (&Message, Step)) -> Value {
    // The instant it happened; what was held back on the way is told later than that.
    let at_ms = message.plan.due(step).unwrap_or_default();
    let mut status = json!({
        "id": message.wamid,
        "status": step.name(),
        "timestamp": (at_ms / 1000).to_string(),
    });
    let appearance = message.appearance();
    if let Some(wa_id) = appearance.wa_id {
        status["recipient_id"] = json!(wa_id);
    }
    if let Some(user_id) = appearance.user_id {
        status["recipient_user_id"] = json!(user_id);
    }
    if let Some(data) = &message.callback_data {
        status["biz_opaque_callback_data"] = json!(data);
    }
    // The price goes with `sent`, and with the first news of the delivery.
    let priced = match step {
        Step::Sent | Step::Delivered => true,
        Step::Read => message.plan.due(Step::Delivered).is_none(),
        Step::Played | Step::Failed | Step::Replied => false,
    };
    if priced {
        let free = message.category == "service";
        status["pricing"] = json!({
            "billable": !free,
            "pricing_model": "PMP",
            "type": if free { "free_customer_service" } else { "regular" },
            "category": message.category,
        });
    }
    if step == Step::Failed {
        status["errors"] = json!([error(message.plan.fail_code)]);
    }
    status
}

fn error(code: u32) -> Value {
    let codes::About { title, details } = codes::about(code);
    json!({
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": ERROR_HELP,
    })
}

pub(crate) fn metadata(number: &Number) -> Value {
    json!({"display_phone_number": number.digits(), "phone_number_id": number.id})
}

pub(crate) fn contact(appearance: &Appearance) -> Value {
    let mut contact = json!({"profile": {"name": appearance.name}});
    if let Some(wa_id) = &appearance.wa_id {
        contact["wa_id"] = json!(wa_id);
    }
    if let Some(user_id) = &appearance.user_id {
        contact["user_id"] = json!(user_id);
    }
    contact
}

fn messages(number: &Number, value: &Value) -> Bytes {
    of_value(number.waba, "messages", value)
}

/// One POST with a change of a field that tells no time of its own.
pub(crate) fn of_value(waba: &str, field: &str, value: &Value) -> Bytes {
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": waba, "changes": [{"field": field, "value": value}]}],
    });
    Bytes::from(escaped(&body.to_string()))
}

/// Meta's rendering of JSON: nothing but ASCII, and every slash escaped.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 16);
    for character in json.chars() {
        match character {
            '/' => text.push_str("\\/"),
            ascii if ascii.is_ascii() => text.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_ascii_with_surrogate_pairs_and_escaped_slashes() {
        let text = escaped(&json!({"a": "Ünï 🎉 http://x \\/"}).to_string());
        assert_eq!(
            text,
            r#"{"a":"\u00dcn\u00ef \ud83c\udf89 http:\/\/x \\\/"}"#
        );
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["a"], "Ünï 🎉 http://x \\/");
    }

    #[test]
    fn a_signature_is_the_known_hmac_of_the_bytes() {
        assert_eq!(
            signature("key", b"The quick brown fox jumps over the lazy dog"),
            "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
        );
    }
}
