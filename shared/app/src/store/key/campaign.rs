//! Campaigns: what is planned, who is served, what became of each.

use domain::campaign::{COUNTER_SHARDS, RecipientRef, Tab};
use domain::id::{CampaignId, ChatId, TestId};
use jiff::Timestamp;

use super::{Key, OUTCOMES, Range, THREAD, Table, crossing, due_shard};
use crate::store::Scope;

impl Scope<'_> {
    #[must_use]
    pub fn campaign(&self, campaign: &CampaignId) -> Key {
        Key::new(Table::Main, self.pk("#CAMPAIGN"), campaign.as_str())
    }

    #[must_use]
    pub fn campaigns(&self) -> Range {
        Range::new(Table::Main, self.pk("#CAMPAIGN"), "")
    }

    /// The entry of a campaign in the sparse index of what the tick looks after.
    #[must_use]
    pub fn due_entry(&self, campaign: &CampaignId, at: Timestamp) -> (String, String) {
        let shard = due_shard(campaign.as_str());
        (
            crossing::due_pk(shard),
            format!("{:015}#{campaign}", at.as_millisecond()),
        )
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

    fn chunk_pk(&self, campaign: &CampaignId, chunk: u32) -> String {
        self.pk(&format!("#CAMPAIGN#{campaign}#CHUNK#{chunk:06}"))
    }

    fn tab_pk(&self, campaign: &CampaignId, tab: Tab) -> String {
        self.pk(&format!("#CAMPAIGN#{campaign}#{}", tab.as_str()))
    }
}

/// Where a recipient stands in each tab of the report.
#[must_use]
pub fn tab_place(chunk: u32, index: u32) -> String {
    format!("{chunk:06}#{index:03}")
}
