//! What WhatsApp tells of templates, numbers and accounts.
//!
//! These events carry no id and come at least once and in no order. Each has the second in which it
//! happened, so that an old one does not undo a newer one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::template::{TemplateCategory, TemplateStatus};

/// Something became of one translation of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateEvent {
    /// Meta's id of the template.
    pub id: String,
    /// `None` when Meta did not say.
    pub at: Option<Timestamp>,
    pub change: TemplateChange,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateChange {
    /// With what it means, in words for the template's owner.
    Status {
        status: TemplateStatus,
        reason: String,
    },
    /// `green`, `yellow`, `red` or `unknown`.
    Quality(String),
    Category(TemplateCategory),
    /// It was edited; what it says must be asked for.
    Components,
}

/// Something became of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberEvent {
    /// Meta names the number by its digits here, not by its id.
    pub digits: String,
    pub at: Option<Timestamp>,
    pub change: NumberChange,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberChange {
    /// How many new people in 24 hours: `TIER_2K`.
    MessagingLimit(String),
    /// The number may send at the high level of throughput.
    Upgraded { messaging_limit: Option<String> },
    /// Whether its quality is so low that its limit may be lowered.
    Flagged(bool),
    /// What Meta says to its name: `APPROVED`, `DECLINED`, `PENDING_REVIEW`; with the name when approved.
    Name {
        name_status: String,
        verified_name: Option<String>,
    },
}

/// Something became of a whole WhatsApp Business account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEvent {
    pub at: Option<Timestamp>,
    pub change: AccountChange,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// Messages are refused from now on, for this reason in words.
    Stopped {
        what: Stopped,
        reason: String,
        until: Option<Timestamp>,
    },
    /// They are taken again. What was stopped stays so until somebody resumes it.
    Recovered,
    /// How many new people in 24 hours, for all of the account's numbers.
    MessagingLimit(String),
    /// Something the owner should know, in words.
    Alert(String),
}

/// Which messages are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Everything that the business begins.
    Everything,
    /// Templates of the category utility.
    Utility,
}
