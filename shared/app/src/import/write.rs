//! Rows into contacts: what each row amounts to, and transactions that move the checkpoint with them.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use domain::contact::columns::Column;
use domain::contact::{self, Attributes, Consent, GROUPS_PER_CONTACT_MAX, InvalidField};
use domain::id::{ContactId, GroupId};
use domain::phone::Phone;

use super::failures::{FailedRow, Failures, Problem};
use super::file::Row;
use super::{Import, ImportState, Layout};
use crate::contact::{Contact, Identity, change, creation, derived_id, missing, touched};
use crate::store::commit::TRANSACTION_MAX;
use crate::store::{Committed, Scope, Write};
use crate::{App, Error, group};

/// How much of a refused value is kept for the failed-rows file.
const VALUE_SHOWN: usize = 100;

/// How often a batch is looked at again when the store changed under it.
const ATTEMPTS: usize = 5;

pub(super) enum Progress {
    Made,
    /// Another step moved the checkpoint; it goes on, and this one ends.
    SomeoneElses,
}

/// A row that could be read.
#[derive(Debug, Clone)]
struct Person {
    phone: Phone,
    name: Option<String>,
    email: Option<String>,
    attributes: Attributes,
    groups: Vec<String>,
}

struct Parsed {
    row: u64,
    end: u64,
    person: Result<Person, FailedRow>,
}

/// Writes a batch of rows, in their order.
pub(super) async fn write(
    app: &App,
    scope: Scope<'_>,
    import: &mut Import,
    layout: &Layout,
    rows: Vec<(u64, Row)>,
) -> Result<Progress, Error> {
    let parsed: Vec<Parsed> = rows
        .into_iter()
        .map(|(row, fields)| parse(row, &fields, import, layout))
        .collect();
    for _ in 0..ATTEMPTS {
        let rest: Vec<&Parsed> = parsed
            .iter()
            .filter(|parsed| parsed.row > import.row)
            .collect();
        if rest.is_empty() {
            return Ok(Progress::Made);
        }
        // Looked up again at each attempt: a group may have been deleted meanwhile.
        let groups = groups(app, scope, import, &rest).await?;
        match write_rest(app, scope, import, &rest, &groups).await? {
            Attempt::Done => return Ok(Progress::Made),
            Attempt::Behind => return Ok(Progress::SomeoneElses),
            Attempt::Changed => {}
        }
    }
    Err(Error::unavailable(
        "contacts keep changing under an import",
        "gave up after several attempts",
    ))
}

enum Attempt {
    Done,
    Behind,
    /// A contact of the batch was made or changed meanwhile, so the rest must be looked at again.
    Changed,
}

async fn write_rest(
    app: &App,
    scope: Scope<'_>,
    import: &mut Import,
    rows: &[&Parsed],
    groups: &Groups,
) -> Result<Attempt, Error> {
    let mut known = existing(app, scope, rows).await?;
    let mut step = Step::new(import);
    for parsed in rows {
        let effect = effect(app, scope, import, parsed, groups, &mut known)?;
        if step.writes() + effect.cost() > TRANSACTION_MAX {
            match commit(app, scope, import, step).await? {
                Attempt::Done => {}
                stopped @ (Attempt::Behind | Attempt::Changed) => return Ok(stopped),
            }
            step = Step::new(import);
        }
        step.take(parsed, effect);
    }
    commit(app, scope, import, step).await
}

/// What one row does.
#[derive(Default)]
struct Effect {
    writes: Vec<Write>,
    joined: Vec<GroupId>,
    failed: Option<FailedRow>,
    accepted: u64,
    updated: u64,
}

impl Effect {
    fn cost(&self) -> usize {
        self.writes.len() + self.joined.len()
    }
}

/// The rows of one transaction.
struct Step {
    offset: u64,
    row: u64,
    writes: Vec<Write>,
    joined: BTreeMap<GroupId, i64>,
    failed: Vec<FailedRow>,
    accepted: u64,
    updated: u64,
}

