//! What becomes of numbers and accounts (Meta: number and account webhooks).

use domain::event::{AccountChange, AccountEvent, EventKind, NumberChange, NumberEvent, Stopped};
use jiff::Timestamp;
use serde_json::Value;

use super::template::{shortened, spaced};
use crate::lenient::{as_text, list, text, timestamp};

/// What the field says; nothing for a field or an event that changes nothing for us.
pub(super) fn parse(field: &str, value: &Value, at: Option<Timestamp>) -> Vec<EventKind> {
    let number = |change: Option<NumberChange>| {
        let digits: String = text(value, "display_phone_number")
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .take(20)
            .collect();
        let change = change.filter(|_| !digits.is_empty());
        change.map(|change| EventKind::Number(NumberEvent { digits, at, change }))
    };
    let account = |change: Option<AccountChange>| {
        change.map(|change| EventKind::Account(AccountEvent { at, change }))
    };
    let event = match field {
        "phone_number_quality_update" => number(quality(value)),
        "phone_number_name_update" => number(name(value)),
        "security" => account(security(value)),
        "business_capability_update" => account(capability(value)),
        "account_review_update" => account(review(value)),
        "account_alerts" => account(alert(value)),
        "account_update" => return update(value, at),
        _ => None,
    };
    event.into_iter().collect()
}

fn quality(value: &Value) -> Option<NumberChange> {
    let limit = tier(value);
    match event(value).as_str() {
        "THROUGHPUT_UPGRADE" => Some(NumberChange::Upgraded {
            messaging_limit: limit,
        }),
        "FLAGGED" => Some(NumberChange::Flagged(true)),
        "UNFLAGGED" => Some(NumberChange::Flagged(false)),
        _ => limit.map(NumberChange::MessagingLimit),
    }
}

/// The limit as the number's own page writes it: `TIER_2K`. Here it may be a count, and -1 is no limit.
fn tier(value: &Value) -> Option<String> {
    let found = [
        "max_daily_conversations_per_business",
        "max_daily_conversation_per_phone",
        "current_limit",
    ]
    .iter()
    .find_map(|key| value.get(key).and_then(as_text))?;
    let tier = match found.parse::<i64>() {
        Ok(-1) => "TIER_UNLIMITED".to_owned(),
        Ok(people) if people >= 1_000 && people % 1_000 == 0 => {
            format!("TIER_{}K", people / 1_000)
        }
        Ok(people) if people > 0 => format!("TIER_{people}"),
        Ok(_) => return None,
        Err(_) => found.to_ascii_uppercase(),
    };
    let sensible = tier.starts_with("TIER_") && tier.len() <= 32 && tier != "TIER_NOT_SET";
    sensible.then_some(tier)
}

fn name(value: &Value) -> Option<NumberChange> {
    let decision = text(value, "decision")?.to_ascii_uppercase();
    let (name_status, approved) = match decision.as_str() {
        "APPROVED" => ("APPROVED", true),
        "REJECTED" => ("DECLINED", false),
        "PENDING" | "DEFERRED" => ("PENDING_REVIEW", false),
        _ => return None,
    };
    Some(NumberChange::Name {
        name_status: name_status.to_owned(),
        verified_name: text(value, "requested_verified_name")
            .filter(|_| approved)
            .map(|name| shortened(&name)),
    })
}

fn security(value: &Value) -> Option<AccountChange> {
    let words = match event(value).as_str() {
        "PIN_CHANGED" => "The two-step code of this number was changed at WhatsApp.",
        "PIN_RESET_REQUEST" => {
            "Somebody asked WhatsApp to switch off the two-step code of this number."
        }
        "PIN_REQUEST_SUCCESS" => "The two-step code of this number was switched off at WhatsApp.",
        _ => return None,
    };
    let number = text(value, "display_phone_number")
        .map_or_else(String::new, |number| format!(" ({})", shortened(&number)));
    Some(AccountChange::Alert(format!("{words}{number}")))
}

fn capability(value: &Value) -> Option<AccountChange> {
    tier(value).map(AccountChange::MessagingLimit)
}

