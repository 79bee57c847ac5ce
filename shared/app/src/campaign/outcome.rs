//! The outcome of one recipient: an item of its own, created when there is something to say and moved
//! only upward, by condition.

use domain::campaign::{Excluded, RecipientRef, Tab};
use domain::id::{CampaignId, ChatId, ContactId};
use domain::message::Outcome as Rank;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Campaign;
use crate::Error;
use crate::store::{Scope, Write};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    pub status: Rank,
    pub contact: ContactId,
    pub chunk: u32,
    pub index: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wamid: Option<String>,
    /// Meta's error code of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Excluded>,
    /// When the person wrote the message that answers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replied_at: Option<Timestamp>,
    /// When the status was reached.
    pub at: Timestamp,
}

/// Why a message ended where it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) wamid: Option<String>,
    pub(crate) code: Option<i64>,
}

impl Outcome {
    pub(crate) fn excluded(at: Timestamp, contact: ContactId, reason: Excluded) -> Self {
        Self {
            status: Rank::Excluded,
            contact,
            chunk: 0,
            index: 0,
            wamid: None,
            code: None,
            excluded: Some(reason),
            replied_at: None,
            at,
        }
    }

    pub(crate) fn new(at: Timestamp, contact: ContactId, status: Rank, evidence: Evidence) -> Self {
        let Evidence { wamid, code } = evidence;
        Self {
            status,
            contact,
            chunk: 0,
            index: 0,
            wamid,
            code,
            excluded: None,
            replied_at: None,
            at,
        }
    }

    /// The write that makes this the recipient's first outcome. Unless nothing was going to be sent,
    /// it is a message in the contact's chat as well, and found from there.
    pub(crate) fn creation(
        mut self,
        scope: Scope<'_>,
        campaign: &Campaign,
        chunk: u32,
        index: u32,
    ) -> Result<Write, Error> {
        (self.chunk, self.index) = (chunk, index);
        let id = &campaign.id;
        let mut write = Write::create(scope.outcome(id, chunk, index), &self)?;
        if let Some(tab) = self.tab() {
            let (pk, sk) = scope.tab_entry(id, chunk, index, tab);
            write = write.with("gsi1pk", pk).with("gsi1sk", sk);
        }
        if self.status != Rank::Excluded {
            let chat = ChatId::of(&campaign.channel, &self.contact);
            let recipient = RecipientRef {
                campaign: id.clone(),
                chunk,
                index,
            };
            let (pk, sk) = scope.thread_entry(&chat, self.at, &recipient);
            write = write.with("gsi2pk", pk).with("gsi2sk", sk);
        }
        Ok(write)
    }

    /// The write that moves this outcome on, if it still stands where it was read.
    pub(crate) fn moved(
        &self,
        scope: Scope<'_>,
        campaign: &CampaignId,
        to: Rank,
        at: Timestamp,
        evidence: &Evidence,
    ) -> Result<Write, Error> {
        let mut write = Write::update(scope.outcome(campaign, self.chunk, self.index))
            .set("status", &to)?
            .set("at", &at)?
            .if_equals("status", &self.status)?;
        // The tab depends on both.
        write = match &self.replied_at {
            Some(replied_at) => write.if_equals("replied_at", replied_at)?,
            None => write.if_missing("replied_at"),
        };
        if let Some(wamid) = evidence.wamid.as_ref().filter(|_| self.wamid.is_none()) {
            write = write.set("wamid", wamid)?;
        }
        if let Some(code) = &evidence.code {
            write = write.set("code", code)?;
        }
        self.listed(
            write,
            scope,
            campaign,
            Tab::of(to, self.replied_at.is_some()),
        )
    }

    /// The write that says that the person wrote back, if nobody said so yet and it still stands where
    /// it was read.
    pub(crate) fn replied(
        &self,
        scope: Scope<'_>,
        campaign: &CampaignId,
        at: Timestamp,
    ) -> Result<Write, Error> {
        let write = Write::update(scope.outcome(campaign, self.chunk, self.index))
            .set("replied_at", &at)?
            .if_missing("replied_at")
            .if_equals("status", &self.status)?;
        self.listed(write, scope, campaign, Tab::of(self.status, true))
    }

    /// Takes the outcome to another tab, or out of its tab.
    fn listed(
        &self,
        write: Write,
        scope: Scope<'_>,
        campaign: &CampaignId,
        to: Option<Tab>,
    ) -> Result<Write, Error> {
        match to {
            tab if tab == self.tab() => Ok(write),
            Some(tab) => {
                let (pk, sk) = scope.tab_entry(campaign, self.chunk, self.index, tab);
                write.set("gsi1pk", &pk)?.set("gsi1sk", &sk)
            }
            None => Ok(write.remove("gsi1pk").remove("gsi1sk")),
        }
    }

    fn tab(&self) -> Option<Tab> {
        Tab::of(self.status, self.replied_at.is_some())
    }
}