impl Step {
    fn new(import: &Import) -> Self {
        Self {
            offset: import.offset,
            row: import.row,
            writes: Vec::new(),
            joined: BTreeMap::new(),
            failed: Vec::new(),
            accepted: 0,
            updated: 0,
        }
    }

    /// The writes so far, with the checkpoint and a place for failed rows.
    fn writes(&self) -> usize {
        self.writes.len() + self.joined.len() + 2
    }

    fn take(&mut self, parsed: &Parsed, effect: Effect) {
        (self.offset, self.row) = (parsed.end, parsed.row);
        self.writes.extend(effect.writes);
        for group in effect.joined {
            *self.joined.entry(group).or_default() += 1;
        }
        self.failed.extend(effect.failed);
        self.accepted += effect.accepted;
        self.updated += effect.updated;
    }

    fn failures(&self, problem: Problem) -> u64 {
        self.failed
            .iter()
            .filter(|row| row.problem == problem)
            .count() as u64
    }
}

async fn commit(
    app: &App,
    scope: Scope<'_>,
    import: &mut Import,
    step: Step,
) -> Result<Attempt, Error> {
    let (duplicates, invalid) = (
        step.failures(Problem::Duplicate),
        step.failures(Problem::Invalid),
    );
    let checkpoint = Write::update(scope.import(&import.id))
        .set("offset", &step.offset)?
        .set("row", &step.row)?
        .add("accepted", step.accepted as i64)
        .add("updated", step.updated as i64)
        .add("duplicates", duplicates as i64)
        .add("invalid", invalid as i64)
        .if_equals("offset", &import.offset)?
        .if_equals("state", &ImportState::Running)?;
    let mut writes = vec![checkpoint];
    if !step.failed.is_empty() {
        let key = scope.import_failures(&import.id, import.offset);
        writes.push(Write::put(key, &Failures { rows: step.failed })?);
    }
    writes.extend(
        step.joined
            .iter()
            .map(|(group, count)| group::counted(scope, group, *count)),
    );
    writes.extend(step.writes);
    match app.store.transact(writes).await? {
        Committed::Yes => {}
        Committed::No(failed) if failed.contains(&0) => return Ok(Attempt::Behind),
        Committed::No(_) => return Ok(Attempt::Changed),
    }
    (import.offset, import.row) = (step.offset, step.row);
    import.accepted += step.accepted;
    import.updated += step.updated;
    import.duplicates += duplicates;
    import.invalid += invalid;
    Ok(Attempt::Done)
}

/// The contacts that already have the numbers of these rows, and the ids that are in use.
#[derive(Default)]
struct Known {
    contacts: HashMap<Phone, Contact>,
    ids: HashSet<ContactId>,
    /// Numbers that earlier rows of this batch took.
    taken: HashSet<Phone>,
}

async fn existing(app: &App, scope: Scope<'_>, rows: &[&Parsed]) -> Result<Known, Error> {
    let mut phones: Vec<&Phone> = rows
        .iter()
        .filter_map(|parsed| parsed.person.as_ref().ok())
        .map(|person| &person.phone)
        .collect();
    phones.sort_unstable();
    phones.dedup();
    let keys: Vec<_> = phones.iter().map(|phone| scope.phone(phone)).collect();
    let identities: Vec<(usize, Identity)> = app.store.get_many(&keys).await?;
    // A number can have moved away from the contact whose id was derived from it, so the ids that
    // this batch would use are looked up as well.
    let mut ids: Vec<ContactId> = identities
        .iter()
        .map(|(_, identity)| identity.contact.clone())
        .collect();
    ids.extend(phones.iter().map(|phone| derived_id(scope, phone)));
    ids.sort_unstable();
    ids.dedup();
    let keys: Vec<_> = ids.iter().map(|id| scope.contact(id)).collect();
    let contacts: Vec<(usize, Contact)> = app.store.get_many(&keys).await?;
    let by_id: HashMap<ContactId, Contact> = contacts
        .into_iter()
        .map(|(_, contact)| (contact.id.clone(), contact))
        .collect();
    let mut known = Known {
        ids: by_id.keys().cloned().collect(),
        ..Known::default()
    };
    for (place, identity) in identities {
        if let Some(contact) = by_id.get(&identity.contact) {
            known
                .contacts
                .insert(phones[place].clone(), contact.clone());
        }
    }
    Ok(known)
}

