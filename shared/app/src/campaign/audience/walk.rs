//! The walk through an audience: everyone in it, once each, from any place on.
//!
//! People are met shard by shard in the order of their ids, whichever groups they are in; the
//! recipients of an earlier campaign in the order of its report. The place only moves up, so nobody is
//! met twice however groups and outcomes change meanwhile, and only a page of contacts is in memory.

use std::collections::{BTreeSet, HashMap, VecDeque};

use domain::campaign::{Audience, CHUNK, Ended, Excluded, Tab};
use domain::contact::filter::Filter;
use domain::id::{CampaignId, ContactId, GroupId, SHARDS};
use jiff::Timestamp;

use super::judge::{again, judge};
use crate::campaign::item::{Campaign, Person};
use crate::campaign::outcome::Outcome;
use crate::contact::{Contact, Membership};
use crate::store::Scope;
use crate::store::key::tab_place;
use crate::store::read::Span;
use crate::{App, Error};

/// How far a walk is: everyone before it was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::campaign) struct Place {
    /// The shard of contacts, beyond the last one at the end. An earlier campaign's recipients are all in
    /// the first.
    pub(in crate::campaign) shard: u8,
    /// The sort key of the last one met there.
    pub(in crate::campaign) after: Option<String>,
}

/// Somebody of the audience, and what came of the look at them.
pub(in crate::campaign) struct Met {
    pub(in crate::campaign) contact: ContactId,
    pub(in crate::campaign) verdict: Result<Person, Excluded>,
    sort: String,
}

pub(in crate::campaign) struct Walk<'a> {
    app: &'a App,
    scope: Scope<'a>,
    campaign: &'a Campaign,
    /// Read and not met yet; all of one shard.
    ahead: VecDeque<Met>,
    met: Place,
    read: Place,
}

impl<'a> Walk<'a> {
    pub(in crate::campaign) fn from(
        app: &'a App,
        scope: Scope<'a>,
        campaign: &'a Campaign,
        place: Place,
    ) -> Self {
        Self {
            app,
            scope,
            campaign,
            ahead: VecDeque::new(),
            met: place.clone(),
            read: place,
        }
    }

    /// The next one of the audience; `None` at its end, or when nobody was found until the deadline.
    pub(in crate::campaign) async fn next(
        &mut self,
        deadline: Timestamp,
    ) -> Result<Option<Met>, Error> {
        loop {
            if let Some(met) = self.ahead.pop_front() {
                self.met.after = Some(met.sort.clone());
                return Ok(Some(met));
            }
            if self.ended() || self.app.now() >= deadline {
                return Ok(None);
            }
            self.read_on().await?;
        }
    }

    /// Where another walk goes on.
    pub(in crate::campaign) fn place(&self) -> &Place {
        if self.ahead.is_empty() {
            &self.read
        } else {
            &self.met
        }
    }

    /// Everybody was met.
    pub(in crate::campaign) fn ended(&self) -> bool {
        self.place().shard >= SHARDS
    }

    async fn read_on(&mut self) -> Result<(), Error> {
        self.met = self.read.clone();
        let (page, next_shard) = match &self.campaign.audience {
            Audience::People {
                groups,
                contacts,
                filter,
            } => (
                self.people(groups, contacts, filter).await?,
                self.read.shard + 1,
            ),
            Audience::Recipients { campaign, outcome } => {
                (self.recipients(campaign, *outcome).await?, SHARDS)
            }
        };
        self.ahead = page.met.into();
        self.read = match page.next {
            Some(next) => Place {
                shard: self.read.shard,
                after: Some(next),
            },
            None => Place {
                shard: next_shard,
                after: None,
            },
        };
        Ok(())
    }

