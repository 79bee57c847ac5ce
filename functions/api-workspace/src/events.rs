//! The events as the API documents them. A new event of `domain` does not compile here until it has its
//! place, and clients take their types from the document.

use domain::realtime::Event;
use serde::Serialize;
use utoipa::ToSchema;

/// Something that changed. It may be told twice, and two changes of one thing in either order.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type")]
pub(crate) enum EventOut {
    /// A person wrote (`inbound`), or the workspace did (`outbound`).
    #[serde(rename = "message.created")]
    MessageCreated {
        chat: String,
        message: String,
        direction: DirectionOut,
        #[schema(format = DateTime)]
        at: String,
    },
    /// A message of the workspace reached a status.
    #[serde(rename = "message.updated")]
    MessageUpdated {
        chat: String,
        message: String,
        status: TickOut,
    },
    /// The file of a message that a person sent is there (`ready`), or will not come (`failed`).
    #[serde(rename = "media.updated")]
    MediaUpdated {
        chat: String,
        message: String,
        state: FileStateOut,
    },
    /// A chat was opened, or something about it changed besides its messages.
    #[serde(rename = "chat.updated")]
    ChatUpdated { chat: String },
    /// A note is for you; nobody else is told.
    #[serde(rename = "mention.created")]
    MentionCreated {
        chat: String,
        message: String,
        user: String,
    },
    /// A member is writing an answer, for the next ten seconds. Only on a socket that watches the chat, and
    /// not to the member.
    #[serde(rename = "chat.answering")]
    ChatAnswering { chat: String, user: String },
    /// A member came to a screen or left their last one. Only on a socket, and not to the member; of two the
    /// later counts.
    #[serde(rename = "presence.updated")]
    PresenceUpdated {
        user: String,
        online: bool,
        #[schema(format = DateTime)]
        at: String,
    },
    /// A message of a campaign reached a status. Only on a socket that watches the chat.
    #[serde(rename = "recipient.updated")]
    RecipientUpdated {
        chat: String,
        recipient: String,
        status: StatusOut,
    },
    /// A campaign was changed, or changed its state.
    #[serde(rename = "campaign.updated")]
    CampaignUpdated {
        campaign: String,
        state: CampaignStateOut,
    },
    /// A contact was made or changed.
    #[serde(rename = "contact.updated")]
    ContactUpdated { contact: String },
    #[serde(rename = "contact.deleted")]
    ContactDeleted { contact: String },
    /// An import went on or ended. `offset` of `size` bytes are done.
    #[serde(rename = "import.updated")]
    ImportUpdated {
        import: String,
        state: ImportStateOut,
        offset: u64,
        size: u64,
    },
    /// A template was changed by WhatsApp or read anew.
    #[serde(rename = "template.updated")]
    TemplateUpdated { template: String },
    #[serde(rename = "channel.updated")]
    ChannelUpdated { channel: String },
    /// A member joined, left, or has another role.
    #[serde(rename = "member.updated")]
    MemberUpdated { user: String },
    #[serde(rename = "workspace.updated")]
    WorkspaceUpdated {},
}

/// Declares an enum of the API with the names of one of `domain`.
macro_rules! mirror {
    ($out:ident of $path:path { $($name:ident),* }) => {
        #[derive(Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $out {
            $($name),*
        }

        impl From<$path> for $out {
            fn from(value: $path) -> Self {
                use $path as Of;
                match value {
                    $(Of::$name => Self::$name),*
                }
            }
        }
    };
}

mirror!(DirectionOut of domain::realtime::Direction { Inbound, Outbound, Internal });
mirror!(StatusOut of domain::message::Outcome { Accepted, Delivered, Read, Failed, Excluded, Unknown });
mirror!(TickOut of domain::chat::Tick {
    Queued, Accepted, Sent, Delivered, Read, Played, Failed, Unknown
});
mirror!(FileStateOut of domain::media::FileState { Downloading, Ready, Failed });
mirror!(ImportStateOut of domain::import::ImportState { Waiting, Running, Completed, Failed });
mirror!(CampaignStateOut of domain::campaign::State {
    Draft, Scheduled, Preparing, Sending, Pausing, Paused, Completed, Cancelled, Failed
});

impl From<Event> for EventOut {
    fn from(event: Event) -> Self {
        match event {
            Event::MessageCreated {
                chat,
                message,
                direction,
                at,
            } => Self::MessageCreated {
                chat: chat.into(),
                message: message.into(),
                direction: direction.into(),
                at: at.to_string(),
            },
            Event::MessageUpdated {
                chat,
                message,
                status,
            } => Self::MessageUpdated {
                chat: chat.into(),
                message: message.into(),
                status: status.into(),
            },
            Event::MediaUpdated {
                chat,
                message,
                state,
            } => Self::MediaUpdated {
                chat: chat.into(),
                message: message.into(),
                state: state.into(),
            },
            Event::ChatUpdated { chat } => Self::ChatUpdated { chat: chat.into() },
            Event::MentionCreated {
                chat,
                message,
                user,
            } => Self::MentionCreated {
                chat: chat.into(),
                message: message.into(),
                user: user.into(),
            },
            Event::ChatAnswering { chat, user } => Self::ChatAnswering {
                chat: chat.into(),
                user: user.into(),
            },
            Event::PresenceUpdated { user, online, at } => Self::PresenceUpdated {
                user: user.into(),
                online,
                at: at.to_string(),
            },
            Event::RecipientUpdated {
                chat,
                recipient,
                status,
            } => Self::RecipientUpdated {
                chat: chat.into(),
                recipient,
                status: status.into(),
            },
            Event::CampaignUpdated { campaign, state } => Self::CampaignUpdated {
                campaign: campaign.into(),
                state: state.into(),
            },
            Event::ContactUpdated { contact } => Self::ContactUpdated {
                contact: contact.into(),
            },
            Event::ContactDeleted { contact } => Self::ContactDeleted {
                contact: contact.into(),
            },
            Event::ImportUpdated {
                import,
                state,
                offset,
                size,
            } => Self::ImportUpdated {
                import: import.into(),
                state: state.into(),
                offset,
                size,
            },
            Event::TemplateUpdated { template } => Self::TemplateUpdated { template },
            Event::ChannelUpdated { channel } => Self::ChannelUpdated {
                channel: channel.into(),
            },
            Event::MemberUpdated { user } => Self::MemberUpdated { user: user.into() },
            Event::WorkspaceUpdated {} => Self::WorkspaceUpdated {},
        }
    }
}
