//! A contact as it is stored.

use domain::campaign::Excluded;
use domain::contact::{Attributes, Consent, ConsentChange, Profile};
use domain::id::{ContactId, GroupId, ImportId};
use domain::phone::Phone;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    /// Absent for people who hide their number; then another identity finds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// WhatsApp's id of the person within the business, when a message told it (Meta: business-scoped
    /// user ids).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default)]
    pub groups: Vec<GroupId>,
    #[serde(default)]
    pub consent: Consent,
    /// The last change of the consent; absent when it is as it was at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_change: Option<ConsentChange>,
    /// When the person last wished for what was so already. A wish between, told late, is older than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) consent_repeated_at: Option<Timestamp>,
    /// Since when nothing is sent to the person and what they write raises no attention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_at: Option<Timestamp>,
    /// The import that wrote the contact last, by which a file's own duplicates are recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Raised by every change, so that two changes at once do not overwrite each other.
    pub version: u64,
}

impl Contact {
    /// When anybody last said whether the contact may be written to.
    pub(super) fn consent_at(&self) -> Option<Timestamp> {
        let changed = self.consent_change.map(|change| change.at);
        changed.max(self.consent_repeated_at)
    }

    /// Why nothing is to be sent to the contact, if so. What was not asked of the person, but decided about
    /// them, comes first: it allows no exception.
    #[must_use]
    pub fn barred(&self) -> Option<Excluded> {
        match (self.blocked_at, self.consent) {
            (Some(_), _) => Some(Excluded::Blocked),
            (None, Consent::OptedOut) => Some(Excluded::OptedOut),
            (None, Consent::Subscribed) => None,
        }
    }

    /// What a template reads of the contact.
    #[must_use]
    pub fn profile(&self) -> Profile<'_> {
        Profile {
            name: self.name.as_deref(),
            phone: self.phone.as_ref().map(Phone::as_str),
            email: self.email.as_deref(),
            attributes: Some(&self.attributes),
        }
    }
}

/// Whose a phone number or a user id is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) contact: ContactId,
}

/// A contact's place in a group.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Membership {
    pub(crate) contact: ContactId,
}
