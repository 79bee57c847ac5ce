//! Chats and their messages.

use domain::id::{ChatId, MessageId};
use jiff::Timestamp;

use super::{Key, Range, Table, crossing, due_shard};
use crate::store::Scope;

impl Scope<'_> {
    /// What a chat is: apart from its messages, because it changes.
    #[must_use]
    pub fn chat(&self, chat: &ChatId) -> Key {
        Key::new(Table::Chats, self.chat_pk(chat), "CHAT")
    }

    /// Ids of messages sort by time.
    #[must_use]
    pub fn message(&self, chat: &ChatId, message: &MessageId) -> Key {
        Key::new(
            Table::Chats,
            self.chat_pk(chat),
            format!("MESSAGE#{message}"),
        )
    }

    #[must_use]
    pub fn messages(&self, chat: &ChatId) -> Range {
        Range::new(Table::Chats, self.chat_pk(chat), "MESSAGE#")
    }

    /// A message on its way out, by its place in the chat's line.
    #[must_use]
    pub fn pending(&self, chat: &ChatId, place: u64) -> Key {
        Key::new(
            Table::Chats,
            self.chat_pk(chat),
            format!("PENDING#{place:012}"),
        )
    }

    /// Everything on its way out of a chat, in the order it is to be sent.
    #[must_use]
    pub fn all_pending(&self, chat: &ChatId) -> Range {
        Range::new(Table::Chats, self.chat_pk(chat), "PENDING#")
    }

    /// The entry of a message on its way out in the sparse index of what the tick looks after.
    #[must_use]
    pub fn due_pending(&self, chat: &ChatId, place: u64, at: Timestamp) -> (String, String) {
        let shard = due_shard(chat.as_str());
        (
            crossing::due_pk(shard),
            format!("{:015}#{chat}#{place:012}", at.as_millisecond()),
        )
    }

    pub(super) fn chat_pk(&self, chat: &ChatId) -> String {
        self.pk(&format!("#CHAT#{chat}"))
    }
}
