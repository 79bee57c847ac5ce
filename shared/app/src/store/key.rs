//! Every key of every table. docs/DATA_MODEL.md explains each: its access pattern and its heat.
//!
//! A partition key starts with its workspace; the exceptions are the look-ups of [`super::global`].

use domain::campaign::{COUNTER_SHARDS, RecipientRef, Tab};
use domain::id::{
    ApiKeyId, CampaignId, ChannelId, ChatId, ContactId, GroupId, ImportId, MediaId, MessageId,
    TestId, UserId,
};
use domain::phone::Phone;
use domain::portfolio::Hour;
use jiff::Timestamp;

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
}

/// What the tick looks after, by time.
const DUE: Index = Index::first("due");
/// The tabs of campaigns' reports.
const OUTCOMES: Index = Index::first("outcomes");
/// What campaigns sent, by chat.
const THREAD: Index = Index {
    name: "thread",
    pk: "gsi2pk",
    sk: "gsi2sk",
};

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

    #[must_use]
    pub fn meta(&self) -> Key {
        Key::new(Table::Main, self.pk(""), "META")
    }

    #[must_use]
    pub fn member(&self, user: &UserId) -> Key {
        Key::new(Table::Main, self.pk(""), format!("MEMBER#{user}"))
    }

    #[must_use]
    pub fn api_key(&self, key: &ApiKeyId) -> Key {
        Key::new(Table::Main, self.pk(""), format!("APIKEY#{key}"))
    }

    #[must_use]
    pub fn api_keys(&self) -> Range {
        Range::new(Table::Main, self.pk(""), "APIKEY#")
    }

    #[must_use]
    pub fn channel(&self, channel: &ChannelId) -> Key {
        Key::new(Table::Main, self.pk(""), format!("CHANNEL#{channel}"))
    }

    #[must_use]
    pub fn channels(&self) -> Range {
        Range::new(Table::Main, self.pk(""), "CHANNEL#")
    }

    #[must_use]
    pub fn template(&self, id: &str) -> Key {
        Key::new(Table::Main, self.pk("#TEMPLATE"), id)
    }

    #[must_use]
    pub fn templates(&self) -> Range {
        Range::new(Table::Main, self.pk("#TEMPLATE"), "")
    }

    #[must_use]
    pub fn group(&self, group: &GroupId) -> Key {
        Key::new(Table::Main, self.pk("#GROUP"), group.as_str())
    }

    #[must_use]
    pub fn groups(&self) -> Range {
        Range::new(Table::Main, self.pk("#GROUP"), "")
    }

    /// Keeps the name of a group unique, in lower case.
    #[must_use]
    pub fn group_name(&self, name: &str) -> Key {
        Key::new(Table::Main, self.pk("#GROUPNAME"), name.to_lowercase())
    }

    #[must_use]
    pub fn media(&self, media: &MediaId) -> Key {
        Key::new(Table::Main, self.pk("#MEDIA"), media.as_str())
    }

    /// A file at the number of a channel.
    #[must_use]
    pub fn media_at(&self, media: &MediaId, channel: &ChannelId) -> Key {
        let pk = self.pk(&format!("#MEDIA#{media}"));
        Key::new(Table::Main, pk, format!("CHANNEL#{channel}"))
    }

    #[must_use]
    pub fn import(&self, import: &ImportId) -> Key {
        Key::new(Table::Main, self.pk("#IMPORT"), import.as_str())
    }

    #[must_use]
    pub fn imports(&self) -> Range {
        Range::new(Table::Main, self.pk("#IMPORT"), "")
    }

    /// The rows that one step of an import refused; zero-padded so that they sort by their place.
    #[must_use]
    pub fn import_failures(&self, import: &ImportId, offset: u64) -> Key {
        Key::new(
            Table::Main,
            self.pk(&format!("#IMPORT#{import}")),
            format!("FAILED#{offset:012}"),
        )
    }

    #[must_use]
    pub fn all_import_failures(&self, import: &ImportId) -> Range {
        Range::new(
            Table::Main,
            self.pk(&format!("#IMPORT#{import}")),
            "FAILED#",
        )
    }

    #[must_use]
    pub fn contact(&self, contact: &ContactId) -> Key {
        Key::new(
            Table::Contacts,
            self.pk(&format!("#CONTACT#{:x}", contact.shard())),
            contact.as_str(),
        )
    }

    #[must_use]
    pub fn contacts(&self, shard: u8) -> Range {
        Range::new(Table::Contacts, self.pk(&format!("#CONTACT#{shard:x}")), "")
    }

    /// Keeps a phone number unique in the workspace and finds its contact.
    #[must_use]
    pub fn phone(&self, phone: &Phone) -> Key {
        Key::new(
            Table::Contacts,
            self.pk(&format!("#PHONE#{phone}")),
            "IDENTITY",
        )
    }

    /// Finds the contact of a person who hides their number.
    #[must_use]
    pub fn user_id(&self, user_id: &str) -> Key {
        Key::new(
            Table::Contacts,
            self.pk(&format!("#USERID#{user_id}")),
            "IDENTITY",
        )
    }

    #[must_use]
    pub fn membership(&self, group: &GroupId, contact: &ContactId) -> Key {
        let pk = self.pk(&format!("#GROUP#{group}#{:x}", contact.shard()));
        Key::new(Table::Contacts, pk, contact.as_str())
    }

    #[must_use]
    pub fn members(&self, group: &GroupId, shard: u8) -> Range {
        Range::new(
            Table::Contacts,
            self.pk(&format!("#GROUP#{group}#{shard:x}")),
            "",
        )
    }

    #[must_use]
    pub fn campaign(&self, campaign: &CampaignId) -> Key {
        Key::new(Table::Main, self.pk("#CAMPAIGN"), campaign.as_str())
    }

    #[must_use]
    pub fn campaigns(&self) -> Range {
        Range::new(Table::Main, self.pk("#CAMPAIGN"), "")
    }

    #[must_use]
    pub fn test(&self, campaign: &CampaignId, test: &TestId) -> Key {
        let tests = self.tests(campaign);
        Key::new(tests.table, tests.pk, test.as_str())
    }

    /// Apart from what a campaign writes while it runs.
    #[must_use]
    pub fn tests(&self, campaign: &CampaignId) -> Range {
        let pk = self.pk(&format!("#CAMPAIGN#{campaign}#TESTS"));
        Range::new(Table::Campaigns, pk, "")
    }

    /// How far planning and dispatching are; apart from the campaign's own item, which every claim
    /// checks, so that progress and claims do not collide.
    #[must_use]
    pub fn progress(&self, campaign: &CampaignId) -> Key {
        Key::new(
            Table::Campaigns,
            self.pk(&format!("#CAMPAIGN#{campaign}")),
            "PROGRESS",
        )
    }

    /// Whether the campaign sends: checked by every claim, changed with its state.
    #[must_use]
    pub fn gate(&self, campaign: &CampaignId) -> Key {
        Key::new(
            Table::Campaigns,
            self.pk(&format!("#CAMPAIGN#{campaign}")),
            "GATE",
        )
    }

    /// A chunk in which somebody is still pending or claimed; beside the progress, so that what is left
    /// of a campaign is found without looking through its chunks.
    #[must_use]
    pub fn open_chunk(&self, campaign: &CampaignId, chunk: u32) -> Key {
        Key::new(
            Table::Campaigns,
            self.pk(&format!("#CAMPAIGN#{campaign}")),
            format!("OPEN#{chunk:06}"),
        )
    }

    #[must_use]
    pub fn open_chunks(&self, campaign: &CampaignId) -> Range {
        Range::new(
            Table::Campaigns,
            self.pk(&format!("#CAMPAIGN#{campaign}")),
            "OPEN#",
        )
    }

    /// The last export of a campaign's results.
    #[must_use]
    pub fn export(&self, campaign: &CampaignId) -> Key {
        Key::new(
            Table::Campaigns,
            self.pk(&format!("#CAMPAIGN#{campaign}")),
            "EXPORT",
        )
    }

    #[must_use]
    pub fn counters(&self, campaign: &CampaignId, shard: u32) -> Key {
        let shard = shard % COUNTER_SHARDS;
        Key::new(
            Table::Campaigns,
            self.pk(&format!("#CAMPAIGN#{campaign}#COUNTERS#{shard:x}")),
            "COUNTERS",
        )
    }

    /// Who is in a chunk and with which values: written once, never changed.
    #[must_use]
    pub fn chunk_people(&self, campaign: &CampaignId, chunk: u32) -> Key {
        Key::new(Table::Campaigns, self.chunk_pk(campaign, chunk), "PEOPLE")
    }

    /// Who sends a chunk, and how far: small, because it is written often.
    #[must_use]
    pub fn chunk_claim(&self, campaign: &CampaignId, chunk: u32) -> Key {
        Key::new(Table::Campaigns, self.chunk_pk(campaign, chunk), "CLAIM")
    }

    #[must_use]
    pub fn outcome(&self, campaign: &CampaignId, chunk: u32, index: u32) -> Key {
        Key::new(
            Table::Campaigns,
            self.chunk_pk(campaign, chunk),
            format!("OUTCOME#{index:03}"),
        )
    }

    #[must_use]
    pub fn outcomes(&self, campaign: &CampaignId, chunk: u32) -> Range {
        Range::new(Table::Campaigns, self.chunk_pk(campaign, chunk), "OUTCOME#")
    }

    /// The sparse index behind the report's tabs.
    #[must_use]
    pub fn tab(&self, campaign: &CampaignId, tab: Tab) -> Range {
        Range::of_index(Table::Campaigns, OUTCOMES, self.tab_pk(campaign, tab))
    }

    /// The index attributes of an outcome that is listed in a tab.
    #[must_use]
    pub fn tab_entry(
        &self,
        campaign: &CampaignId,
        chunk: u32,
        index: u32,
        tab: Tab,
    ) -> (String, String) {
        (self.tab_pk(campaign, tab), tab_place(chunk, index))
    }

    /// What campaigns sent to the contact of a chat from its channel.
    #[must_use]
    pub fn thread(&self, chat: &ChatId) -> Range {
        Range::of_index(Table::Campaigns, THREAD, self.chat_pk(chat))
    }

    /// The index attributes by which an outcome is found from the chat. They never change, so that
    /// statuses do not write to the index.
    #[must_use]
    pub fn thread_entry(
        &self,
        chat: &ChatId,
        at: Timestamp,
        recipient: &RecipientRef,
    ) -> (String, String) {
        (
            self.chat_pk(chat),
            format!("{:015}#{recipient}", at.as_millisecond()),
        )
    }

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
        let shard = chat.as_str().bytes().last().map_or(0, u32::from) % DUE_SHARDS;
        (
            crossing::due_pk(shard),
            format!("{:015}#{chat}#{place:012}", at.as_millisecond()),
        )
    }

    #[must_use]
    pub fn messages(&self, chat: &ChatId) -> Range {
        Range::new(Table::Chats, self.chat_pk(chat), "MESSAGE#")
    }

    /// The entry of a campaign in the sparse index of what the tick looks after.
    #[must_use]
    pub fn due_entry(&self, campaign: &CampaignId, at: Timestamp) -> (String, String) {
        let shard = campaign.as_str().bytes().last().map_or(0, u32::from) % DUE_SHARDS;
        (
            crossing::due_pk(shard),
            format!("{:015}#{campaign}", at.as_millisecond()),
        )
    }

    /// When the next message of a number may leave.
    #[must_use]
    pub fn pacer(&self, channel: &ChannelId) -> Key {
        Key::new(
            Table::Ephemeral,
            self.pk(&format!("#PACER#{channel}")),
            "PACER",
        )
    }

    fn chunk_pk(&self, campaign: &CampaignId, chunk: u32) -> String {
        self.pk(&format!("#CAMPAIGN#{campaign}#CHUNK#{chunk:06}"))
    }

    fn tab_pk(&self, campaign: &CampaignId, tab: Tab) -> String {
        self.pk(&format!("#CAMPAIGN#{campaign}#{}", tab.as_str()))
    }

    fn chat_pk(&self, chat: &ChatId) -> String {
        self.pk(&format!("#CHAT#{chat}"))
    }
}

