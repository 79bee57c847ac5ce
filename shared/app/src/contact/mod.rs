//! Contacts: create, read, change, delete, list. The example to copy for a new noun.
//!
//! A contact, its identities and its memberships change in one transaction, so a number belongs to
//! one contact of a workspace and a group's count is exact.

mod consent;
mod item;
mod list;
mod moved;
mod search;
mod sender;

use domain::contact::{
    self, Attributes, Consent, ConsentChange, ConsentSource, GROUPS_PER_CONTACT_MAX,
};
use domain::id::{ContactId, GroupId, ImportId};
use domain::phone::{Phone, Region};
use domain::realtime::Event;
use domain::workspace::Permission;

use crate::chat::{self, Author, What};
use crate::error::FieldError;
use crate::store::write::Write;
use crate::store::{Committed, Scope};
use crate::{Actor, App, Error, group, realtime};

pub(crate) use consent::wish;
pub use item::Contact;
pub(crate) use item::{Identity, Membership};
pub use list::{Filter, list};
pub use search::search;
pub(crate) use sender::{by_wa_id, of_sender};

/// What a caller gives to make a contact.
#[derive(Debug, Clone, Default)]
pub struct NewContact {
    pub phone: String,
    /// Where a number without a country code is from.
    pub region: Option<Region>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub attributes: Attributes,
    pub groups: Vec<GroupId>,
}

/// What a caller changes of a contact; `None` leaves a field as it is, an empty text clears it.
#[derive(Debug, Clone, Default)]
pub struct ContactPatch {
    pub phone: Option<String>,
    pub region: Option<Region>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// Attributes to set; an empty value removes one.
    pub attributes: Attributes,
    pub groups: Option<Vec<GroupId>>,
    pub consent: Option<Consent>,
    pub blocked: Option<bool>,
}

