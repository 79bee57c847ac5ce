//! Lists of contacts. Contacts are spread over shards, and a list walks the shards one after the
//! other: a stable order, without reading all shards for every page.

use domain::id::{ContactId, GroupId, SHARDS};
use domain::phone::Phone;
use domain::workspace::Permission;

use super::{Contact, Membership, by_phone};
use crate::page::{Page, PageRequest, cursor};
use crate::store::Scope;
use crate::store::read::Span;
use crate::{Actor, App, Error};

/// Which contacts a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub group: Option<GroupId>,
    /// At most one contact has it.
    pub phone: Option<Phone>,
}

/// # Errors
/// The page request is not acceptable.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Contact>, Error> {
    actor.require(Permission::ReadContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    let limit = page.limit()?;
    if let Some(phone) = &filter.phone {
        let items = by_phone(app, scope, phone).await?.into_iter();
        let items = items.filter(|contact| {
            filter
                .group
                .as_ref()
                .is_none_or(|group| contact.groups.contains(group))
        });
        return Ok(Page {
            items: items.collect(),
            next: None,
        });
    }
    let (mut shard, mut after) = place(page)?;
    let mut items = Vec::with_capacity(limit);
    loop {
        let span = Span::first(limit - items.len()).after(after.as_deref());
        let (found, next) = match &filter.group {
            Some(group) => members(app, scope, group, shard, span).await?,
            None => {
                let page = app
                    .store
                    .page::<Contact>(&scope.contacts(shard), span)
                    .await?;
                (page.items, page.next)
            }
        };
        items.extend(found);
        after = next;
        if after.is_none() {
            shard += 1;
        }
        if shard == SHARDS {
            return Ok(Page { items, next: None });
        }
        if items.len() >= limit {
            let place = format!("{shard}:{}", after.unwrap_or_default());
            return Ok(Page {
                items,
                next: Some(cursor(&place)),
            });
        }
    }
}

async fn members(
    app: &App,
    scope: Scope<'_>,
    group: &GroupId,
    shard: u8,
    span: Span<'_>,
) -> Result<(Vec<Contact>, Option<String>), Error> {
    let page = app
        .store
        .page::<Membership>(&scope.members(group, shard), span)
        .await?;
    let ids: Vec<ContactId> = page
        .items
        .into_iter()
        .map(|member| member.contact)
        .collect();
    let keys: Vec<_> = ids.iter().map(|id| scope.contact(id)).collect();
    let mut found: Vec<(usize, Contact)> = app.store.get_many(&keys).await?;
    found.sort_by_key(|(place, _)| *place);
    Ok((
        found.into_iter().map(|(_, contact)| contact).collect(),
        page.next,
    ))
}

fn place(page: &PageRequest) -> Result<(u8, Option<String>), Error> {
    let Some(place) = page.place()? else {
        return Ok((0, None));
    };
    let refused = || Error::invalid("cursor", "use the value of \"next\" from the page before");
    let (shard, after) = place.split_once(':').ok_or_else(refused)?;
    let shard: u8 = shard
        .parse()
        .ok()
        .filter(|shard| *shard < SHARDS)
        .ok_or_else(refused)?;
    // Only a contact's id may continue a shard, so that a made-up cursor cannot name another key.
    let after = match after {
        "" => None,
        id => Some(id.parse::<ContactId>().map_err(|_| refused())?.to_string()),
    };
    Ok((shard, after))
}
