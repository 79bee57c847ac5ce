//! What campaigns sent to a person, for the thread of the chat.

use std::collections::HashMap;

use domain::campaign::RecipientRef;
use domain::id::CampaignId;
use domain::template::render;
use jiff::Timestamp;
use serde::Deserialize;

use super::Outcome;
use super::item::{Campaign, People};
use super::recipients::reason;
use crate::chat::CampaignMessage;
use crate::store::Scope;
use crate::{App, Error};

/// An entry of the index of what campaigns sent: `{milliseconds}#{recipient}`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sent {
    gsi2sk: String,
}

impl Sent {
    pub(crate) fn place(&self) -> &str {
        &self.gsi2sk
    }

    pub(crate) fn millisecond(&self) -> i64 {
        let at = self.gsi2sk.split('#').next();
        at.and_then(|at| at.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn recipient(&self) -> Option<RecipientRef> {
        self.gsi2sk.split_once('#')?.1.parse().ok()
    }

    /// When it was sent, and to whom.
    pub(super) fn read(&self) -> Option<(Timestamp, RecipientRef)> {
        let at = Timestamp::from_millisecond(self.millisecond()).ok()?;
        Some((at, self.recipient()?))
    }
}

/// The messages of these entries as they stand and as the person sees them, in no order. Those of a
/// campaign that is gone are left out.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn in_thread(
    app: &App,
    scope: Scope<'_>,
    entries: &[&Sent],
) -> Result<Vec<CampaignMessage>, Error> {
    let sent: Vec<_> = entries.iter().filter_map(|entry| entry.read()).collect();
    if sent.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<&CampaignId> = sent.iter().map(|(_, to)| &to.campaign).collect();
    ids.sort_unstable();
    ids.dedup();
    let campaigns: Vec<_> = ids.iter().map(|id| scope.campaign(id)).collect();
    let mut chunks: Vec<_> = sent
        .iter()
        .map(|(_, to)| (&to.campaign, to.chunk))
        .collect();
    chunks.sort_unstable();
    chunks.dedup();
    let people: Vec<_> = chunks
        .iter()
        .map(|(campaign, chunk)| scope.chunk_people(campaign, *chunk))
        .collect();
    let outcomes: Vec<_> = sent
        .iter()
        .map(|(_, to)| scope.outcome(&to.campaign, to.chunk, to.index))
        .collect();
    let (campaigns, people, outcomes) = tokio::try_join!(
        app.store.get_many::<Campaign>(&campaigns),
        app.store.get_many::<People>(&people),
        app.store.get_many::<Outcome>(&outcomes),
    )?;
    let campaigns: HashMap<&CampaignId, Campaign> = campaigns
        .into_iter()
        .map(|(place, campaign)| (ids[place], campaign))
        .collect();
    let people: HashMap<_, People> = people
        .into_iter()
        .map(|(place, people)| (chunks[place], people))
        .collect();
    let messages = outcomes.into_iter().filter_map(|(place, outcome)| {
        let (at, to) = &sent[place];
        let campaign = campaigns.get(&to.campaign)?;
        let person = people
            .get(&(&to.campaign, to.chunk))
            .and_then(|people| people.people.get(to.index as usize));
        Some(CampaignMessage {
            recipient: to.clone(),
            campaign: to.campaign.clone(),
            name: campaign.name.clone(),
            message: person
                .map(|person| render(&campaign.template, campaign.header.as_ref(), &person.values)),
            status: outcome.status,
            reason: reason(&outcome),
            wamid: outcome.wamid,
            code: outcome.code,
            at: *at,
        })
    });
    Ok(messages.collect())
}
