//! How a recipient is named, and why one may be left out.

use serde::{Deserialize, Serialize};

use crate::id::CampaignId;
use crate::message::Outcome;
use crate::template::Unfillable;

/// One recipient of one campaign: its chunk and its place there.
///
/// Its text travels to Meta with the message and comes back in every status, so it must name the
/// row by itself. The workspace is deliberately absent: it comes from the number that reported.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecipientRef {
    pub campaign: CampaignId,
    pub chunk: u32,
    pub index: u32,
}

/// Which recipients a report lists by themselves. Nearly everyone else is just sent, delivered or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    Failed,
    Unknown,
    Excluded,
    /// Wrote back.
    Replied,
}

impl Tab {
    /// The tab in which an outcome is listed: one at most.
    ///
    /// Whoever replied to a message whose end is unknown is listed as unknown until a status settles
    /// it.
    #[must_use]
    pub fn of(status: Outcome, replied: bool) -> Option<Self> {
        match status {
            Outcome::Failed => Some(Self::Failed),
            Outcome::Unknown => Some(Self::Unknown),
            Outcome::Excluded => Some(Self::Excluded),
            Outcome::Accepted | Outcome::Delivered | Outcome::Read => {
                replied.then_some(Self::Replied)
            }
        }
    }

    /// The word used in storage and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Excluded => "excluded",
            Self::Replied => "replied",
        }
    }
}

/// Why a recipient was left out before anything was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excluded {
    /// The contact asked not to be written to.
    OptedOut,
    /// The workspace blocked the contact.
    Blocked,
    /// The contact has no phone number.
    NoPhone,
    /// The contact's number is in no numbering plan.
    InvalidNumber,
    /// A variable of the template has no value and no fallback.
    MissingValue,
    /// The filled text is longer than Meta allows.
    TooLong,
    /// A value cannot stand in the link or code of a button.
    UnfitValue,
    /// The contact was deleted, or has another number, since the campaign was prepared.
    Changed,
    /// The contact that the audience names was deleted before the campaign was prepared.
    Deleted,
    /// The message failed in the earlier campaign for a reason that a repetition does not cure.
    NotRetryable,
    /// WhatsApp wants a day to pass after the failure in the earlier campaign.
    TooEarly,
}

impl Excluded {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Blocked => "blocked",
            Self::NoPhone => "no_phone",
            Self::InvalidNumber => "invalid_number",
            Self::MissingValue => "missing_value",
            Self::TooLong => "too_long",
            Self::UnfitValue => "unfit_value",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::NotRetryable => "not_retryable",
            Self::TooEarly => "too_early",
        }
    }

    /// The reason in words a person reads.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::OptedOut => "The contact has opted out of messages.",
            Self::Blocked => "The contact is blocked; unblock it to write to it again.",
            Self::NoPhone => "The contact has no phone number.",
            Self::InvalidNumber => "The contact's phone number is not a valid one.",
            Self::MissingValue => "A variable has no value for this contact and no fallback.",
            Self::TooLong => {
                "The message is longer than WhatsApp allows once its variables are filled."
            }
            Self::UnfitValue => {
                "One of this contact's values cannot stand in the link or code of the template's button."
            }
            Self::Changed => {
                "The contact was deleted or has another number since the campaign was prepared."
            }
            Self::Deleted => "The contact was deleted.",
            Self::NotRetryable => {
                "The message failed for a reason that sending it again does not change."
            }
            Self::TooEarly => {
                "WhatsApp held the message back less than 24 hours ago; an earlier try would count against the sender."
            }
        }
    }
}

impl From<Unfillable> for Excluded {
    fn from(reason: Unfillable) -> Self {
        match reason {
            Unfillable::MissingValue { .. } => Self::MissingValue,
            Unfillable::Unfit { .. } => Self::UnfitValue,
            Unfillable::BodyTooLong { .. } | Unfillable::HeaderTooLong { .. } => Self::TooLong,
        }
    }
}

impl std::fmt::Display for RecipientRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.campaign, self.chunk, self.index)
    }
}

/// The text does not name a campaign's recipient; other senders use the same field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a recipient of a campaign")]
pub struct NotARecipient;

impl std::str::FromStr for RecipientRef {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let mut parts = text.split('.');
        let (Some(campaign), Some(chunk), Some(index), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotARecipient);
        };
        Ok(Self {
            campaign: campaign.parse().map_err(|_| NotARecipient)?,
            chunk: chunk.parse().map_err(|_| NotARecipient)?,
            index: index.parse().map_err(|_| NotARecipient)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_reads_back_from_what_meta_echoes() {
        let recipient = RecipientRef {
            campaign: CampaignId::fresh(),
            chunk: 97,
            index: 30,
        };
        assert_eq!(recipient.to_string().parse(), Ok(recipient));
    }

    #[test]
    fn what_other_systems_put_there_is_not_ours() {
        for text in ["", "t1:msg:42", "cp_x.1.2", "a.b.c.d"] {
            assert_eq!(text.parse::<RecipientRef>(), Err(NotARecipient), "{text}");
        }
    }
}
