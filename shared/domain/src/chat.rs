//! A chat: what one contact and one channel say to each other, and what an agent may send there.

use jiff::{SignedDuration, Timestamp};

use crate::contact::InvalidField;
use crate::id::{ChatId, MessageId};

/// The most characters of a text (Meta: text messages).
pub const TEXT_MAX: usize = 4096;

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

/// A text to send. It is sent as it was written; only emptiness is judged without its spaces.
///
/// # Errors
/// It is empty or too long.
pub fn text(text: &str) -> Result<String, InvalidField> {
    if text.trim().is_empty() {
        return Err(InvalidField::new("text", "a message needs a text"));
    }
    if text.chars().count() > TEXT_MAX {
        return Err(InvalidField::new(
            "text",
            format!("at most {TEXT_MAX} characters are allowed"),
        ));
    }
    Ok(text.to_owned())
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
    fn a_text_has_one_to_4096_characters_however_many_bytes() {
        assert!(text(&"é".repeat(TEXT_MAX)).is_ok());
        assert!(text(&"e".repeat(TEXT_MAX + 1)).is_err());
        assert!(text(" \n ").is_err());
        assert_eq!(text(" two lines\n ").unwrap(), " two lines\n ");
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
