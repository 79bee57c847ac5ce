//! What open screens are told: events, and the frames that carry them and ask for more.
//!
//! An event names what changed and the state it is in, and no content. It may be told twice, and two
//! changes of the same thing may be told in either order, because different processes make them: whoever
//! reads events takes the higher rank of two statuses, and reads the thing itself when that is not enough.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::campaign::{Counters, RecipientRef, State};
use crate::chat::Tick;
use crate::id::{CampaignId, ChannelId, ChatId, ContactId, ImportId, MessageId, UserId};
use crate::import::ImportState;
use crate::media::FileState;
use crate::message::Outcome;
use crate::workspace::Permission;

/// How many events one item of the log, and so one frame, holds at most. With [`EVENT_MAX`] bytes each
/// they fit a frame (API Gateway: websocket frames of 32 KB).
pub const EVENTS_MAX: usize = 100;

/// The longest event as JSON, in bytes.
pub const EVENT_MAX: usize = 300;

/// For how long somebody who was told to be answering counts as doing so.
pub const ANSWERING: SignedDuration = SignedDuration::from_secs(10);

/// Something that changed in a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// A person wrote, or an agent or a machine of the workspace did; or a member wrote a note.
    #[serde(rename = "message.created")]
    MessageCreated {
        chat: ChatId,
        message: MessageId,
        direction: Direction,
        at: Timestamp,
    },
    /// A message of the workspace reached a status.
    #[serde(rename = "message.updated")]
    MessageUpdated {
        chat: ChatId,
        message: MessageId,
        status: Tick,
    },
    /// The file of a message that a person sent is there, or will not come.
    #[serde(rename = "media.updated")]
    MediaUpdated {
        chat: ChatId,
        message: MessageId,
        state: FileState,
    },
    /// A chat was opened, or something about it changed besides its messages.
    #[serde(rename = "chat.updated")]
    ChatUpdated { chat: ChatId },
    /// A note is for this member, who alone is told.
    #[serde(rename = "mention.created")]
    MentionCreated {
        chat: ChatId,
        message: MessageId,
        user: UserId,
    },
    /// A member is writing an answer; told only to others who watch the chat, and not kept. It holds for
    /// [`ANSWERING`], unless it is told again.
    #[serde(rename = "chat.answering")]
    ChatAnswering { chat: ChatId, user: UserId },
    /// A member came to a screen or left their last one; told to the others, and not kept. Of two the
    /// later `at` counts.
    #[serde(rename = "presence.updated")]
    PresenceUpdated {
        user: UserId,
        online: bool,
        at: Timestamp,
    },
    /// A message of a campaign reached a status; told only to those who watch the chat, and not kept.
    #[serde(rename = "recipient.updated")]
    RecipientUpdated {
        chat: ChatId,
        /// Campaign, chunk and index, as one text.
        recipient: String,
        status: Outcome,
    },
    /// A campaign was changed, or changed its state.
    #[serde(rename = "campaign.updated")]
    CampaignUpdated { campaign: CampaignId, state: State },
    /// A contact was made or changed.
    #[serde(rename = "contact.updated")]
    ContactUpdated { contact: ContactId },
    #[serde(rename = "contact.deleted")]
    ContactDeleted { contact: ContactId },
    /// An import went on or ended. `offset` of `size` bytes are done.
    #[serde(rename = "import.updated")]
    ImportUpdated {
        import: ImportId,
        state: ImportState,
        offset: u64,
        size: u64,
    },
    /// Meta changed a template, or it was read anew.
    #[serde(rename = "template.updated")]
    TemplateUpdated { template: String },
    #[serde(rename = "channel.updated")]
    ChannelUpdated { channel: ChannelId },
    /// A member joined, left, or has another role.
    #[serde(rename = "member.updated")]
    MemberUpdated { user: UserId },
    #[serde(rename = "workspace.updated")]
    WorkspaceUpdated {},
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Inbound,
    Outbound,
    /// A note, which the person never sees.
    Internal,
}

impl Event {
    /// A status of a campaign's message, told to those who watch the chat.
    #[must_use]
    pub fn of_recipient(chat: ChatId, recipient: &RecipientRef, status: Outcome) -> Self {
        Self::RecipientUpdated {
            chat,
            recipient: recipient.to_string(),
            status,
        }
    }