fn effect(
    app: &App,
    scope: Scope<'_>,
    import: &Import,
    parsed: &Parsed,
    groups: &Groups,
    known: &mut Known,
) -> Result<Effect, Error> {
    let person = match &parsed.person {
        Ok(person) => person,
        Err(failed) => {
            return Ok(Effect {
                failed: Some(failed.clone()),
                ..Effect::default()
            });
        }
    };
    let existing = known.contacts.get(&person.phone);
    let repeated = !known.taken.insert(person.phone.clone())
        || existing.is_some_and(|contact| contact.import.as_ref() == Some(&import.id));
    if repeated || (existing.is_some() && !import.update_existing) {
        let reason = if repeated {
            "an earlier row of the file has this number"
        } else {
            "there is already a contact with this number"
        };
        return Ok(Effect {
            failed: Some(duplicate(parsed.row, &person.phone, reason)),
            ..Effect::default()
        });
    }
    let joins = groups.of(person);
    if let Some(old) = existing {
        let new = match updated(app, import, old, person, joins) {
            Ok(new) => new,
            Err(refused) => {
                let failed = invalid(parsed.row, refused, "");
                return Ok(Effect {
                    failed: Some(failed),
                    ..Effect::default()
                });
            }
        };
        let joined = missing(&old.groups, &new.groups).cloned().collect();
        return Ok(Effect {
            writes: change(scope, old, &new)?,
            joined,
            updated: 1,
            ..Effect::default()
        });
    }
    let derived = derived_id(scope, &person.phone);
    let id = if known.ids.contains(&derived) {
        ContactId::fresh()
    } else {
        derived
    };
    let contact = Contact {
        id,
        phone: Some(person.phone.clone()),
        user_id: None,
        name: person.name.clone(),
        email: person.email.clone(),
        attributes: person.attributes.clone(),
        groups: union(&[], joins),
        consent: Consent::Subscribed,
        consent_change: None,
        consent_repeated_at: None,
        blocked_at: None,
        import: Some(import.id.clone()),
        created_at: app.now(),
        updated_at: app.now(),
        version: 0,
    };
    let writes = creation(scope, &contact)?;
    Ok(Effect {
        writes,
        joined: contact.groups,
        accepted: 1,
        ..Effect::default()
    })
}

/// An existing contact with what the row says; what the row leaves empty stays.
fn updated<'a>(
    app: &App,
    import: &Import,
    old: &Contact,
    person: &Person,
    joins: impl Iterator<Item = &'a GroupId>,
) -> Result<Contact, InvalidField> {
    let mut new = touched(old.clone(), app, Some(import.id.clone()));
    new.name = person.name.clone().or(new.name);
    new.email = person.email.clone().or(new.email);
    new.attributes.extend(person.attributes.clone());
    new.attributes = contact::attributes(&new.attributes)?;
    new.groups = union(&old.groups, joins);
    Ok(new)
}

