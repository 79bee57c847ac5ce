//! The outcome of one recipient: an item of its own, created when there is something to say and moved
//! only upward, by condition.

use domain::campaign::Excluded;
use domain::id::{CampaignId, ContactId};
use domain::message::Outcome as Rank;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
            at,
        }
    }

    /// The write that makes this the recipient's first outcome.
    pub(crate) fn creation(
        mut self,
        scope: Scope<'_>,
        campaign: &CampaignId,
        chunk: u32,
        index: u32,
    ) -> Result<Write, Error> {
        (self.chunk, self.index) = (chunk, index);
        let write = Write::create(scope.outcome(campaign, chunk, index), &self)?;
        Ok(match scope.tab_entry(campaign, chunk, index, self.status) {
            Some((pk, sk)) => write.with("gsi1pk", pk).with("gsi1sk", sk),
            None => write,
        })
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
        if let Some(wamid) = evidence.wamid.as_ref().filter(|_| self.wamid.is_none()) {
            write = write.set("wamid", wamid)?;
        }
        if let Some(code) = &evidence.code {
            write = write.set("code", code)?;
        }
        let tab = |status| scope.tab_entry(campaign, self.chunk, self.index, status);
        match (tab(self.status), tab(to)) {
            (_, Some((pk, sk))) => write.set("gsi1pk", &pk)?.set("gsi1sk", &sk),
            (Some(_), None) => Ok(write.remove("gsi1pk").remove("gsi1sk")),
            (None, None) => Ok(write),
        }
    }
}