    fn span(&self) -> Span<'_> {
        Span::first(CHUNK).after(self.read.after.as_deref())
    }

    async fn people(
        &self,
        groups: &[GroupId],
        contacts: &[ContactId],
        filter: &Filter,
    ) -> Result<Page, Error> {
        let (found, missing, next) = if groups.is_empty() && contacts.is_empty() {
            let all = self.scope.contacts(self.read.shard);
            let page = self.app.store.page::<Contact>(&all, self.span()).await?;
            (page.items, Vec::new(), page.next)
        } else {
            self.named(groups, contacts).await?
        };
        let found = found
            .iter()
            .filter(|contact| filter.matches(&contact.profile(), contact.created_at))
            .map(|contact| Met {
                contact: contact.id.clone(),
                verdict: judge(self.campaign, contact),
                sort: contact.id.to_string(),
            });
        let missing = missing.into_iter().map(|contact| Met {
            sort: contact.to_string(),
            contact,
            verdict: Err(Excluded::Deleted),
        });
        let mut met: Vec<Met> = found.chain(missing).collect();
        met.sort_by(|one, other| one.sort.cmp(&other.sort));
        Ok(Page { met, next })
    }

    /// The contacts of a stretch of the shard that are named singly or by a group, those named singly
    /// that do not exist, and where the stretch ends.
    async fn named(
        &self,
        groups: &[GroupId],
        contacts: &[ContactId],
    ) -> Result<(Vec<Contact>, Vec<ContactId>, Option<String>), Error> {
        let shard = self.read.shard;
        let after = self.read.after.as_deref();
        let singly: BTreeSet<&ContactId> = contacts
            .iter()
            .filter(|id| id.shard() == shard && after.is_none_or(|after| id.as_str() > after))
            .collect();
        let mut ids: BTreeSet<ContactId> = singly.iter().copied().cloned().collect();
        let mut horizon: Option<ContactId> = None;
        for group in groups {
            let members = self.scope.members(group, shard);
            let page = self
                .app
                .store
                .page::<Membership>(&members, self.span())
                .await?;
            if page.next.is_some() {
                // This group was not read to its end, so nothing beyond its last member is certain yet.
                let last = page.items.last().map(|member| member.contact.clone());
                horizon = match (horizon, last) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            ids.extend(page.items.into_iter().map(|member| member.contact));
        }
        if let Some(horizon) = &horizon {
            ids.retain(|id| id <= horizon);
        }
        let found = self.contacts(ids.iter()).await?;
        let missing = singly
            .into_iter()
            .filter(|id| ids.contains(*id) && !found.contains_key(*id))
            .cloned()
            .collect();
        Ok((
            found.into_values().collect(),
            missing,
            horizon.map(String::from),
        ))
    }

    async fn recipients(&self, earlier: &CampaignId, ended: Ended) -> Result<Page, Error> {
        let tab = match ended {
            Ended::Failed => self.scope.tab(earlier, Tab::Failed),
            Ended::Replied => self.scope.tab(earlier, Tab::Replied),
        };
        let page = self.app.store.page::<Outcome>(&tab, self.span()).await?;
        let outcomes = page.items;
        let contacts = self
            .contacts(outcomes.iter().map(|outcome| &outcome.contact))
            .await?;
        let now = self.app.now();
        let met = outcomes
            .into_iter()
            .map(|outcome| Met {
                verdict: again(&outcome, ended, now).and_then(|()| {
                    let contact = contacts.get(&outcome.contact).ok_or(Excluded::Deleted)?;
                    judge(self.campaign, contact)
                }),
                sort: tab_place(outcome.chunk, outcome.index),
                contact: outcome.contact,
            })
            .collect();
        Ok(Page {
            met,
            next: page.next,
        })
    }

    async fn contacts(
        &self,
        ids: impl Iterator<Item = &ContactId>,
    ) -> Result<HashMap<ContactId, Contact>, Error> {
        let keys: Vec<_> = ids.map(|id| self.scope.contact(id)).collect();
        let found: Vec<(usize, Contact)> = self.app.store.get_many(&keys).await?;
        let found = found.into_iter();
        Ok(found
            .map(|(_, contact)| (contact.id.clone(), contact))
            .collect())
    }
}

/// Those that one read found, in order, and where the next begins; without it the shard is finished.
struct Page {
    met: Vec<Met>,
    next: Option<String>,
}
