//! Making things go wrong: rules for sends, switches of accounts, signatures of webhooks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, wrong};
use crate::core::{Core, lock};
use crate::faults::{Rule, SCENARIOS};
use crate::settings::Downloads;
use crate::webhooks::{self, SignedAs};

pub(super) async fn rules(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!({"data": lock(&core.rules).list()}))
}

pub(super) async fn add_rule(State(core): State<Arc<Core>>, rule: Body<Rule>) -> Response {
    let rule = match rule {
        Ok(Json(rule)) => rule,
        Err(rejection) => return wrong(&rejection.body_text()),
    };
    match rule.check() {
        Ok(()) => Json(json!({"id": lock(&core.rules).add(rule)})).into_response(),
        Err(reason) => wrong(reason),
    }
}

pub(super) async fn remove_rule(State(core): State<Arc<Core>>, Path(id): Path<u64>) -> Response {
    if lock(&core.rules).remove(id) {
        Json(json!({"success": true})).into_response()
    } else {
        wrong(&format!("no rule has the id {id}"))
    }
}

pub(super) async fn remove_rules(State(core): State<Arc<Core>>) -> Json<Value> {
    lock(&core.rules).clear();
    Json(json!({"success": true}))
}

/// What the last four digits of a recipient mean where that setting is on.
pub(super) async fn scenarios(State(core): State<Arc<Core>>) -> Json<Value> {
    let lines: Vec<_> = SCENARIOS
        .iter()
        .map(|(digits, effect, meaning)| {
            json!({"digits": digits, "effect": effect, "meaning": meaning})
        })
        .collect();
    Json(json!({"on": core.settings().magic_recipients, "data": lines}))
}

pub(super) async fn switches(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!(core.settings().switches))
}

/// A change of the switches. What is left out stays as it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Turn {
    token_revoked: Option<bool>,
    /// By phone number id.
    maintenance: HashMap<String, bool>,
    /// By account id.
    locked: HashMap<String, bool>,
    unpaid: HashMap<String, bool>,
    /// The status by template name; null gives back its own.
    templates: HashMap<String, Option<String>>,
    downloads: Option<Downloads>,
    /// Whether Meta's webhook about it is sent, where there is one.
    notify: bool,
}

const TEMPLATE_STATUSES: &[&str] = &[
    "PENDING",
    "APPROVED",
    "REJECTED",
    "PAUSED",
    "DISABLED",
    "IN_APPEAL",
    "LIMIT_EXCEEDED",
    "PENDING_DELETION",
    "DELETED",
    "ARCHIVED",
];

pub(super) async fn turn(State(core): State<Arc<Core>>, turn: Body<Turn>) -> Response {
    let turn = match turn {
        Ok(Json(turn)) => turn,
        Err(rejection) => return wrong(&rejection.body_text()),
    };
    match turn_switches(&core, &turn) {
        Ok(()) => Json(json!(core.settings().switches)).into_response(),
        Err(reason) => wrong(&reason),
    }
}

/// Turns switches, or says which of them is of something that is not there.
pub(crate) fn turn_switches(core: &Core, turn: &Turn) -> Result<(), String> {
    check(core, turn)?;
    core.change_settings(|settings| {
        let switches = &mut settings.switches;
        switches.token_revoked = turn.token_revoked.unwrap_or(switches.token_revoked);
        switches.downloads = turn.downloads.unwrap_or(switches.downloads);
        set(&mut switches.maintenance, &turn.maintenance);
        set(&mut switches.locked, &turn.locked);
        set(&mut switches.unpaid, &turn.unpaid);
        for (name, status) in &turn.templates {
            match status {
                Some(status) => switches.templates.insert(name.clone(), status.clone()),
                None => switches.templates.remove(name),
            };
        }
    });
    if turn.notify {
        notify(core, turn);
    }
    Ok(())
}

fn check(core: &Core, turn: &Turn) -> Result<(), String> {
    let universe = &core.universe;
    if let Some(id) = turn
        .maintenance
        .keys()
        .find(|id| universe.number(id).is_none())
    {
        return Err(format!("no phone number has the id {id}"));
    }
    let mut accounts = turn.locked.keys().chain(turn.unpaid.keys());
    if let Some(id) = accounts.find(|id| universe.waba(id).is_none()) {
        return Err(format!("no account has the id {id}"));
    }
    for (name, status) in &turn.templates {
        let mut templates = universe
            .wabas()
            .flat_map(|waba| universe.templates(waba.id));
        if !templates.any(|template| template.name == name) {
            return Err(format!("no template has the name {name}"));
        }
        if let Some(status) = status
            && !TEMPLATE_STATUSES.contains(&status.as_str())
        {
            return Err(format!("{status} is not the status of a template"));
        }
    }
    Ok(())
}

fn set(places: &mut BTreeSet<String>, changes: &HashMap<String, bool>) {
    for (id, on) in changes {
        if *on {
            places.insert(id.clone());
        } else {
            places.remove(id);
        }
    }
}

/// Tells the callback of what Meta tells of: templates and locked accounts.
fn notify(core: &Core, turn: &Turn) {
    let settings = core.settings();
    let at_ms = core.time.now_ms();
    for waba in core.universe.wabas() {
        for template in core.universe.templates(waba.id) {
            if turn.templates.contains_key(template.name) {
                let switches = &settings.switches;
                let status = switches.template_status(template.name, template.status);
                let body = webhooks::of_template(waba.id, template, status, at_ms);
                core.tell(waba.id, body);
            }
        }
        if let Some(locked) = turn.locked.get(waba.id) {
            let state = if *locked { "DISABLE" } else { "REINSTATE" };
            let value = json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
            let body = webhooks::of_account(waba.id, "account_update", &value, at_ms);
            core.tell(waba.id, body);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signatures {
    next: u64,
    #[serde(rename = "as")]
    signed_as: SignedAs,
}

/// Signs the next webhooks in another way.
pub(super) async fn signatures(
    State(core): State<Arc<Core>>,
    signatures: Body<Signatures>,
) -> Response {
    match signatures {
        Ok(Json(Signatures { next, signed_as })) => {
            lock(&core.signing).next(next, signed_as);
            Json(json!({"success": true})).into_response()
        }
        Err(rejection) => wrong(&rejection.body_text()),
    }
}
