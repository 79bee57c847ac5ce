//! Every key of every table. docs/DATA_MODEL.md explains each: its access pattern and its heat.
//!
//! A partition key starts with its workspace; the exceptions are the look-ups of [`super::global`].

mod campaign;
mod chat;
mod contact;
pub(super) mod crossing;
mod realtime;
mod request;
mod search;
mod workspace;

pub use campaign::tab_place;

use super::Scope;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Small and precious: workspaces, members, keys, channels, templates, groups, campaigns, imports.
    Main,
    /// Contacts, their identities and their memberships of groups.
    Contacts,
    /// Chunks, outcomes and counters of campaigns: large, and hot while a campaign runs.
    Campaigns,
    /// Chats and their messages: large, and never changed once old.
    Chats,
    /// What messages and contacts are found by: large, and made of what the other tables say.
    Search,
    /// Sessions and pacers: may be lost.
    Ephemeral,
}

/// The address of one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub(super) table: Table,
    pub(super) pk: String,
    pub(super) sk: String,
}

/// The items of one partition whose sort keys share a beginning.
#[derive(Debug, Clone)]
pub struct Range {
    pub(super) table: Table,
    pub(super) index: Option<Index>,
    pub(super) pk: String,
    pub(super) prefix: String,
}

/// A sparse index: its name, and the attributes that put an item into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index {
    pub(super) name: &'static str,
    pub(super) pk: &'static str,
    pub(super) sk: &'static str,
}

impl Index {
    const fn first(name: &'static str) -> Self {
        Self {
            name,
            pk: "gsi1pk",
            sk: "gsi1sk",
        }
    }

    const fn second(name: &'static str) -> Self {
        Self {
            name,
            pk: "gsi2pk",
            sk: "gsi2sk",
        }
    }

    const fn third(name: &'static str) -> Self {
        Self {
            name,
            pk: "gsi3pk",
            sk: "gsi3sk",
        }
    }
}

/// What the tick looks after, by time.
const DUE: Index = Index::first("due");
/// The tabs of campaigns' reports.
const OUTCOMES: Index = Index::first("outcomes");
/// What campaigns sent, by chat.
const THREAD: Index = Index::second("thread");
/// Chats by status, the latest activity last.
const INBOX: Index = Index::second("inbox");
/// The same by who is to answer.
const ASSIGNED: Index = Index::third("assigned");

impl Key {
    fn new(table: Table, pk: String, sk: impl Into<String>) -> Self {
        Self {
            table,
            pk,
            sk: sk.into(),
        }
    }

    /// The sort key, where a cursor continues after this item.
    #[must_use]
    pub fn sort(&self) -> &str {
        &self.sk
    }
}

impl Range {
    fn new(table: Table, pk: String, prefix: impl Into<String>) -> Self {
        Self {
            table,
            index: None,
            pk,
            prefix: prefix.into(),
        }
    }

    fn of_index(table: Table, index: Index, pk: String) -> Self {
        Self {
            table,
            index: Some(index),
            pk,
            prefix: String::new(),
        }
    }
}

impl Scope<'_> {
    fn pk(&self, rest: &str) -> String {
        format!("WS#{}{rest}", self.workspace)
    }
}

/// How many partitions a list of chats is spread over.
pub const INBOX_SHARDS: u32 = 4;

/// How many partitions the index of due work is spread over.
pub(super) const DUE_SHARDS: u32 = 4;

fn due_shard(id: &str) -> u32 {
    shard(id, DUE_SHARDS)
}

/// Ids end in digits that are random, or a hash's.
fn shard(id: &str, of: u32) -> u32 {
    id.bytes().last().map_or(0, u32::from) % of
}
