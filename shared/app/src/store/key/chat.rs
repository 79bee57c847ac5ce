//! Chats and their messages.

use domain::chat::Status;
use domain::id::{CannedReplyId, ChatId, MessageId, UserId};
use jiff::Timestamp;

use super::{ASSIGNED, INBOX, INBOX_SHARDS, Key, Range, Table, crossing, due_shard, shard};
use crate::store::Scope;

/// How many items the live counts of a workspace's chats are spread over.
const COUNT_SHARDS: u32 = 16;

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

    /// What became of a message that Meta names so.
    #[must_use]
    pub fn amendment(&self, chat: &ChatId, wamid: &str) -> Key {
        let sk = format!("AMENDMENT#{wamid}");
        Key::new(Table::Chats, self.chat_pk(chat), sk)
    }

    /// What the chat was answered by itself.
    #[must_use]
    pub fn answered(&self, chat: &ChatId) -> Key {
        Key::new(Table::Chats, self.chat_pk(chat), "ANSWERED")
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

    /// The entry of a snoozed chat in the same index.
    #[must_use]
    pub fn due_chat(&self, chat: &ChatId, at: Timestamp) -> (String, String) {
        let shard = due_shard(chat.as_str());
        (
            crossing::due_pk(shard),
            format!("{:015}#{chat}", at.as_millisecond()),
        )
    }

    /// The place of a chat in the list of its status.
    #[must_use]
    pub fn inbox_entry(&self, status: Status, chat: &ChatId, at: Timestamp) -> (String, String) {
        let shard = shard(chat.as_str(), INBOX_SHARDS);
        (self.inbox_pk(status, shard), active(chat, at))
    }

    /// The lists of all chats of a status. Each holds a share of them; together they are in order.
    pub fn inbox(&self, status: Status) -> impl Iterator<Item = Range> + use<'_> {
        (0..INBOX_SHARDS)
            .map(move |shard| Range::of_index(Table::Chats, INBOX, self.inbox_pk(status, shard)))
    }

    /// The place of a chat among those of whoever is to answer it.
    #[must_use]
    pub fn assigned_entry(
        &self,
        assignee: Option<&UserId>,
        status: Status,
        chat: &ChatId,
        at: Timestamp,
    ) -> (String, String) {
        let shard = shard(chat.as_str(), INBOX_SHARDS);
        (self.assigned_pk(assignee, status, shard), active(chat, at))
    }

    /// The lists of the chats that a person, or nobody, is to answer.
    pub fn assigned(
        &self,
        assignee: Option<UserId>,
        status: Status,
    ) -> impl Iterator<Item = Range> + use<'_> {
        (0..INBOX_SHARDS).map(move |shard| {
            let pk = self.assigned_pk(assignee.as_ref(), status, shard);
            Range::of_index(Table::Chats, ASSIGNED, pk)
        })
    }

    /// The labels of the workspace.
    #[must_use]
    pub fn labels(&self) -> Key {
        Key::new(Table::Main, self.pk(""), "LABELS")
    }

    #[must_use]
    pub fn canned_reply(&self, id: &CannedReplyId) -> Key {
        Key::new(Table::Main, self.pk("#CANNEDREPLY"), id.as_str())
    }

    /// Which canned reply a shortcut names.
    #[must_use]
    pub fn shortcut(&self, shortcut: &str) -> Key {
        Key::new(Table::Main, self.pk("#SHORTCUT"), shortcut)
    }

    /// The shortcuts that begin with a text, in their order.
    #[must_use]
    pub fn shortcuts(&self, beginning: &str) -> Range {
        Range::new(Table::Main, self.pk("#SHORTCUT"), beginning)
    }

    /// The share of the live counts that a chat is counted in.
    #[must_use]
    pub fn chat_counts(&self, chat: &ChatId) -> Key {
        let counts = self.all_chat_counts();
        let shard = shard(chat.as_str(), COUNT_SHARDS);
        Key::new(counts.table, counts.pk, format!("{shard:02}"))
    }

    #[must_use]
    pub fn all_chat_counts(&self) -> Range {
        Range::new(Table::Chats, self.pk("#CHATCOUNTS"), "")
    }

    fn inbox_pk(&self, status: Status, shard: u32) -> String {
        self.pk(&format!("#INBOX#{}#{shard}", status.as_str()))
    }

    fn assigned_pk(&self, assignee: Option<&UserId>, status: Status, shard: u32) -> String {
        let who = assignee.map_or("NOBODY", UserId::as_str);
        self.pk(&format!("#ASSIGNED#{who}#{}#{shard}", status.as_str()))
    }

    /// The file of a message that is to be fetched.
    #[must_use]
    pub fn fetch(&self, chat: &ChatId, message: &MessageId) -> Key {
        let sk = format!("FETCH#{message}");
        Key::new(Table::Chats, self.chat_pk(chat), sk)
    }

    /// The entry of a file that is to be fetched in the sparse index of what the tick looks after.
    #[must_use]
    pub fn due_fetch(&self, chat: &ChatId, message: &MessageId, at: Timestamp) -> (String, String) {
        let shard = due_shard(chat.as_str());
        (
            crossing::due_fetch_pk(shard),
            format!("{:015}#{chat}#{message}", at.as_millisecond()),
        )
    }

    pub(super) fn chat_pk(&self, chat: &ChatId) -> String {
        self.pk(&format!("#CHAT#{chat}"))
    }
}

fn active(chat: &ChatId, at: Timestamp) -> String {
    format!("{:015}#{chat}", at.as_millisecond().max(0))
}
