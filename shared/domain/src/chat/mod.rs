//! A chat: what one contact and one channel say to each other, and what an agent may send there.

mod amendment;
pub mod canned;
mod content;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::{ChatId, MessageId};
use crate::message::Outcome;

pub use amendment::{Amendment, amended};
pub use content::{Card, Choice, Content, Section, TEXT_MAX, TemplateContent};

/// How far the team is with a chat.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody of the team is to answer.
    #[default]
    Open,
    /// It waits for something else than the team.
    Pending,
    /// Out of sight until a time, or until the person writes.
    Snoozed,
    /// Nothing is left to do, until the person writes.
    Resolved,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Open, Self::Pending, Self::Snoozed, Self::Resolved];

    /// The word used in storage, JSON and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }

    /// Where it stands once the person has written.
    #[must_use]
    pub fn after_a_word(self) -> Self {
        match self {
            Self::Open | Self::Snoozed | Self::Resolved => Self::Open,
            Self::Pending => Self::Pending,
        }
    }
}

/// Where a message of the workspace stands, as ticks show it: each word is above those before it, but for
/// the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// On its way to WhatsApp.
    Queued,
    /// WhatsApp took it and gave it an id.
    Accepted,
    /// WhatsApp sent it.
    Sent,
    Delivered,
    Read,
    /// A voice note was played.
    Played,
    Failed,
    /// It may have been sent.
    Unknown,
}

impl Tick {
    /// The word used in JSON and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Outcome> for Tick {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accepted => Self::Accepted,
            Outcome::Delivered => Self::Delivered,
            Outcome::Read => Self::Read,
            Outcome::Failed | Outcome::Excluded => Self::Failed,
            Outcome::Unknown => Self::Unknown,
        }
    }
}

/// How long after a person's last message anything but a template may be sent (Meta: customer service
/// window).
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// When the customer service window closes; `None` when it is closed at `now`.
#[must_use]
pub fn window(last_inbound_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    last_inbound_at
        .and_then(|at| at.checked_add(WINDOW).ok())
        .filter(|closes| now < *closes)
}

/// One message of one chat, by which Meta's statuses name it.
///
/// Like a campaign's recipient it travels with the message and comes back in every status. The
/// workspace is deliberately absent here as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageRef {
    pub chat: ChatId,
    pub message: MessageId,
}

impl std::fmt::Display for MessageRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.chat, self.message)
    }
}

/// The text does not name a message of a chat; campaigns and other senders use the same field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message of a chat")]
pub struct NotAMessage;

impl std::str::FromStr for MessageRef {
    type Err = NotAMessage;

    fn from_str(text: &str) -> Result<Self, NotAMessage> {
        let (chat, message) = text.split_once('.').ok_or(NotAMessage)?;
        Ok(Self {
            chat: chat.parse().map_err(|_| NotAMessage)?,
            message: message.parse().map_err(|_| NotAMessage)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::RecipientRef;
    use crate::id::{CampaignId, ChannelId, ContactId};

    #[test]
    fn the_window_is_open_for_a_day_after_the_last_word() {
        let said = Timestamp::from_second(1_795_000_000).unwrap();
        let after = |hours| said + SignedDuration::from_hours(hours);
        assert_eq!(window(Some(said), after(23)), Some(after(24)));
        assert_eq!(window(Some(said), after(24)), None);
        assert_eq!(window(None, said), None);
    }

    #[test]
    fn a_word_of_the_person_brings_back_what_was_put_away() {
        let after: Vec<_> = Status::ALL.iter().map(|at| at.after_a_word()).collect();
        assert_eq!(
            after,
            [Status::Open, Status::Pending, Status::Open, Status::Open]
        );
    }

    #[test]
    fn a_message_and_a_recipient_are_told_apart_by_what_meta_echoes() {
        let message = MessageRef {
            chat: ChatId::of(&ChannelId::fresh(), &ContactId::fresh()),
            message: MessageId::written(Timestamp::UNIX_EPOCH),
        };
        let recipient = RecipientRef {
            campaign: CampaignId::fresh(),
            chunk: 1,
            index: 2,
        };
        let (said, sent) = (message.to_string(), recipient.to_string());
        assert!(said.len() <= 512, "Meta: biz_opaque_callback_data");
        assert_eq!(said.parse(), Ok(message));
        assert!(said.parse::<RecipientRef>().is_err());
        assert!(sent.parse::<MessageRef>().is_err());
    }
}