/// # Errors
/// A field is not acceptable, a group does not exist, or the number belongs to another contact.
pub async fn create(app: &App, actor: &Actor, new: NewContact) -> Result<Contact, Error> {
    actor.require(Permission::WriteContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    let mut refused = Vec::new();
    let phone = keep(
        Phone::parse(&new.phone, new.region.as_ref()).map_err(|e| invalid("phone", e)),
        &mut refused,
    );
    let name = keep(
        contact::name(new.name.as_deref().unwrap_or_default()),
        &mut refused,
    )
    .flatten();
    let email = keep(
        contact::email(new.email.as_deref().unwrap_or_default()),
        &mut refused,
    )
    .flatten();
    let attributes = keep(contact::attributes(&new.attributes), &mut refused).unwrap_or_default();
    let groups = existing_groups(app, scope, &new.groups, &mut refused).await?;
    let Some(phone) = phone.filter(|_| refused.is_empty()) else {
        return Err(Error::Invalid(refused));
    };
    let contact = Contact {
        id: ContactId::fresh(),
        phone: Some(phone),
        user_id: None,
        name,
        email,
        attributes,
        groups,
        consent: Consent::Subscribed,
        consent_change: None,
        consent_repeated_at: None,
        blocked_at: None,
        import: None,
        created_at: app.now(),
        updated_at: app.now(),
        version: 0,
    };
    let mut writes = creation(scope, &contact)?;
    writes.extend(
        contact
            .groups
            .iter()
            .map(|group| group::counted(scope, group, 1)),
    );
    app.store.transact(writes).await?.or(taken)?;
    realtime::announce(app, scope, updated(&contact.id)).await;
    Ok(contact)
}

/// # Errors
/// The contact does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &ContactId) -> Result<Contact, Error> {
    actor.require(Permission::ReadContacts)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

/// # Errors
/// The contact does not exist, a field is not acceptable, or somebody else changed it meanwhile.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: &ContactId,
    patch: ContactPatch,
) -> Result<Contact, Error> {
    actor.require(Permission::WriteContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    let mut old = find(app, scope, id).await?;
    // Groups that were deleted since have no count to lower, so they are forgotten first.
    old.groups = group::existing(app, scope, &old.groups).await?;
    let new = patched(app, scope, &old, patch).await?;
    let mut writes = change(scope, &old, &new)?;
    writes.extend(missing(&old.groups, &new.groups).map(|group| group::counted(scope, group, 1)));
    writes.extend(missing(&new.groups, &old.groups).map(|group| group::counted(scope, group, -1)));
    let mut chats = Vec::new();
    let told = decided(&old, &new);
    if !told.is_empty() {
        chats = consent::in_chats(app, scope, id).await?;
        let by = Author::of(actor);
        for chat in &chats {
            for what in &told {
                writes.push(chat::change::line(app, scope, chat, &by, what.clone())?);
            }
        }
    }
    match app.store.transact(writes).await? {
        Committed::Yes => {
            realtime::announce(app, scope, updated(id)).await;
            for chat in chats {
                realtime::announce(app, scope, Event::ChatUpdated { chat }).await;
            }
            Ok(new)
        }
        // The first write is the contact itself; after it come its number and its groups.
        Committed::No(failed) if failed.contains(&0) || old.phone == new.phone => {
            Err(changed_meanwhile())
        }
        Committed::No(_) => Err(taken()),
    }
}

/// # Errors
/// The contact does not exist, or changed meanwhile.
pub async fn delete(app: &App, actor: &Actor, id: &ContactId) -> Result<(), Error> {
    actor.require(Permission::WriteContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    let contact = find(app, scope, id).await?;
    let mut writes = vec![Write::delete(scope.contact(id)).if_equals("version", &contact.version)?];
    writes.extend(
        contact
            .phone
            .iter()
            .map(|phone| Write::delete(scope.phone(phone))),
    );
    writes.extend(
        contact
            .user_id
            .iter()
            .map(|user_id| Write::delete(scope.user_id(user_id))),
    );
    writes.extend(search::gone(scope, &contact));
    for group in group::existing(app, scope, &contact.groups).await? {
        writes.push(Write::delete(scope.membership(&group, id)));
        writes.push(group::counted(scope, &group, -1));
    }
    app.store.transact(writes).await?.or(changed_meanwhile)?;
    let event = Event::ContactDeleted {
        contact: id.clone(),
    };
    realtime::announce(app, scope, event).await;
    Ok(())
}

/// What open screens are told of a contact that was made or changed.
pub(crate) fn updated(contact: &ContactId) -> Event {
    Event::ContactUpdated {
        contact: contact.clone(),
    }
}

/// The contact with this number.
pub(crate) async fn by_phone(
    app: &App,
    scope: Scope<'_>,
    phone: &Phone,
) -> Result<Option<Contact>, Error> {
    let identity: Option<Identity> = app.store.get(&scope.phone(phone)).await?;
    match identity {
        Some(identity) => app.store.get(&scope.contact(&identity.contact)).await,
        None => Ok(None),
    }
}

/// The id that an import gives to the contact with this number: a repeated step makes the same one.
pub(crate) fn derived_id(scope: Scope<'_>, phone: &Phone) -> ContactId {
    ContactId::derived(&[scope.workspace.as_str(), phone.as_str()])
}

/// The writes that make a contact, without the counts of its groups.
pub(crate) fn creation(scope: Scope<'_>, contact: &Contact) -> Result<Vec<Write>, Error> {
    let mut writes = vec![Write::create(scope.contact(&contact.id), contact)?];
    if let Some(phone) = &contact.phone {
        writes.push(Write::create(
            scope.phone(phone),
            &Identity {
                contact: contact.id.clone(),
            },
        )?);
    }
    if let Some(user_id) = &contact.user_id {
        writes.push(Write::create(
            scope.user_id(user_id),
            &Identity {
                contact: contact.id.clone(),
            },
        )?);
    }
    writes.extend(search::kept(scope, contact)?);
    for group in &contact.groups {
        writes.push(Write::put(
            scope.membership(group, &contact.id),
            &Membership {
                contact: contact.id.clone(),
            },
        )?);
    }
    Ok(writes)
}

/// The writes that turn one state of a contact into another, if it is still in the first; without
/// the counts of the groups it joins or leaves.
pub(crate) fn change(scope: Scope<'_>, old: &Contact, new: &Contact) -> Result<Vec<Write>, Error> {
    let mut writes =
        vec![Write::put(scope.contact(&new.id), new)?.if_equals("version", &old.version)?];
    if old.phone != new.phone {
        writes.extend(
            old.phone
                .iter()
                .map(|phone| Write::delete(scope.phone(phone))),
        );
        if let Some(phone) = &new.phone {
            writes.push(Write::create(
                scope.phone(phone),
                &Identity {
                    contact: new.id.clone(),
                },
            )?);
        }
    }
    if old.user_id != new.user_id {
        let gone = old.user_id.iter();
        writes.extend(gone.map(|user_id| Write::delete(scope.user_id(user_id))));
        if let Some(user_id) = &new.user_id {
            let identity = Identity {
                contact: new.id.clone(),
            };
            writes.push(Write::create(scope.user_id(user_id), &identity)?);
        }
    }
    writes.extend(search::changed(scope, old, new)?);
    for group in missing(&old.groups, &new.groups) {
        writes.push(Write::put(
            scope.membership(group, &new.id),
            &Membership {
                contact: new.id.clone(),
            },
        )?);
    }
    for group in missing(&new.groups, &old.groups) {
        writes.push(Write::delete(scope.membership(group, &new.id)));
    }
    Ok(writes)
}

/// The groups of `these` that are not among `those`.
pub(crate) fn missing<'a>(
    those: &'a [GroupId],
    these: &'a [GroupId],
) -> impl Iterator<Item = &'a GroupId> {
    these.iter().filter(|group| !those.contains(group))
}

