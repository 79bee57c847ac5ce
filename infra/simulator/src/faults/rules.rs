//! Rules: which sends are to go wrong, and how. The first rule that applies is the one.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Effect;
use crate::chance::Draws;

/// A rule as the control plane takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Everything in it must be true of a send; nothing in it is true of every send.
    #[serde(rename = "match", default)]
    pub(crate) matching: Match,
    pub(crate) effect: Effect,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Match {
    phone_number_id: Option<String>,
    /// Digits only.
    recipient: Option<String>,
    recipient_suffix: Option<String>,
    template: Option<String>,
    /// The type of the message: `template`, `text` and so on.
    kind: Option<String>,
    /// From this instant on, and before that one, in milliseconds of the simulator's clock.
    from_ms: Option<i64>,
    until_ms: Option<i64>,
    /// Of the sends that match so far: this share, decided by the seed, the recipient and how
    /// often the rule has met them.
    probability: Option<f64>,
    /// Of the sends that match so far: this one only, counted from 1.
    nth: Option<u64>,
    /// The rule applies so many times and never again.
    times: Option<u64>,
}

/// What a rule sees of a send.
pub(crate) struct Seen<'a> {
    pub(crate) phone_number_id: &'a str,
    pub(crate) recipient: &'a str,
    pub(crate) template: Option<&'a str>,
    pub(crate) kind: &'a str,
    pub(crate) at_ms: i64,
}

/// The rules in force, oldest first, and what they have seen.
#[derive(Default)]
pub(crate) struct Rules {
    rules: Vec<Active>,
    last_id: u64,
}

struct Active {
    id: u64,
    rule: Rule,
    matched: u64,
    applied: u64,
    /// How often a rule with a probability has met each recipient.
    met: HashMap<String, u32>,
}

impl Rule {
    /// Says what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let matching = &self.matching;
        let digits = |text: &Option<String>| {
            text.as_ref()
                .is_none_or(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if !digits(&matching.recipient) || !digits(&matching.recipient_suffix) {
            return Err("recipient and recipient_suffix are digits without a sign");
        }
        if matching
            .probability
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
        {
            return Err("probability is between 0 and 1");
        }
        if matching.nth == Some(0) {
            return Err("nth counts from 1");
        }
        if let Effect::Error {
            http: Some(http), ..
        } = self.effect
            && !(400..600).contains(&http)
        {
            return Err("http is the status of an error");
        }
        Ok(())
    }
}

impl Match {
    /// Whether it could mean this send, chance and counts aside.
    fn describes(&self, seen: &Seen<'_>) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        is(&self.phone_number_id, seen.phone_number_id)
            && is(&self.recipient, seen.recipient)
            && is(&self.kind, seen.kind)
            && is(&self.template, seen.template.unwrap_or_default())
            && self
                .recipient_suffix
                .as_deref()
                .is_none_or(|suffix| seen.recipient.ends_with(suffix))
            && self.from_ms.is_none_or(|from| seen.at_ms >= from)
            && self.until_ms.is_none_or(|until| seen.at_ms < until)
    }
}

impl Active {
    fn applies(&mut self, seed: u64, seen: &Seen<'_>) -> bool {
        let matching = &self.rule.matching;
        if !matching.describes(seen) || matching.times.is_some_and(|times| self.applied >= times) {
            return false;
        }
        if let Some(share) = matching.probability {
            let met = match self.met.get_mut(seen.recipient) {
                Some(met) => met,
                None => self.met.entry(seen.recipient.to_owned()).or_default(),
            };
            let name = format!("rule {}:", self.id);
            let hit = Draws::new(seed, *met, &[&name, seen.recipient]).hits(share);
            *met += 1;
            if !hit {
                return false;
            }
        }
        self.matched += 1;
        let applies = matching.nth.is_none_or(|nth| nth == self.matched);
        self.applied += u64::from(applies);
        applies
    }
}

impl Rules {
    /// Adds a rule and returns its id.
    pub(crate) fn add(&mut self, rule: Rule) -> u64 {
        self.last_id += 1;
        self.rules.push(Active {
            id: self.last_id,
            rule,
            matched: 0,
            applied: 0,
            met: HashMap::new(),
        });
        self.last_id
    }

