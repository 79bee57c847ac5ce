//! Reading phone numbers, accounts and templates, and subscribing the app to an account.

use axum::body::Bytes;
use axum::http::Method;
use serde_json::{Value, json};

use super::{Call, Refusal, media, paging};
use crate::core::lock;
use crate::template::Template;
use crate::universe::{APP, Number, PORTFOLIO, Waba};
use crate::webhooks;

const NUMBER_FIELDS: &[&str] = &[
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
];
const WABA_FIELDS: &[&str] = &[
    "name",
    "currency",
    "timezone_id",
    "message_template_namespace",
];
const TEMPLATE_FIELDS: &[&str] = &[
    "name",
    "parameter_format",
    "components",
    "language",
    "status",
    "category",
];

/// A phone number, an account or a file by its id.
pub(super) fn one(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    if let Some(number) = call.core.universe.number(id) {
        return select_number(call, number);
    }
    if let Some(file) = media::one(call, id) {
        return Ok(file);
    }
    let waba = waba(call, id)?;
    let settings = call.core.settings();
    let node = waba.node(
        settings.tier(PORTFOLIO),
        settings.switches.locked.contains(waba.id),
    );
    paging::select(call, "WhatsAppBusinessAccount", WABA_FIELDS, node)
}

pub(super) fn phone_numbers(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let waba = waba(call, id)?;
    let numbers = call.core.universe.numbers.iter();
    let all: Vec<_> = numbers
        .filter(|number| number.waba == waba.id)
        .map(|number| select_number(call, number))
        .collect::<Result<_, _>>()?;
    paging::page(call, &format!("{id}/phone_numbers"), &all)
}

pub(super) fn templates(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let waba = waba(call, id)?;
    let settings = call.core.settings();
    let switches = &settings.switches;
    let status_of = |template: &Template| switches.template_status(template.name, template.status);
    let matches = |template: &&Template| {
        let status = status_of(template);
        let selected = [
            ("name", template.name),
            ("status", status),
            ("category", template.category),
            ("language", template.language),
        ]
        .into_iter()
        .all(|(filter, value)| call.query.get(filter).is_none_or(|want| want == value));
        selected && status != "DELETED"
    };
    let all: Vec<_> = call
        .core
        .universe
        .templates(waba.id)
        .iter()
        .filter(matches)
        .map(|template| {
            paging::select(
                call,
                "WhatsAppMessageTemplate",
                TEMPLATE_FIELDS,
                template.node(status_of(template)),
            )
        })
        .collect::<Result<_, _>>()?;
    paging::page(call, &format!("{id}/message_templates"), &all)
}

/// Webhooks of an account flow only while the app is subscribed to it. A callback given along takes its
/// messages once it has proved that it knows the verify token; without one they go where the app's do.
pub(super) async fn subscribed_apps(
    call: &Call<'_>,
    method: &Method,
    id: &str,
    body: &Bytes,
) -> Result<Value, Refusal> {
    let waba = waba(call, id)?;
    match method.as_str() {
        "POST" => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let text = |key: &str| body.get(key).and_then(Value::as_str);
            let url = text("override_callback_uri").filter(|url| !url.is_empty());
            if let Some(url) = url {
                let token = text("verify_token").unwrap_or_default();
                webhooks::handshake(call.core, url, token)
                    .await
                    .map_err(|why| {
                        Refusal::new(2200, format!("Callback verification failed: {why}"))
                    })?;
            }
            call.core.set_override(waba.id, url);
            call.core.subscribe(waba.id, true);
            Ok(json!({"success": true}))
        }
        "DELETE" => {
            call.core.set_override(waba.id, None);
            call.core.subscribe(waba.id, false);
            Ok(json!({"success": true}))
        }
        "GET" => {
            let mut app = json!({"whatsapp_business_api_data":
                {"id": APP, "name": "Example App", "link": "https://www.facebook.com/games/?app_id=100000000000001"}});
            if let Some(url) = lock(&call.core.callbacks).override_of(waba.id) {
                app["override_callback_uri"] = json!(url);
            }
            let subscribed = call.core.is_subscribed(waba.id);
            Ok(json!({"data": subscribed.then_some(app).as_slice()}))
        }
        _ => Err(Refusal::unknown_path()),
    }
}

fn select_number(call: &Call<'_>, number: &Number) -> Result<Value, Refusal> {
    let settings = call.core.settings();
    let node = number.node(&settings);
    paging::select(call, "WhatsAppBusinessPhoneNumber", NUMBER_FIELDS, node)
}

fn waba<'a>(call: &Call<'a>, id: &str) -> Result<&'a Waba, Refusal> {
    call.core
        .universe
        .waba(id)
        .ok_or_else(|| Refusal::no_such_object(id))
}
