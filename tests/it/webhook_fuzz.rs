//! Valid webhook bodies, damaged at random: nothing panics, nothing is parked, and what was not damaged is
//! applied. `make fuzz-webhooks` does it for minutes, by a seed of its own each time.

use std::time::{Duration, Instant};

use app::task::QueueName;
use axum::http::Method;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};
use simulator::universe;

use crate::support::journey::phone;
use crate::support::meta::said;
use crate::support::{Caller, TestApp};

/// Bodies of one run of the ordinary tests.
const BODIES: u32 = 250;

/// How many bodies are taken in before the queues are run.
const BATCH: u32 = 25;

#[tokio::test]
async fn damaged_bodies_panic_nowhere_and_cost_no_sibling() {
    let minutes = local::harness::environment::number("MINUTES", 0).unwrap();
    let minutes = Some(minutes).filter(|minutes: &u64| *minutes > 0);
    let seed = match minutes {
        Some(_) => rand::random(),
        None => 1,
    };
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let mut total = 0;
    let mut round = 0;
    // A new application now and then, so that what it holds stays small.
    loop {
        total += one_application(seed ^ round).await;
        round += 1;
        if until.is_none_or(|until| Instant::now() >= until) {
            break;
        }
    }
    if minutes.is_some() {
        let mut err = std::io::stderr().lock();
        std::io::Write::write_fmt(&mut err, format_args!("{total} bodies, seed {seed}\n")).unwrap();
    }
}

async fn one_application(seed: u64) -> u32 {
    let mut chance = StdRng::seed_from_u64(seed);
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let mut expected = Vec::new();
    for nth in 0..BODIES {
        let (body, person) = body(&mut chance, &t, nth);
        let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
        let header = Some(("x-hub-signature-256", signature.as_str()));
        Caller::anonymous()
            .raw(&t, Method::POST, "/webhooks/whatsapp", header, body)
            .await
            .expect(200);
        expected.push(person);
        if nth % BATCH == BATCH - 1 {
            t.drain().await;
            let stats = t.queue.stats(QueueName::Webhook).await.unwrap();
            assert_eq!(stats.dead, 0, "a body of seed {seed} was parked");
            for person in expected.drain(..) {
                let path = format!("/v1/contacts?phone=%2B{}", person.trim_start_matches('+'));
                let found = owner.get(&t, &path).await.expect(200);
                let found = found["items"].as_array().unwrap().len();
                assert_eq!(found, 1, "{person} of seed {seed} was lost");
            }
        }
    }
    let seen = owner.get(&t, &format!("/v1/channels/{channel}")).await;
    seen.expect(200);
    t.finish().await;
    BODIES
}

/// A body with one message that must arrive, among parts that are damaged.
fn body(chance: &mut StdRng, t: &TestApp, nth: u32) -> (Vec<u8>, String) {
    let person = phone(1000 + nth);
    let at = t.app.now().as_second();
    let good = said(&person, &format!("wamid.good.{nth}"), at, "Hello ü 👍 / \\");
    let mut parts = changes(at);
    for part in &mut parts {
        for _ in 0..chance.random_range(0..4) {
            damage(chance, part, 0);
        }
    }
    let mut messages = vec![good];
    if chance.random_bool(0.5) {
        let mut other = said(&phone(1), &format!("wamid.other.{nth}"), at, "x");
        damage(chance, &mut other, 0);
        messages.insert(chance.random_range(0..=1), other);
    }
    parts.insert(
        chance.random_range(0..=parts.len()),
        json!({"field": "messages", "value": {
            "metadata": {"display_phone_number": "15550100001", "phone_number_id": universe::NUMBER},
            "messages": messages}}),
    );
    let mut entries = vec![json!({"id": universe::WABA, "time": at, "changes": parts})];
    if chance.random_bool(0.3) {
        let mut extra = json!({"id": universe::SECOND_WABA, "changes": changes(at)});
        damage(chance, &mut extra, 0);
        entries.insert(0, extra);
    }
    let body = json!({"object": "whatsapp_business_account", "entry": entries}).to_string();
    (scratched(chance, body), person)
}

/// Damage that no JSON value can express, inside the placeholder texts that [`damage`] left.
fn scratched(chance: &mut StdRng, body: String) -> Vec<u8> {
    let deep = "[".repeat(400) + &"]".repeat(400);
    let raw = [
        "1e999",
        r#""\ud83d""#,
        r#""\udc4d\ud83d""#,
        deep.as_str(),
        "-0.0e-999",
        "123456789012345678901234567890",
    ];
    let mut body = body;
    while let Some(place) = body.find("\"@@\"") {
        let instead = raw.choose(chance).copied().unwrap_or("0");
        body.replace_range(place..place + 4, instead);
    }
    let mut bytes = body.into_bytes();
    // A byte that is no text, in the place of a letter of a text that nothing depends on.
    if chance.random_bool(0.3)
        && let Some(place) = bytes.windows(5).position(|five| five == b"Hello")
    {
        bytes[place + chance.random_range(0..5)] = 0xFF;
    }
    bytes
}

/// Changes or takes away something inside a value, at random.
fn damage(chance: &mut StdRng, value: &mut Value, depth: u32) {
    if depth < 8 && chance.random_bool(0.85) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                let names: Vec<String> = fields.keys().cloned().collect();
                let name = names.choose(chance).cloned().unwrap_or_default();
                match chance.random_range(0..12) {
                    0 => {
                        fields.remove(&name);
                    }
                    1 => {
                        let moved = fields.remove(&name).unwrap_or_default();
                        fields.insert(format!("{name}x"), moved);
                    }
                    _ => {
                        if let Some(inner) = fields.get_mut(&name) {
                            damage(chance, inner, depth + 1);
                        }
                    }
                }
                return;
            }
            Value::Array(elements) if !elements.is_empty() => {
                let place = chance.random_range(0..elements.len());
                match chance.random_range(0..8) {
                    0 => {
                        elements.remove(place);
                    }
                    1 => {
                        let twice = elements[place].clone();
                        elements.push(twice);
                    }
                    _ => damage(chance, &mut elements[place], depth + 1),
                }
                return;
            }
            _ => {}
        }
    }
    *value = odd(chance);
}

