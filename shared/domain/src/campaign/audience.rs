//! Who a campaign goes to: people of the workspace, or the recipients of an earlier campaign.

use serde::{Deserialize, Serialize};

use crate::contact::InvalidField;
use crate::contact::filter::{ConditionForm, Filter};
use crate::id::{CampaignId, ContactId, GroupId};

/// The most groups an audience names.
pub const GROUPS_MAX: usize = 20;

/// The most single contacts an audience names. They are kept in the campaign's own item, which is read
/// and listed often; many people belong in a group.
pub const CONTACTS_MAX: usize = 200;

/// As JSON: `{"groups": ["gr_…"], "contacts": ["ct_…"], "filter": […]}` or
/// `{"campaign": "cp_…", "outcome": "failed"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// Those of an earlier campaign's recipients who ended like this.
    Recipients {
        campaign: CampaignId,
        outcome: Ended,
    },
    /// The union of groups and single contacts, or all contacts when neither is named, narrowed by
    /// the filter.
    People {
        groups: Vec<GroupId>,
        contacts: Vec<ContactId>,
        filter: Filter,
    },
}

/// How a recipient of the earlier campaign ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The message failed for a reason that may have passed.
    Failed,
    /// The person wrote back.
    Replied,
}

/// An audience as a caller writes it; [`Audience::parse`] says what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AudienceForm {
    pub groups: Vec<GroupId>,
    pub contacts: Vec<ContactId>,
    pub filter: Vec<ConditionForm>,
    pub campaign: Option<CampaignId>,
    pub outcome: Option<Ended>,
}

impl Audience {
    /// Reads an audience, each group and contact once.
    ///
    /// # Errors
    /// Every field at fault, such as `audience.filter.0.field`.
    pub fn parse(form: &AudienceForm) -> Result<Self, Vec<InvalidField>> {
        let refused = |field: &str, message: String| Err(vec![InvalidField::new(field, message)]);
        let names_people =
            !form.groups.is_empty() || !form.contacts.is_empty() || !form.filter.is_empty();
        match (&form.campaign, form.outcome) {
            (None, None) => {}
            (Some(_), None) => {
                return refused(
                    "audience.outcome",
                    "say which recipients of that campaign: failed or replied".to_owned(),
                );
            }
            (None, Some(_)) => {
                return refused(
                    "audience.campaign",
                    "say of which campaign the recipients are".to_owned(),
                );
            }
            (Some(_), Some(_)) if names_people => {
                return refused(
                    "audience",
                    "name either people or the recipients of an earlier campaign".to_owned(),
                );
            }
            (Some(campaign), Some(outcome)) => {
                return Ok(Self::Recipients {
                    campaign: campaign.clone(),
                    outcome,
                });
            }
        }
        if !names_people {
            return refused(
                "audience",
                "name groups, contacts or a filter; everybody is {\"field\": \"phone\", \"exists\": true}"
                    .to_owned(),
            );
        }
        let mut faults = Vec::new();
        if form.groups.len() > GROUPS_MAX {
            let message = format!("name at most {GROUPS_MAX} groups");
            faults.push(InvalidField::new("audience.groups", message));
        }
        if form.contacts.len() > CONTACTS_MAX {
            let message =
                format!("name at most {CONTACTS_MAX} contacts; put more of them in a group");
            faults.push(InvalidField::new("audience.contacts", message));
        }
        let filter = Filter::parse(&form.filter).unwrap_or_else(|refused| {
            faults.extend(refused.into_iter().map(|fault| {
                InvalidField::new(format!("audience.{}", fault.field), fault.message)
            }));
            Filter::default()
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self::People {
            groups: distinct(&form.groups),
            contacts: distinct(&form.contacts),
            filter,
        })
    }
}

/// Each once, in the order given.
fn distinct<T: Clone + Eq + std::hash::Hash>(ids: &[T]) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(audience: Value) -> Result<Audience, Vec<String>> {
        let form: AudienceForm = serde_json::from_value(audience).unwrap();
        let fields = |faults: Vec<InvalidField>| faults.into_iter().map(|fault| fault.field);
        Audience::parse(&form).map_err(|faults| fields(faults).collect())
    }

    #[test]
    fn each_kind_reads_back_from_what_is_stored() {
        let (group, contact) = (GroupId::fresh(), ContactId::fresh());
        for audience in [
            json!({"groups": [group, group], "contacts": [contact]}),
            json!({"filter": [{"attribute": "city", "is": "Bandung"}, {"field": "created_at", "after": "2026-11-25"}]}),
            json!({"campaign": CampaignId::fresh(), "outcome": "failed"}),
            json!({"campaign": CampaignId::fresh(), "outcome": "replied"}),
        ] {
            let audience = parse(audience).unwrap();
            let stored = serde_json::to_value(&audience).unwrap();
            assert_eq!(
                serde_json::from_value::<Audience>(stored).unwrap(),
                audience
            );
        }
    }

    #[test]
    fn a_group_named_twice_counts_once() {
        let group = GroupId::fresh();
        let audience = parse(json!({"groups": [group, group]})).unwrap();
        assert_eq!(
            audience,
            Audience::People {
                groups: vec![group],
                contacts: vec![],
                filter: Filter::default()
            }
        );
    }

    #[test]
    fn every_fault_names_its_field() {
        let (group, campaign) = (GroupId::fresh(), CampaignId::fresh());
        let contacts: Vec<_> = (0..=CONTACTS_MAX).map(|_| ContactId::fresh()).collect();
        for (audience, fields) in [
            (json!({}), vec!["audience"]),
            (json!({"campaign": campaign}), vec!["audience.outcome"]),
            (json!({"outcome": "failed"}), vec!["audience.campaign"]),
            (
                json!({"campaign": campaign, "outcome": "failed", "groups": [group]}),
                vec!["audience"],
            ),
            (
                json!({"contacts": contacts, "filter": [{"field": "x", "is": "y"}]}),
                vec!["audience.contacts", "audience.filter.0.field"],
            ),
        ] {
            assert_eq!(parse(audience.clone()).unwrap_err(), fields, "{audience}");
        }
    }
}