/// All the groups a contact is in, and of the new ones as many as it may still join.
fn union<'a>(old: &[GroupId], more: impl Iterator<Item = &'a GroupId>) -> Vec<GroupId> {
    let mut groups = old.to_vec();
    for group in more {
        if groups.len() < GROUPS_PER_CONTACT_MAX && !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    groups.sort_unstable();
    groups
}

/// The groups that contacts of a batch join.
struct Groups {
    /// By name in lower case, as the rows name them.
    named: HashMap<String, GroupId>,
    /// Those of the import itself that still exist.
    all: Vec<GroupId>,
}

impl Groups {
    fn of<'a>(&'a self, person: &'a Person) -> impl Iterator<Item = &'a GroupId> {
        let named = person.groups.iter();
        let named = named.filter_map(|name| self.named.get(&name.to_lowercase()));
        named.chain(&self.all)
    }
}

async fn groups(
    app: &App,
    scope: Scope<'_>,
    import: &Import,
    rows: &[&Parsed],
) -> Result<Groups, Error> {
    let mut named = HashMap::new();
    for person in rows.iter().filter_map(|parsed| parsed.person.as_ref().ok()) {
        for name in &person.groups {
            if let Entry::Vacant(vacant) = named.entry(name.to_lowercase()) {
                vacant.insert(group::find_or_create(app, scope, name).await?);
            }
        }
    }
    let all = group::existing(app, scope, &import.groups).await?;
    Ok(Groups { named, all })
}

fn parse(number: u64, row: &Row, import: &Import, layout: &Layout) -> Parsed {
    let person =
        person(row, import, layout).map_err(|(refused, value)| invalid(number, refused, &value));
    Parsed {
        row: number,
        end: row.end,
        person,
    }
}

fn person(row: &Row, import: &Import, layout: &Layout) -> Result<Person, (InvalidField, String)> {
    let mut phone = None;
    let (mut name, mut email, mut attributes, mut groups) =
        (None, None, Attributes::new(), Vec::new());
    if row
        .fields
        .iter()
        .skip(layout.columns.len())
        .any(|extra| !extra.is_empty())
    {
        let refused = InvalidField::new(
            "row",
            "the row has more columns than the header; is a value with a delimiter not in quotes?",
        );
        return Err((refused, String::new()));
    }
    for (column, bytes) in layout.columns.iter().zip(&row.fields) {
        let field = field_name(column);
        let text = std::str::from_utf8(bytes).map_err(|_| {
            (
                InvalidField::new(&field, "the text is not UTF-8; save the file as UTF-8"),
                String::from_utf8_lossy(bytes).into_owned(),
            )
        })?;
        let refused = |refused: InvalidField| (refused, text.to_owned());
        match column {
            Column::Phone => {
                let parsed = Phone::parse(text, import.default_region.as_ref());
                phone = Some(
                    parsed
                        .map_err(|error| refused(InvalidField::new("phone", error.to_string())))?,
                );
            }
            Column::Name => name = contact::name(text).map_err(refused)?,
            Column::Email => email = contact::email(text).map_err(refused)?,
            Column::Attribute(key) => {
                attributes.insert(key.clone(), text.to_owned());
            }
            Column::Groups => {
                for group in text.split('|').filter(|group| !group.trim().is_empty()) {
                    groups
                        .push(contact::group_name(group).map_err(|error| {
                            refused(InvalidField::new("groups", error.message))
                        })?);
                }
            }
            Column::Ignore => {}
        }
    }
    let attributes = contact::attributes(&attributes).map_err(|error| (error, String::new()))?;
    // A row that ends before its phone column has none.
    let phone = phone.ok_or_else(|| {
        (
            InvalidField::new("phone", "a phone number is required"),
            String::new(),
        )
    })?;
    Ok(Person {
        phone,
        name,
        email,
        attributes,
        groups,
    })
}

fn field_name(column: &Column) -> String {
    match column {
        Column::Name => "name".to_owned(),
        Column::Phone => "phone".to_owned(),
        Column::Email => "email".to_owned(),
        Column::Groups => "groups".to_owned(),
        Column::Attribute(key) => format!("attributes.{key}"),
        Column::Ignore => "row".to_owned(),
    }
}

fn invalid(row: u64, refused: InvalidField, value: &str) -> FailedRow {
    FailedRow {
        row,
        problem: Problem::Invalid,
        field: refused.field,
        reason: refused.message,
        value: shortened(value),
    }
}

fn duplicate(row: u64, phone: &Phone, reason: &str) -> FailedRow {
    FailedRow {
        row,
        problem: Problem::Duplicate,
        field: "phone".to_owned(),
        reason: reason.to_owned(),
        value: phone.to_string(),
    }
}

fn shortened(value: &str) -> String {
    value.chars().take(VALUE_SHOWN).collect()
}
