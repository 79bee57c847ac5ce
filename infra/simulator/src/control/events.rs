//! What Meta tells of templates, numbers, accounts and people's wishes, on demand.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Body, wrong};
use crate::core::Core;
use crate::phone;
use crate::template::Template;
use crate::universe::{NUMBER, Number, WABA};
use crate::webhooks;

/// One event; the variant is the only field of the body, such as `{"template_status": {…}}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Event {
    /// `PAUSED`, `DISABLED`, `REINSTATED`, …; sends are refused or taken accordingly from now on.
    TemplateStatus {
        template: String,
        event: String,
        reason: Option<String>,
        title: Option<String>,
        description: Option<String>,
    },
    TemplateQuality {
        template: String,
        from: String,
        to: String,
    },
    /// The notice a day ahead, or the change itself.
    TemplateCategory {
        template: String,
        to: String,
        #[serde(default)]
        announced: bool,
    },
    TemplateComponents {
        template: String,
    },
    /// `FLAGGED`, `UNFLAGGED`, `ONBOARDING`, `UPGRADE`, `DOWNGRADE`, `THROUGHPUT_UPGRADE`.
    NumberQuality {
        phone_number_id: Option<String>,
        event: String,
        limit: Option<String>,
    },
    NumberName {
        phone_number_id: Option<String>,
        decision: String,
        name: String,
        reason: Option<String>,
    },
    /// `account_update`: an event and the object that belongs to it.
    Account {
        waba_id: Option<String>,
        event: String,
        #[serde(default)]
        with: Map<String, Value>,
    },
    /// A person stops or resumes marketing messages.
    Preference {
        phone_number_id: Option<String>,
        from: String,
        value: String,
    },
    /// Any field with any value.
    Raw {
        waba_id: Option<String>,
        field: String,
        value: Value,
        /// Unix seconds; now when absent.
        time: Option<i64>,
    },
}

pub(super) async fn tell(State(core): State<Arc<Core>>, event: Body<Event>) -> Response {
    let event = match event {
        Ok(Json(event)) => event,
        Err(rejection) => return wrong(&rejection.body_text()),
    };
    match told(&core, event) {
        Ok(tellings) => {
            for (waba, body) in tellings {
                core.tell(&waba, body);
            }
            Json(json!({"success": true})).into_response()
        }
        Err(reason) => wrong(&reason),
    }
}

/// The webhooks of an event: one, or one for each translation of a template.
fn told(core: &Core, event: Event) -> Result<Vec<(String, Bytes)>, String> {
    let at_ms = core.time.now_ms();
    let of_template = |name: &str, field: &str, value: &dyn Fn(&Template) -> Value| {
        let named: Vec<_> = translations(core, name)
            .map(|(waba, template)| {
                let mut value = value(template);
                identify(&mut value, template);
                let body = webhooks::of_account(waba, field, &value, at_ms);
                (waba.to_owned(), body)
            })
            .collect();
        match named.is_empty() {
            true => Err(format!("no template has the name {name}")),
            false => Ok(named),
        }
    };
    match event {
        Event::TemplateStatus {
            template,
            event,
            reason,
            title,
            description,
        } => {
            let told = of_template(&template, "message_template_status_update", &|about| {
                let mut value = json!({
                    "event": event,
                    "message_template_category": about.category,
                    "reason": reason.as_deref().unwrap_or("NONE"),
                });
                if let Some(title) = &title {
                    value["other_info"] = json!({"title": title, "description": description});
                }
                value
            })?;
            let status = match event.as_str() {
                "REINSTATED" | "UNARCHIVED" => "APPROVED".to_owned(),
                _ => event,
            };
            core.change_settings(|settings| {
                settings.switches.templates.insert(template, status);
            });
            Ok(told)
        }
        Event::TemplateQuality { template, from, to } => of_template(
            &template,
            "message_template_quality_update",
            &|_| json!({"previous_quality_score": from, "new_quality_score": to}),
        ),
        Event::TemplateCategory {
            template,
            to,
            announced,
        } => of_template(&template, "template_category_update", &|about| {
            if announced {
                json!({"new_category": about.category, "correct_category": to,
                    "category_update_timestamp": at_ms / 1000 + 86_400})
            } else {
                json!({"previous_category": about.category, "new_category": to})
            }
        }),
        Event::TemplateComponents { template } => of_template(
            &template,
            "message_template_components_update",
            &|about| json!({"message_template_element": about.body}),
        ),
        Event::NumberQuality {
            phone_number_id,
            event,
            limit,
        } => {
            let number = number(core, phone_number_id.as_deref())?;
            let mut value = json!({"display_phone_number": number.digits(), "event": event});
            if let Some(limit) = limit {
                value["current_limit"] = json!(limit);
                value["max_daily_conversations_per_business"] = json!(limit);
            }
            Ok(one(
                number.waba,
                "phone_number_quality_update",
                &value,
                at_ms,
            ))
        }
        Event::NumberName {
            phone_number_id,
            decision,
            name,
            reason,
        } => {
            let number = number(core, phone_number_id.as_deref())?;
            let value = json!({"display_phone_number": number.digits(), "decision": decision,
                "requested_verified_name": name, "rejection_reason": reason});
            Ok(one(number.waba, "phone_number_name_update", &value, at_ms))
        }
        Event::Account {
            waba_id,
            event,
            with,
        } => {
            let waba = account(core, waba_id.as_deref())?;
            let mut value = Value::Object(with);
            value["event"] = json!(event);
            Ok(one(waba, "account_update", &value, at_ms))
        }
        Event::Preference {
            phone_number_id,
            from,
            value,
        } => {
            let number = number(core, phone_number_id.as_deref())?;
            let from: String = from.chars().filter(char::is_ascii_digit).collect();
            phone::prefer(core, number, &from, &value);
            Ok(Vec::new())
        }
        Event::Raw {
            waba_id,
            field,
            value,
            time,
        } => {
            let waba = account(core, waba_id.as_deref())?;
            let at_ms = time.map_or(at_ms, |seconds| seconds.saturating_mul(1000));
            Ok(one(waba, &field, &value, at_ms))
        }
    }
}

/// Here the id is a number and the language has a hyphen, unlike everywhere else.
fn identify(value: &mut Value, template: &Template) {
    value["message_template_id"] = json!(template.id.parse::<u64>().unwrap_or_default());
    value["message_template_name"] = json!(template.name);
    value["message_template_language"] = json!(template.language.replace('_', "-"));
}

fn translations<'a>(
    core: &'a Core,
    name: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Template)> {
    core.universe.wabas().flat_map(move |waba| {
        let templates = core.universe.templates(waba.id).iter();
        templates
            .filter(move |template| template.name == name)
            .map(|template| (waba.id, template))
    })
}

fn number<'a>(core: &'a Core, id: Option<&str>) -> Result<&'a Number, String> {
    let id = id.unwrap_or(NUMBER);
    let number = core.universe.number(id);
    number.ok_or_else(|| format!("no phone number has the id {id}"))
}

fn account<'a>(core: &'a Core, id: Option<&str>) -> Result<&'a str, String> {
    let id = id.unwrap_or(WABA);
    let waba = core.universe.waba(id);
    waba.map(|waba| waba.id)
        .ok_or_else(|| format!("no account has the id {id}"))
}

fn one(waba: &str, field: &str, value: &Value, at_ms: i64) -> Vec<(String, Bytes)> {
    let body = webhooks::of_account(waba, field, value, at_ms);
    vec![(waba.to_owned(), body)]
}