fn review(value: &Value) -> Option<AccountChange> {
    match text(value, "decision")?.to_ascii_uppercase().as_str() {
        "APPROVED" => Some(AccountChange::Recovered),
        "REJECTED" => Some(everything("WhatsApp has not approved this account.")),
        _ => None,
    }
}

fn alert(value: &Value) -> Option<AccountChange> {
    let info = value.get("alert_info").unwrap_or(value);
    let kind = text(info, "alert_type");
    let words = text(info, "alert_description").or_else(|| kind.map(|kind| spaced(&kind)))?;
    Some(AccountChange::Alert(format!(
        "WhatsApp says: {}",
        shortened(&words)
    )))
}

fn update(value: &Value, at: Option<Timestamp>) -> Vec<EventKind> {
    let event = event(value);
    let changes = match event.as_str() {
        "ACCOUNT_RESTRICTION" => restrictions(value),
        "DISABLED_UPDATE" => ban(value),
        "ACCOUNT_VIOLATION" => {
            let kind = value
                .get("violation_info")
                .and_then(|info| text(info, "violation_type"))
                .map_or_else(String::new, |kind| format!(": {}", spaced(&kind)));
            vec![AccountChange::Alert(format!(
                "WhatsApp found a violation of its policies{kind}."
            ))]
        }
        "ACCOUNT_DELETED" => vec![everything("This account was deleted at WhatsApp.")],
        "ACCOUNT_OFFBOARDED" | "PARTNER_REMOVED" => vec![everything(
            "This account is no longer shared with us. Connect the number again.",
        )],
        "PARTNER_APP_UNINSTALLED" => vec![everything(
            "Permission for this account was taken back at WhatsApp. Connect the number again.",
        )],
        "ACCOUNT_RECONNECTED" | "PARTNER_APP_INSTALLED" => vec![AccountChange::Recovered],
        _ => Vec::new(),
    };
    let event = |change| EventKind::Account(AccountEvent { at, change });
    changes.into_iter().map(event).collect()
}

/// An account can be restricted in several ways at once; only two keep campaigns from being sent.
fn restrictions(value: &Value) -> Vec<AccountChange> {
    let change = |restriction: &Value| {
        let kind = text(restriction, "restriction_type")?;
        let until = timestamp(restriction, "expiration");
        Some(match kind.as_str() {
            "RESTRICTED_BIZ_INITIATED_MESSAGING" => AccountChange::Stopped {
                what: Stopped::Everything,
                reason: "WhatsApp has restricted this account: it may not begin conversations."
                    .to_owned(),
                until,
            },
            "RESTRICTED_UTILITY_TEMPLATES" => AccountChange::Stopped {
                what: Stopped::Utility,
                reason: "WhatsApp has restricted this account: it may not send utility templates."
                    .to_owned(),
                until,
            },
            kind => AccountChange::Alert(format!(
                "WhatsApp has restricted this account: {}.",
                spaced(kind)
            )),
        })
    };
    let restrictions = list(value, "restriction_info");
    restrictions.iter().filter_map(change).collect()
}

/// One of Meta's samples has the state in a list.
fn ban(value: &Value) -> Vec<AccountChange> {
    let Some(info) = value.get("ban_info") else {
        return Vec::new();
    };
    let state = info.get("waba_ban_state").unwrap_or(&Value::Null);
    let state = state.get(0).unwrap_or(state);
    let date = text(info, "waba_ban_date");
    match as_text(state).as_deref() {
        Some("DISABLE") => vec![everything("WhatsApp has disabled this account.")],
        Some("REINSTATE") => vec![AccountChange::Recovered],
        Some("SCHEDULE_FOR_DISABLE") => {
            let when = date.map_or_else(
                || "soon".to_owned(),
                |date| format!("on {}", shortened(&date)),
            );
            vec![AccountChange::Alert(format!(
                "WhatsApp is going to disable this account {when}."
            ))]
        }
        _ => Vec::new(),
    }
}

fn everything(reason: &str) -> AccountChange {
    AccountChange::Stopped {
        what: Stopped::Everything,
        reason: reason.to_owned(),
        until: None,
    }
}

fn event(value: &Value) -> String {
    text(value, "event")
        .unwrap_or_default()
        .to_ascii_uppercase()
}
