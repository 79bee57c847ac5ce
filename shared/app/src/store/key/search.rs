//! What is found by words: messages by theirs, contacts by their names and numbers.

use domain::id::{ChatId, ContactId, MessageId};

use super::{Key, Range, Table, shard};
use crate::store::Scope;

/// How many partitions the messages with words of one beginning are spread over.
const POSTING_SHARDS: u32 = 4;

impl Scope<'_> {
    /// A message under one beginning of its words. Ids of messages sort by time.
    #[must_use]
    pub fn posting(&self, beginning: &str, message: &MessageId, chat: &ChatId) -> Key {
        let shard = shard(message.as_str(), POSTING_SHARDS);
        let pk = self.posting_pk(beginning, shard);
        Key::new(Table::Search, pk, format!("{message}#{chat}"))
    }

    /// All messages under a beginning. Each range holds a share of them; together they are in order.
    pub fn postings(&self, beginning: &str) -> impl Iterator<Item = Range> + use<'_> {
        let ranges: Vec<Range> = (0..POSTING_SHARDS)
            .map(|shard| Range::new(Table::Search, self.posting_pk(beginning, shard), ""))
            .collect();
        ranges.into_iter()
    }

    /// A contact under one word of its name, or under the digits of its number.
    #[must_use]
    pub fn named(&self, word: &str, contact: &ContactId) -> Key {
        let pk = self.named_pk(contact.shard());
        Key::new(Table::Search, pk, format!("{word}#{contact}"))
    }

    /// The contacts of a shard with a word that begins so.
    #[must_use]
    pub fn all_named(&self, beginning: &str, shard: u8) -> Range {
        Range::new(Table::Search, self.named_pk(shard), beginning)
    }

    fn posting_pk(&self, beginning: &str, shard: u32) -> String {
        self.pk(&format!("#WORD#{beginning}#{shard}"))
    }

    fn named_pk(&self, shard: u8) -> String {
        self.pk(&format!("#NAMED#{shard:x}"))
    }
}
