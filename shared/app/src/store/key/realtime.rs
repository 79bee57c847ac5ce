//! Sockets, what they watch, and the event log of a workspace.

use domain::id::{CampaignId, ChatId, UserId};

use super::{Key, Range, Table};
use crate::store::Scope;

impl Scope<'_> {
    /// An open socket, by the gateway's id of the connection.
    #[must_use]
    pub fn socket(&self, id: &str) -> Key {
        Key::new(Table::Ephemeral, self.pk("#SOCKET"), id)
    }

    #[must_use]
    pub fn sockets(&self) -> Range {
        Range::new(Table::Ephemeral, self.pk("#SOCKET"), "")
    }

    /// A chat that a socket watches.
    #[must_use]
    pub fn watch(&self, chat: &ChatId, socket: &str) -> Key {
        Key::new(
            Table::Ephemeral,
            self.pk("#WATCH"),
            format!("{chat}#{socket}"),
        )
    }

    #[must_use]
    pub fn watches(&self) -> Range {
        Range::new(Table::Ephemeral, self.pk("#WATCH"), "")
    }

    /// How many chats were assigned by themselves.
    #[must_use]
    pub fn assignment_turns(&self) -> Key {
        Key::new(Table::Ephemeral, self.pk("#ASSIGNMENT"), "TURNS")
    }

    /// When a member was last told to be answering in a chat.
    #[must_use]
    pub fn answering(&self, chat: &ChatId, user: &UserId) -> Key {
        let pk = self.pk(&format!("#ANSWERING#{chat}"));
        Key::new(Table::Ephemeral, pk, user.as_str())
    }

    /// An item of the event log; zero-padded so that they sort by number.
    #[must_use]
    pub fn events(&self, number: u64) -> Key {
        Key::new(
            Table::Ephemeral,
            self.pk("#EVENTS"),
            format!("{number:020}"),
        )
    }

    #[must_use]
    pub fn event_log(&self) -> Range {
        Range::new(Table::Ephemeral, self.pk("#EVENTS"), "")
    }

    /// The figures of a campaign as they were last read for somebody who watches it.
    #[must_use]
    pub fn figures(&self, campaign: &CampaignId) -> Key {
        Key::new(
            Table::Ephemeral,
            self.pk(&format!("#FIGURES#{campaign}")),
            "FIGURES",
        )
    }
}
