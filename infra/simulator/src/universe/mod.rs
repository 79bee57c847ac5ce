//! The world of the simulation: one portfolio, two WhatsApp Business accounts for two tenants,
//! three phone numbers and their templates. It is the same for every seed.

mod catalogue;

use serde_json::{Map, Value, json};

use crate::settings::{Settings, Tier};
use crate::template::Template;

pub const PORTFOLIO: &str = "400000000000001";
pub const APP: &str = "100000000000001";
/// The first tenant's account, with [`NUMBER`] and [`SPARE_NUMBER`].
pub const WABA: &str = "300000000000001";
pub const NUMBER: &str = "200000000000001";
pub const SPARE_NUMBER: &str = "200000000000002";
/// The second tenant's account, with [`SECOND_NUMBER`].
pub const SECOND_WABA: &str = "300000000000002";
pub const SECOND_NUMBER: &str = "200000000000003";
/// Messages per sliding second of a number of level STANDARD.
pub const STANDARD_LIMIT: u32 = 80;

/// A business phone number.
pub(crate) struct Number {
    pub(crate) id: &'static str,
    pub(crate) waba: &'static str,
    pub(crate) display: &'static str,
    pub(crate) verified_name: &'static str,
}

/// A WhatsApp Business account.
pub(crate) struct Waba {
    pub(crate) id: &'static str,
    name: &'static str,
    currency: &'static str,
    country: &'static str,
    timezone_id: &'static str,
}

pub(crate) struct Universe {
    pub(crate) numbers: Vec<Number>,
    wabas: Vec<Waba>,
    templates: Vec<(&'static str, Vec<Template>)>,
}

impl Number {
    /// As webhooks write it: digits only.
    pub(crate) fn digits(&self) -> String {
        self.display.chars().filter(char::is_ascii_digit).collect()
    }

    /// Everything Graph knows of it. The level follows from the limit that is in force.
    pub(crate) fn node(&self, settings: &Settings) -> Map<String, Value> {
        let level = if settings.limit(self.id) > STANDARD_LIMIT {
            "HIGH"
        } else {
            "STANDARD"
        };
        let tier = settings.tier(PORTFOLIO).name();
        object(json!({
            "id": self.id,
            "display_phone_number": self.display,
            "verified_name": self.verified_name,
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "name_status": "APPROVED",
            "status": "CONNECTED",
            "platform_type": "CLOUD_API",
            "account_mode": "LIVE",
            "throughput": {"level": level},
            "whatsapp_business_manager_messaging_limit": tier,
            "messaging_limit_tier": tier,
            "is_official_business_account": false,
            "is_on_biz_app": false,
            "is_pin_enabled": true,
            "webhook_configuration": {"application": settings.webhook_url},
        }))
    }
}

impl Waba {
    pub(crate) fn node(&self, tier: Tier, locked: bool) -> Map<String, Value> {
        object(json!({
            "id": self.id,
            "name": self.name,
            "currency": self.currency,
            "country": self.country,
            "timezone_id": self.timezone_id,
            "status": if locked { "DISABLED" } else { "ACTIVE" },
            "account_review_status": "APPROVED",
            "business_verification_status": "verified",
            "ownership_type": "CLIENT_OWNED",
            "owner_business_info": {"id": PORTFOLIO, "name": "Example Group"},
            "message_template_namespace": format!("{}_templates", self.id),
            "whatsapp_business_manager_messaging_limit": tier.name(),
        }))
    }
}

impl Universe {
    pub(crate) fn new() -> Self {
        Self {
            numbers: vec![
                number(NUMBER, WABA, "+1 555-010-0001", "Nusantara Foods"),
                number(
                    SPARE_NUMBER,
                    WABA,
                    "+1 555-010-0002",
                    "Nusantara Foods Care",
                ),
                number(
                    SECOND_NUMBER,
                    SECOND_WABA,
                    "+1 555-010-0003",
                    "Bluebird Books",
                ),
            ],
            wabas: vec![
                Waba {
                    id: WABA,
                    name: "Nusantara Foods",
                    currency: "IDR",
                    country: "ID",
                    timezone_id: "66",
                },
                Waba {
                    id: SECOND_WABA,
                    name: "Bluebird Books",
                    currency: "USD",
                    country: "US",
                    timezone_id: "1",
                },
            ],
            templates: vec![
                (WABA, catalogue::numbered(1, catalogue::of_first())),
                (
                    SECOND_WABA,
                    catalogue::numbered(501, catalogue::of_second()),
                ),
            ],
        }
    }

    pub(crate) fn number(&self, id: &str) -> Option<&Number> {
        self.numbers.iter().find(|number| number.id == id)
    }

    pub(crate) fn waba(&self, id: &str) -> Option<&Waba> {
        self.wabas.iter().find(|waba| waba.id == id)
    }

    pub(crate) fn wabas(&self) -> impl Iterator<Item = &Waba> {
        self.wabas.iter()
    }

    pub(crate) fn templates(&self, waba: &str) -> &[Template] {
        self.templates
            .iter()
            .find(|(owner, _)| *owner == waba)
            .map_or(&[], |(_, templates)| templates)
    }

    /// The translation a send names; Meta never falls back to another language.
    pub(crate) fn template(&self, waba: &str, name: &str, language: &str) -> Option<&Template> {
        self.templates(waba)
            .iter()
            .find(|template| template.name == name && template.language == language)
    }
}

fn number(
    id: &'static str,
    waba: &'static str,
    display: &'static str,
    verified_name: &'static str,
) -> Number {
    Number {
        id,
        waba,
        display,
        verified_name,
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::template::variables;

    #[test]
    fn every_template_is_one_of_a_kind_and_has_an_example_for_each_variable() {
        let universe = Universe::new();
        let mut ids = HashSet::new();
        let mut names = HashSet::new();
        for (waba, templates) in &universe.templates {
            for template in templates {
                assert!(ids.insert(template.id.clone()));
                assert!(names.insert((*waba, template.name, template.language)));
                let wanted = variables(template.body);
                assert_eq!(wanted.len(), template.examples.len(), "{}", template.name);
                if !template.named {
                    let numbers: Vec<_> = (1..=wanted.len()).map(|n| n.to_string()).collect();
                    assert_eq!(wanted, numbers, "{}", template.name);
                }
            }
        }
        assert!(universe.templates(WABA).len() >= 40);
        assert_eq!(universe.templates(SECOND_WABA).len(), 3);
    }
}
