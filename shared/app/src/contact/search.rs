//! Finding contacts by the beginning of a name, a number or an e-mail address. What a contact is found by
//! changes in the transaction that changes the contact, so it is always found by what it is.

use std::collections::{BTreeSet, HashMap};

use domain::id::{ContactId, GroupId, SHARDS};
use domain::search::{self, PersonQuery};
use domain::workspace::Permission;
use serde::{Deserialize, Serialize};

use super::Contact;
use crate::page::{Page, PageRequest, cursor};
use crate::store::merge::{Merged, Placed};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error};

/// The most places in the index that are looked at for one page.
const LOOKED_AT_MAX: usize = 1000;

/// A contact's place under one of its names: `{name}#{contact}`.
#[derive(Serialize, Deserialize)]
struct Named {
    #[serde(rename = "sk", skip_serializing)]
    place: String,
    contact: ContactId,
}

impl Placed for Named {
    fn place(&self) -> &str {
        &self.place
    }
}

/// Contacts with a name, number or e-mail address that begins so, in the order of what they were found by.
/// A page may be short although more follow.
///
/// # Errors
/// The text names nobody, or the page request is not acceptable.
pub async fn search(
    app: &App,
    actor: &Actor,
    text: &str,
    group: Option<&GroupId>,
    page: &PageRequest,
) -> Result<Page<Contact>, Error> {
    actor.require(Permission::ReadContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    let (limit, after) = (page.limit()?, page.place()?);
    let query = PersonQuery::parse("search", text)?;
    let beginning = query.beginning();
    let ranges = (0..SHARDS).map(|shard| scope.all_named(beginning, shard));
    let merged =
        Merged::<Named>::oldest_first(&app.store, ranges.collect(), after.as_deref(), limit);
    let found = merged.page(limit, LOOKED_AT_MAX, |_| true).await?;
    let keys: Vec<_> = distinct(&found.items)
        .map(|contact| scope.contact(contact))
        .collect();
    let contacts: Vec<(usize, Contact)> = app.store.get_many(&keys).await?;
    let contacts: HashMap<ContactId, Contact> = contacts
        .into_iter()
        .map(|(_, contact)| (contact.id.clone(), contact))
        .collect();
    let items = found.items.iter().filter_map(|named| {
        let contact = contacts.get(&named.contact)?;
        let names = contact.names();
        // Whoever has several names that begin so is listed by the first of them.
        let first = names.iter().find(|name| name.starts_with(beginning))?;
        let listed = scope.named(first, &contact.id).sort() == named.place
            && query.finds(&names)
            && group.is_none_or(|group| contact.groups.contains(group));
        listed.then(|| contact.clone())
    });
    Ok(Page {
        items: items.collect(),
        next: found.next.as_deref().map(cursor),
    })
}

/// What a new contact is found by.
pub(super) fn kept(scope: Scope<'_>, contact: &Contact) -> Result<Vec<Write>, Error> {
    contact
        .names()
        .iter()
        .map(|name| put(scope, name, contact))
        .collect()
}

/// What a contact is found by from now on, and no more.
pub(super) fn changed(scope: Scope<'_>, old: &Contact, new: &Contact) -> Result<Vec<Write>, Error> {
    let (before, after) = (old.names(), new.names());
    let removed = before
        .difference(&after)
        .map(|name| Ok(Write::delete(scope.named(name, &old.id))));
    let added = after.difference(&before).map(|name| put(scope, name, new));
    removed.chain(added).collect()
}

/// A contact that is deleted is found no more.
pub(super) fn gone(scope: Scope<'_>, contact: &Contact) -> Vec<Write> {
    contact
        .names()
        .iter()
        .map(|name| Write::delete(scope.named(name, &contact.id)))
        .collect()
}

impl Contact {
    fn names(&self) -> BTreeSet<String> {
        let (name, email) = (self.name.as_deref(), self.email.as_deref());
        search::names(name, self.phone.as_ref(), email)
    }
}

fn put(scope: Scope<'_>, name: &str, contact: &Contact) -> Result<Write, Error> {
    let named = Named {
        place: String::new(),
        contact: contact.id.clone(),
    };
    Write::put(scope.named(name, &contact.id), &named)
}

fn distinct(named: &[Named]) -> impl Iterator<Item = &ContactId> {
    let contacts: BTreeSet<&ContactId> = named.iter().map(|named| &named.contact).collect();
    contacts.into_iter()
}