    /// What a role or a key must allow to be told this; `None`: every member and every key is.
    #[must_use]
    pub fn permission(&self) -> Option<Permission> {
        match self {
            Self::MessageCreated { .. }
            | Self::MessageUpdated { .. }
            | Self::MediaUpdated { .. }
            | Self::ChatUpdated { .. }
            | Self::MentionCreated { .. }
            | Self::ChatAnswering { .. }
            | Self::PresenceUpdated { .. }
            | Self::RecipientUpdated { .. } => Some(Permission::ReadChats),
            Self::CampaignUpdated { .. } | Self::TemplateUpdated { .. } => {
                Some(Permission::ReadCampaigns)
            }
            Self::ContactUpdated { .. }
            | Self::ContactDeleted { .. }
            | Self::ImportUpdated { .. } => Some(Permission::ReadContacts),
            Self::ChannelUpdated { .. } => Some(Permission::ReadChannels),
            Self::MemberUpdated { .. } | Self::WorkspaceUpdated {} => None,
        }
    }

    /// Whether it is kept under a number, so that whoever missed it can ask for it. What there is too much
    /// of, or what is true for a moment only, is not.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        !matches!(
            self,
            Self::RecipientUpdated { .. }
                | Self::ChatAnswering { .. }
                | Self::PresenceUpdated { .. }
        )
    }

    /// The chat that a socket must watch to be told this.
    #[must_use]
    pub fn watched(&self) -> Option<&ChatId> {
        match self {
            Self::RecipientUpdated { chat, .. } | Self::ChatAnswering { chat, .. } => Some(chat),
            _ => None,
        }
    }

    /// Whether this member is told, or an API key when there is none. Who is mentioned is told alone; what
    /// somebody does at their own screen they know.
    #[must_use]
    pub fn is_for(&self, member: Option<&UserId>) -> bool {
        match self {
            Self::MentionCreated { user, .. } => member == Some(user),
            Self::ChatAnswering { user, .. } | Self::PresenceUpdated { user, .. } => {
                member != Some(user)
            }
            _ => true,
        }
    }
}

/// What a socket is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Frame {
    /// An item of the workspace's event log, without the events that this socket may not read.
    #[serde(rename = "events")]
    Events { number: u64, events: Vec<Event> },
    /// Events that are not kept.
    #[serde(rename = "watched")]
    Watched { events: Vec<Event> },
    /// The answer to a ping: the number of the log's last item, by which a lost frame is noticed.
    #[serde(rename = "pong")]
    Pong { last: u64 },
    /// The answer to `watch`: from now on.
    #[serde(rename = "watching")]
    Watching { chats: Vec<ChatId> },
    /// The answer to `answering`: others who watch the chat are told, at most every few seconds.
    #[serde(rename = "answering")]
    Answering { chat: ChatId },
    #[serde(rename = "campaign.progress")]
    Progress {
        campaign: CampaignId,
        state: State,
        /// The instant at which the figures were read.
        at: Timestamp,
        statistics: Counters,
    },
    /// What was asked cannot be answered. `closed`: the socket is told nothing more.
    #[serde(rename = "error")]
    Error { code: String, detail: String },
}