/// Where a recipient stands in each tab of the report.
#[must_use]
pub fn tab_place(chunk: u32, index: u32) -> String {
    format!("{chunk:06}#{index:03}")
}

/// How many partitions the index of due work is spread over.
pub(super) const DUE_SHARDS: u32 = 4;

/// The look-ups that cross workspaces.
pub(super) mod crossing {
    use super::{DUE, Hour, Key, Range, Table, UserId};

    pub(crate) fn due_pk(shard: u32) -> String {
        format!("DUE#{shard:x}")
    }

    pub(crate) fn due_pending(shard: u32) -> Range {
        Range::of_index(Table::Chats, DUE, due_pk(shard))
    }

    pub(crate) fn due(shard: u32) -> Range {
        Range::of_index(Table::Main, DUE, due_pk(shard))
    }

    pub(crate) fn user(user: &UserId) -> Key {
        Key::new(Table::Main, format!("USER#{user}"), "META")
    }

    pub(crate) fn user_workspace(user: &UserId, workspace: &str) -> Key {
        Key::new(
            Table::Main,
            format!("USER#{user}"),
            format!("WS#{workspace}"),
        )
    }

    pub(crate) fn user_workspaces(user: &UserId) -> Range {
        Range::new(Table::Main, format!("USER#{user}"), "WS#")
    }

    pub(crate) fn email(email: &str) -> Key {
        Key::new(
            Table::Main,
            format!("EMAIL#{}", email.to_lowercase()),
            "IDENTITY",
        )
    }

    pub(crate) fn api_key_hash(hash: &str) -> Key {
        Key::new(Table::Main, format!("APIKEYHASH#{hash}"), "IDENTITY")
    }

    pub(crate) fn session(hash: &str) -> Key {
        Key::new(Table::Ephemeral, format!("SESSION#{hash}"), "SESSION")
    }

    pub(crate) fn portfolio_hour(portfolio: &str, hour: Hour) -> Key {
        Key::new(
            Table::Ephemeral,
            format!("PORTFOLIO#{portfolio}"),
            format!("HOUR#{:08}", hour.0),
        )
    }

    pub(crate) fn portfolio_hours(portfolio: &str) -> Range {
        Range::new(Table::Ephemeral, format!("PORTFOLIO#{portfolio}"), "HOUR#")
    }

    pub(crate) fn phone_number_id(id: &str) -> Key {
        Key::new(Table::Main, format!("PHONEID#{id}"), "IDENTITY")
    }
}
