//! The recipients of a campaign, as its report lists them.

use domain::campaign::{CHUNK, Excluded, Tab};
use domain::id::{CampaignId, ContactId};
use domain::message::Outcome as Rank;
use domain::phone::Phone;
use domain::template::{Rendered, render};
use domain::workspace::Permission;
use jiff::Timestamp;

use super::find;
use super::item::{Campaign, People, Progress};
use super::outcome::Outcome;
use crate::page::{Page, PageRequest, cursor};
use crate::store::Scope;
use crate::store::read::Span;
use crate::{Actor, App, Error};

/// Why nothing more is known of a message.
pub(crate) const UNKNOWN: &str = "It may have been sent: there was no clear answer from WhatsApp.";

/// One recipient and what became of the message.
#[derive(Debug, Clone)]
pub struct Recipient {
    pub contact: ContactId,
    /// Absent for an excluded recipient, to whom nothing was going to be sent.
    pub phone: Option<Phone>,
    /// `None` while pending.
    pub status: Option<Rank>,
    pub wamid: Option<String>,
    pub code: Option<i64>,
    pub excluded: Option<Excluded>,
    /// Why the message failed or was not sent, in words.
    pub reason: Option<&'static str>,
    /// The message as the person sees it.
    pub message: Option<Rendered>,
    /// When the person wrote back.
    pub replied_at: Option<Timestamp>,
    pub at: Option<Timestamp>,
}

/// A page of recipients: all of them, in the order they are sent, or those of one tab. A page of all
/// is one chunk, whatever the limit asked for, because a chunk is one read.
///
/// # Errors
/// The campaign does not exist in this workspace.
pub async fn recipients(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    tab: Option<Tab>,
    page: &PageRequest,
) -> Result<Page<Recipient>, Error> {
    actor.require(Permission::ReadCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let campaign = find(app, scope, id).await?;
    match tab {
        None => chunk_page(app, scope, &campaign, page).await,
        Some(tab) => tab_page(app, scope, &campaign, tab, page).await,
    }
}

async fn chunk_page(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    page: &PageRequest,
) -> Result<Page<Recipient>, Error> {
    let chunk: u32 = match page.place()? {
        Some(place) => place.parse().map_err(|_| {
            Error::invalid("cursor", "use the value of \"next\" from the page before")
        })?,
        None => 0,
    };
    let progress: Progress = app
        .store
        .get(&scope.progress(&campaign.id))
        .await?
        .unwrap_or_default();
    if chunk >= progress.chunks {
        return Ok(Page {
            items: Vec::new(),
            next: None,
        });
    }
    let people: Option<People> = app
        .store
        .get(&scope.chunk_people(&campaign.id, chunk))
        .await?;
    let people = people.map(|people| people.people).unwrap_or_default();
    let outcomes: Vec<Outcome> = app.store.all(&scope.outcomes(&campaign.id, chunk)).await?;
    let pending = (0..people.len() as u32)
        .filter(|index| !outcomes.iter().any(|outcome| outcome.index == *index));
    let mut items: Vec<(u32, Recipient)> = pending
        .filter_map(|index| Some((index, recipient(campaign, &people, index, None)?)))
        .collect();
    items.extend(outcomes.iter().filter_map(|outcome| {
        Some((
            outcome.index,
            recipient(campaign, &people, outcome.index, Some(outcome))?,
        ))
    }));
    items.sort_by_key(|(index, _)| *index);
    let next = (chunk + 1 < progress.chunks).then(|| cursor(&(chunk + 1).to_string()));
    Ok(Page {
        items: items.into_iter().map(|(_, recipient)| recipient).collect(),
        next,
    })
}

async fn tab_page(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    tab: Tab,
    page: &PageRequest,
) -> Result<Page<Recipient>, Error> {
    let after = page.place()?;
    let span = Span::first(page.limit()?).after(after.as_deref());
    let found = app
        .store
        .page::<Outcome>(&scope.tab(&campaign.id, tab), span)
        .await?;
    let mut chunks: Vec<u32> = found.items.iter().map(|outcome| outcome.chunk).collect();
    chunks.dedup();
    let keys: Vec<_> = chunks
        .iter()
        .map(|chunk| scope.chunk_people(&campaign.id, *chunk))
        .collect();
    let people: Vec<(usize, People)> = app.store.get_many(&keys).await?;
    let items = found
        .items
        .iter()
        .filter_map(|outcome| {
            let (_, people) = people
                .iter()
                .find(|(place, _)| chunks[*place] == outcome.chunk)?;
            recipient(campaign, &people.people, outcome.index, Some(outcome))
        })
        .collect();
    Ok(Page {
        items,
        next: found.next.as_deref().map(cursor),
    })
}

/// Why a message failed, was not sent, or is unknown, in words.
pub(super) fn reason(outcome: &Outcome) -> Option<&'static str> {
    outcome
        .code
        .map(whatsapp::reason)
        .or(outcome.excluded.map(Excluded::reason))
        .or((outcome.status == Rank::Unknown).then_some(UNKNOWN))
}

fn recipient(
    campaign: &Campaign,
    people: &[super::item::Person],
    index: u32,
    outcome: Option<&Outcome>,
) -> Option<Recipient> {
    // Places from CHUNK on belong to people who were excluded while planning.
    let person = people
        .get(index as usize)
        .filter(|_| (index as usize) < CHUNK);
    let contact = person
        .map(|person| &person.contact)
        .or(outcome.map(|outcome| &outcome.contact))?
        .clone();
    let code = outcome.and_then(|outcome| outcome.code);
    let excluded = outcome.and_then(|outcome| outcome.excluded);
    Some(Recipient {
        contact,
        phone: person.map(|person| person.phone.clone()),
        status: outcome.map(|outcome| outcome.status),
        wamid: outcome.and_then(|outcome| outcome.wamid.clone()),
        code,
        excluded,
        reason: outcome.and_then(reason),
        message: person
            .map(|person| render(&campaign.template, campaign.header.as_ref(), &person.values)),
        replied_at: outcome.and_then(|outcome| outcome.replied_at),
        at: outcome.map(|outcome| outcome.at),
    })
}