/// What a socket asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Ask {
    /// Keeps the socket open; the gateway closes it after ten minutes without a word.
    #[serde(rename = "ping")]
    Ping {},
    /// Be told of everything in a chat, what campaigns sent included.
    #[serde(rename = "watch")]
    Watch { chat: ChatId },
    #[serde(rename = "unwatch")]
    Unwatch { chat: ChatId },
    /// Tell others who watch the chat that this member is writing an answer. To be said again every few
    /// seconds for as long as it holds.
    #[serde(rename = "answering")]
    Answering { chat: ChatId },
    /// A campaign's figures.
    #[serde(rename = "progress")]
    Progress { campaign: CampaignId },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each, as long as it gets.
    fn samples() -> Vec<Event> {
        let (chat, message) = (
            ChatId::derived(&["a"]),
            MessageId::at(Timestamp::MAX, &["a"]),
        );
        let campaign = CampaignId::fresh();
        let recipient = RecipientRef {
            campaign: campaign.clone(),
            chunk: 999_999,
            index: 999,
        };
        vec![
            Event::MessageCreated {
                chat: chat.clone(),
                message: message.clone(),
                direction: Direction::Outbound,
                at: Timestamp::MAX,
            },
            Event::MessageUpdated {
                chat: chat.clone(),
                message: message.clone(),
                status: Tick::Delivered,
            },
            Event::MediaUpdated {
                chat: chat.clone(),
                message: message.clone(),
                state: FileState::Failed,
            },
            Event::ChatUpdated { chat: chat.clone() },
            Event::MentionCreated {
                chat: chat.clone(),
                message,
                user: UserId::fresh(),
            },
            Event::ChatAnswering {
                chat: chat.clone(),
                user: UserId::fresh(),
            },
            Event::PresenceUpdated {
                user: UserId::fresh(),
                online: false,
                at: Timestamp::MAX,
            },
            Event::of_recipient(chat, &recipient, Outcome::Delivered),
            Event::CampaignUpdated {
                campaign,
                state: State::Completed,
            },
            Event::ContactUpdated {
                contact: ContactId::fresh(),
            },
            Event::ContactDeleted {
                contact: ContactId::fresh(),
            },
            Event::ImportUpdated {
                import: ImportId::fresh(),
                state: ImportState::Completed,
                offset: u64::MAX,
                size: u64::MAX,
            },
            Event::TemplateUpdated {
                template: "9".repeat(32),
            },
            Event::ChannelUpdated {
                channel: ChannelId::fresh(),
            },
            Event::MemberUpdated {
                user: UserId::fresh(),
            },
            Event::WorkspaceUpdated {},
        ]
    }

    #[test]
    fn a_frame_of_a_hundred_events_fits_the_gateway() {
        for event in samples() {
            let json = serde_json::to_string(&event).unwrap();
            assert!(json.len() <= EVENT_MAX, "{json}");
            assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
        }
        const { assert!(EVENTS_MAX * (EVENT_MAX + 1) + 100 <= 32 * 1024) };
    }

    #[test]
    fn what_belongs_to_a_watched_chat_or_to_the_moment_is_not_kept() {
        let samples = samples();
        let passing: Vec<_> = samples.iter().filter(|event| !event.is_kept()).collect();
        assert!(matches!(
            passing.as_slice(),
            [
                Event::ChatAnswering { .. },
                Event::PresenceUpdated { .. },
                Event::RecipientUpdated { .. }
            ]
        ));
        let watched = samples.iter().filter(|event| event.watched().is_some());
        assert!(watched.clone().count() > 0);
        assert!(watched.clone().all(|event| !event.is_kept()));
    }

    #[test]
    fn a_mention_is_told_to_one_and_what_one_does_to_the_others() {
        let (own, other) = (UserId::fresh(), UserId::fresh());
        let chat = ChatId::derived(&["a"]);
        let mention = Event::MentionCreated {
            chat: chat.clone(),
            message: MessageId::at(Timestamp::UNIX_EPOCH, &["a"]),
            user: own.clone(),
        };
        let answering = Event::ChatAnswering {
            chat: chat.clone(),
            user: own.clone(),
        };
        let told =
            |event: &Event| [Some(&own), Some(&other), None].map(|member| event.is_for(member));
        assert_eq!(told(&mention), [true, false, false]);
        assert_eq!(told(&answering), [false, true, true]);
        assert_eq!(told(&Event::ChatUpdated { chat }), [true; 3]);
    }

    #[test]
    fn a_question_with_something_unknown_in_it_is_refused() {
        assert!(serde_json::from_str::<Ask>(r#"{"type":"ping"}"#).is_ok());
        assert!(serde_json::from_str::<Ask>(r#"{"type":"ping","x":1}"#).is_err());
        assert!(serde_json::from_str::<Ask>(r#"{"type":"shout"}"#).is_err());
        assert!(serde_json::from_str::<Ask>(r#"{"type":"watch","chat":"ct_1"}"#).is_err());
    }
}