    /// Takes a rule away, or says that there is none of this id.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|active| active.id != id);
        self.rules.len() < before
    }

    /// Takes every rule away. Ids are not given out again.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn list(&self) -> Vec<Value> {
        let line = |active: &Active| {
            json!({
                "id": active.id,
                "match": active.rule.matching,
                "effect": active.rule.effect,
                "matched": active.matched,
                "applied": active.applied,
            })
        };
        self.rules.iter().map(line).collect()
    }

    /// What is to happen to a send, by the first rule that applies.
    pub(crate) fn decide(&mut self, seed: u64, seen: &Seen<'_>) -> Option<Effect> {
        self.rules
            .iter_mut()
            .find_map(|active| active.applies(seed, seen).then_some(active.rule.effect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(recipient: &str) -> Seen<'_> {
        Seen {
            phone_number_id: "1",
            recipient,
            template: Some("order_update"),
            kind: "template",
            at_ms: 1000,
        }
    }

    fn rules(rule: Value) -> Rules {
        let mut rules = Rules::default();
        rules.add(serde_json::from_value(rule).unwrap());
        rules
    }

    fn hits(rules: &mut Rules, seed: u64) -> Vec<bool> {
        (0..1000)
            .map(|person| rules.decide(seed, &seen(&format!("62812{person:07}"))))
            .map(|effect| effect.is_some())
            .collect()
    }

    #[test]
    fn a_probability_is_decided_by_the_seed_and_the_recipient() {
        let rule = json!({"match": {"probability": 0.2}, "effect": {"silent": {}}});
        let first = hits(&mut rules(rule.clone()), 1);
        assert_eq!(first, hits(&mut rules(rule.clone()), 1));
        assert_ne!(first, hits(&mut rules(rule.clone()), 2));
        let count = first.iter().filter(|hit| **hit).count();
        assert!((150..250).contains(&count), "{count} of 1000");

        let mut again = rules(rule);
        hits(&mut again, 1);
        assert_ne!(first, hits(&mut again, 1), "a second try is drawn for anew");
    }

    #[test]
    fn a_rule_counts_what_it_matches_and_how_often_it_applied() {
        let third = json!({"match": {"nth": 3}, "effect": {"error": {"code": 131000}}});
        let only: Vec<_> = hits(&mut rules(third), 1);
        assert_eq!(only.iter().position(|hit| *hit), Some(2));
        assert_eq!(only.iter().filter(|hit| **hit).count(), 1);
        let twice = json!({"match": {"times": 2}, "effect": {"error": {"code": 131000}}});
        let first: Vec<_> = hits(&mut rules(twice), 1);
        assert!(first[0] && first[1] && !first[2..].iter().any(|hit| *hit));
    }

    #[test]
    fn a_rule_means_only_what_it_describes() {
        let cases = [
            (json!({}), true),
            (json!({"phone_number_id": "1", "kind": "template"}), true),
            (json!({"template": "order_update"}), true),
            (json!({"template": "other"}), false),
            (json!({"recipient": "6281200000001"}), true),
            (json!({"recipient": "6281200000002"}), false),
            (json!({"recipient_suffix": "0001"}), true),
            (json!({"recipient_suffix": "0002"}), false),
            (json!({"from_ms": 1000, "until_ms": 1001}), true),
            (json!({"until_ms": 1000}), false),
            (json!({"from_ms": 1001}), false),
        ];
        for (matching, expected) in cases {
            let mut rules = rules(json!({"match": matching, "effect": {"html_500": {}}}));
            let decided = rules.decide(1, &seen("6281200000001"));
            assert_eq!(decided.is_some(), expected, "{matching}");
        }
    }
}