pub(crate) fn touched(mut contact: Contact, app: &App, import: Option<ImportId>) -> Contact {
    contact.updated_at = app.now();
    contact.version += 1;
    contact.import = import;
    contact
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &ContactId) -> Result<Contact, Error> {
    app.store
        .get(&scope.contact(id))
        .await?
        .ok_or_else(|| Error::not_found("the contact"))
}

/// What the chats of a contact tell of its change.
fn decided(old: &Contact, new: &Contact) -> Vec<What> {
    let consent = (old.consent != new.consent).then_some(What::Consent {
        consent: new.consent,
        source: ConsentSource::Workspace,
    });
    let blocked = new.blocked_at.is_some();
    let block = (old.blocked_at.is_some() != blocked).then_some(What::Blocked { blocked });
    consent.into_iter().chain(block).collect()
}

async fn patched(
    app: &App,
    scope: Scope<'_>,
    old: &Contact,
    patch: ContactPatch,
) -> Result<Contact, Error> {
    let mut refused = Vec::new();
    let mut new = touched(old.clone(), app, old.import.clone());
    if let Some(text) = patch.phone {
        let phone = Phone::parse(&text, patch.region.as_ref()).map_err(|e| invalid("phone", e));
        new.phone = keep(phone, &mut refused);
    }
    if let Some(text) = patch.name {
        new.name = keep(contact::name(&text), &mut refused).flatten();
    }
    if let Some(text) = patch.email {
        new.email = keep(contact::email(&text), &mut refused).flatten();
    }
    new.attributes.extend(patch.attributes);
    new.attributes = keep(contact::attributes(&new.attributes), &mut refused).unwrap_or_default();
    if let Some(groups) = patch.groups {
        new.groups = existing_groups(app, scope, &groups, &mut refused).await?;
    }
    if let Some(consent) = patch.consent.filter(|consent| *consent != old.consent) {
        new.consent = consent;
        new.consent_change = Some(ConsentChange {
            at: app.now(),
            source: ConsentSource::Workspace,
        });
    }
    match patch.blocked {
        Some(true) => new.blocked_at = old.blocked_at.or(Some(app.now())),
        Some(false) => new.blocked_at = None,
        None => {}
    }
    if refused.is_empty() {
        Ok(new)
    } else {
        Err(Error::Invalid(refused))
    }
}

/// The groups asked for, each once; one that does not exist is refused.
async fn existing_groups(
    app: &App,
    scope: Scope<'_>,
    asked: &[GroupId],
    refused: &mut Vec<FieldError>,
) -> Result<Vec<GroupId>, Error> {
    if asked.len() > GROUPS_PER_CONTACT_MAX {
        let message = format!("a contact is in at most {GROUPS_PER_CONTACT_MAX} groups");
        refused.push(FieldError {
            field: "groups".to_owned(),
            message,
        });
        return Ok(Vec::new());
    }
    let groups = group::existing(app, scope, asked).await?;
    for (place, id) in asked
        .iter()
        .enumerate()
        .filter(|(_, id)| !groups.contains(id))
    {
        let message = format!("there is no group {id}");
        refused.push(FieldError {
            field: format!("groups.{place}"),
            message,
        });
    }
    Ok(groups)
}

fn keep<T, E: Into<FieldError>>(value: Result<T, E>, refused: &mut Vec<FieldError>) -> Option<T> {
    match value {
        Ok(value) => Some(value),
        Err(error) => {
            refused.push(error.into());
            None
        }
    }
}

fn invalid(field: &str, error: impl std::fmt::Display) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: error.to_string(),
    }
}

fn changed_meanwhile() -> Error {
    Error::refused(
        "conflict",
        "the contact was changed by someone else; load it and try again",
    )
}

fn taken() -> Error {
    Error::refused(
        "phone_taken",
        "there is already a contact with this phone number",
    )
}
