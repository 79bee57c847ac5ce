//! Where webhooks go, and whose secret signs them (Meta: callback overrides).
//!
//! The app that is simulated has one callback and one secret. An account can be under an app of its own,
//! with its own secret and callback, and either app can send an account's messages elsewhere; templates
//! and account events always go to the app's callback.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::settings::Settings;

/// The fields that follow an override.
const CONVERSATIONAL: &[&str] = &[
    "messages",
    "message_echoes",
    "calls",
    "consumer_profile",
    "messaging_handovers",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "smb_message_echoes",
    "smb_app_state_sync",
    "history",
    "account_settings_update",
];

/// Callbacks by account, where they are not those of the simulated app.
#[derive(Default)]
pub(crate) struct Callbacks {
    overrides: BTreeMap<String, String>,
    own: BTreeMap<String, String>,
}

/// Where one webhook goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To this address, signed with this secret.
    Address { url: String, secret: String },
    /// The account's own app has no callback.
    Nowhere,
    /// The simulated app has none yet.
    Waits,
}

impl Callbacks {
    pub(crate) fn is_empty(&self) -> bool {
        self.overrides.is_empty() && self.own.is_empty()
    }

    /// Sends an account's messages elsewhere, or no longer.
    pub(crate) fn set_override(&mut self, waba: &str, url: Option<&str>) {
        put(&mut self.overrides, waba, url);
    }

    /// The callback of an account's own app.
    pub(crate) fn set_own(&mut self, waba: &str, url: Option<&str>) {
        put(&mut self.own, waba, url);
    }

    pub(crate) fn override_of(&self, waba: &str) -> Option<&String> {
        self.overrides.get(waba)
    }

    pub(crate) fn target(&self, settings: &Settings, body: &[u8]) -> Target {
        let app = || match settings.webhook_url.is_empty() {
            true => Target::Waits,
            false => Target::Address {
                url: settings.webhook_url.clone(),
                secret: settings.app_secret.clone(),
            },
        };
        if self.is_empty() && settings.app_secrets.is_empty() {
            return app();
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let entry = &body["entry"][0];
        let waba = entry["id"].as_str().unwrap_or_default();
        let field = entry["changes"][0]["field"].as_str().unwrap_or_default();
        let own_secret = settings.app_secrets.get(waba);
        let secret = own_secret.unwrap_or(&settings.app_secret).clone();
        let elsewhere = self
            .overrides
            .get(waba)
            .filter(|_| CONVERSATIONAL.contains(&field));
        match (elsewhere, own_secret, self.own.get(waba)) {
            (Some(url), ..) | (None, Some(_), Some(url)) => Target::Address {
                url: url.clone(),
                secret,
            },
            (None, Some(_), None) => Target::Nowhere,
            (None, None, _) => app(),
        }
    }
}

fn put(places: &mut BTreeMap<String, String>, waba: &str, url: Option<&str>) {
    match url {
        Some(url) => places.insert(waba.to_owned(), url.to_owned()),
        None => places.remove(waba),
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_follow_an_override_and_templates_go_to_the_app_they_belong_to() {
        let mut callbacks = Callbacks::default();
        callbacks.set_override("1", Some("http://o"));
        callbacks.set_own("2", Some("http://own"));
        let mut settings = Settings {
            webhook_url: "http://app".to_owned(),
            ..Settings::default()
        };
        settings.app_secrets.insert("2".to_owned(), "s2".to_owned());
        settings.app_secrets.insert("3".to_owned(), "s3".to_owned());
        let target = |waba: &str, field: &str| {
            let body = json!({"entry": [{"id": waba, "changes": [{"field": field}]}]});
            match callbacks.target(&settings, body.to_string().as_bytes()) {
                Target::Address { url, secret } => format!("{url} {secret}"),
                other => format!("{other:?}"),
            }
        };
        let ours = settings.app_secret.clone();
        assert_eq!(target("1", "messages"), format!("http://o {ours}"));
        assert_eq!(target("1", "account_update"), format!("http://app {ours}"));
        assert_eq!(target("2", "account_update"), "http://own s2");
        assert_eq!(target("3", "messages"), "Nowhere");
        assert_eq!(target("4", "messages"), format!("http://app {ours}"));
    }
}