fn odd(chance: &mut StdRng) -> Value {
    match chance.random_range(0..16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(i64::MAX),
        4 => json!(u64::MAX),
        5 => json!(0.5),
        6 => json!(""),
        7 => json!("x".repeat(3000)),
        8 => json!("\u{0}\u{1b}\u{7f}\u{202e}"),
        9 => json!("../../../etc#WS#"),
        10 => json!([]),
        11 => json!({}),
        12 => json!([[[]], {"a": {"b": []}}]),
        13 => json!("99999999999999999999999999"),
        14 => Value::Object(Map::from_iter([(String::new(), json!("@@"))])),
        _ => json!("@@"),
    }
}

/// One of everything that Meta tells, in good order.
fn changes(at: i64) -> Vec<Value> {
    let metadata =
        json!({"display_phone_number": "15550100001", "phone_number_id": universe::NUMBER});
    let message = |mut fields: Value| {
        fields["from"] = json!("15550200002");
        fields["id"] = json!("wamid.kinds");
        fields["timestamp"] = json!(at.to_string());
        fields
    };
    let messages = [
        json!({"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "caption": "c"}}),
        json!({"type": "button", "context": {"id": "wamid.out"}, "button": {"payload": "p", "text": "t"}}),
        json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "i", "title": "t"}}}),
        json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"name": "f", "response_json": "{\"a\":[1]}"}}}),
        json!({"type": "location", "location": {"latitude": 1.5, "longitude": -3.25}}),
        json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "B"}, "phones": [{"phone": "1"}]}]}),
        json!({"type": "reaction", "reaction": {"message_id": "wamid.out", "emoji": "x"}}),
        json!({"type": "order", "order": {"product_items": [{"product_retailer_id": "s", "quantity": 2, "item_price": 7.99, "currency": "USD"}]}}),
        json!({"type": "system", "system": {"type": "user_changed_number", "wa_id": "15550200009"}}),
        json!({"type": "edit", "edit": {"original_message_id": "w", "message": {"type": "text", "text": {"body": "b"}}}}),
        json!({"type": "revoke", "revoke": {"original_message_id": "w"}}),
        json!({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131_051, "title": "t"}]}),
        json!({"type": "text", "text": {"body": "b"}, "referral": {"source_id": "1", "headline": "h"}}),
    ];
    let campaign = domain::id::CampaignId::fresh();
    let statuses = ["sent", "delivered", "read", "failed"].map(|status| {
        json!({"id": "wamid.out", "status": status, "timestamp": at.to_string(), "recipient_id": "15550200002",
            "biz_opaque_callback_data": format!("{campaign}.0.0"),
            "errors": [{"code": 131_049, "title": "t", "error_data": {"details": "d"}}]})
    });
    let template = |mut value: Value| {
        value["message_template_id"] = json!(600_000_000_000_001_u64);
        value["message_template_name"] = json!("order_shipped");
        value
    };
    let field = |field: &str, value: Value| json!({"field": field, "value": value});
    let contacts = json!([{"profile": {"name": "Ada"}, "wa_id": "15550200002", "user_id": "US.7"}]);
    vec![
        field(
            "messages",
            json!({"metadata": metadata, "contacts": contacts, "messages": messages.map(message)}),
        ),
        field(
            "messages",
            json!({"metadata": metadata, "statuses": statuses}),
        ),
        field(
            "messages",
            json!({"metadata": metadata, "errors": [{"code": 130_429, "title": "t"}]}),
        ),
        field(
            "user_preferences",
            json!({"metadata": metadata, "contacts": contacts, "user_preferences": [
            {"wa_id": "15550200002", "category": "marketing_messages", "value": "stop", "timestamp": at}]}),
        ),
        field(
            "message_template_status_update",
            template(json!({"event": "PAUSED", "reason": "NONE",
            "other_info": {"title": "FIRST_PAUSE", "description": "d"}})),
        ),
        field(
            "message_template_quality_update",
            template(json!({"previous_quality_score": "GREEN", "new_quality_score": "RED"})),
        ),
        field(
            "template_category_update",
            template(json!({"previous_category": "UTILITY", "new_category": "MARKETING"})),
        ),
        field(
            "phone_number_quality_update",
            json!({"display_phone_number": "15550100001", "event": "FLAGGED", "current_limit": "TIER_2K"}),
        ),
        field(
            "phone_number_name_update",
            json!({"display_phone_number": "15550100001", "decision": "APPROVED", "requested_verified_name": "N"}),
        ),
        field(
            "business_capability_update",
            json!({"max_daily_conversations_per_business": 2000}),
        ),
        field("account_review_update", json!({"decision": "APPROVED"})),
        field(
            "account_alerts",
            json!({"entity_type": "PHONE_NUMBER", "alert_info": {"alert_type": "PROFILE_PICTURE_LOST"}}),
        ),
        field(
            "security",
            json!({"display_phone_number": "15550100001", "event": "PIN_CHANGED"}),
        ),
        field(
            "account_update",
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
            {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": at + 60}]}),
        ),
        field(
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": ["DISABLE"], "waba_ban_date": "today"}}),
        ),
        field(
            "flows",
            json!({"event": "FLOW_STATUS_CHANGE", "flow_id": "7"}),
        ),
        field("holograms", json!({"depth": 3})),
    ]
}
