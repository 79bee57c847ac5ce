//! The rows of one file: every recipient of a stretch of chunks, and what became of the message.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use domain::id::ContactId;
use domain::message::Outcome as Rank;
use domain::phone::Phone;
use domain::template::Slot;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;

use crate::campaign::item::{Campaign, People, Person};
use crate::campaign::outcome::Outcome;
use crate::campaign::recipients::reason;
use crate::cell::harmless;
use crate::contact::Contact;
use crate::store::Scope;
use crate::{App, Error};

/// How many chunks are read at once.
const READS: usize = 8;

/// Kept free at the end of an invocation, for storing the file.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);

const COLUMNS: [&str; 9] = [
    "phone",
    "name",
    "status",
    "code",
    "excluded",
    "reason",
    "wamid",
    "at",
    "replied_at",
];

pub(super) struct Table {
    pub(super) bytes: Bytes,
    /// Without the header.
    pub(super) rows: u64,
    /// The first chunk that is not in it.
    pub(super) next: u32,
}

/// Writes the recipients of these chunks, in the order in which they are sent, and ends before the rest
/// when the time is up.
pub(super) async fn write(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    chunks: Range<u32>,
) -> Result<Table, Error> {
    let mut next = chunks.start;
    let slots = campaign.template.slots();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = slots.iter().map(ToString::to_string);
    let header = COLUMNS.into_iter().map(str::to_owned).chain(header);
    writer.write_record(header).map_err(broken)?;
    let mut rows = 0;
    let mut read = stream::iter(chunks)
        .map(|chunk| read(app, scope, campaign, chunk))
        .buffered(READS);
    while let Some(chunk) = read.try_next().await? {
        for row in chunk.rows() {
            writer.write_record(row.cells(&slots)).map_err(broken)?;
            rows += 1;
        }
        next += 1;
        if app.now() >= app.last_start(MARGIN) {
            break;
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Error::internal("the results cannot be written", error.to_string()))?;
    Ok(Table {
        bytes: bytes.into(),
        rows,
        next,
    })
}

/// What is stored of a chunk, and the contacts as they are now.
struct Chunk {
    people: Vec<Person>,
    outcomes: HashMap<u32, Outcome>,
    contacts: HashMap<ContactId, Contact>,
}

async fn read(
    app: &App,
    scope: Scope<'_>,
    campaign: &Campaign,
    chunk: u32,
) -> Result<Chunk, Error> {
    let people = scope.chunk_people(&campaign.id, chunk);
    let outcomes = scope.outcomes(&campaign.id, chunk);
    let (people, outcomes) = futures::try_join!(
        app.store.get::<People>(&people),
        app.store.all::<Outcome>(&outcomes)
    )?;
    let people = people.map(|people| people.people).unwrap_or_default();
    let excluded = outcomes
        .iter()
        .filter(|outcome| outcome.index as usize >= people.len());
    let keys: Vec<_> = people
        .iter()
        .map(|person| &person.contact)
        .chain(excluded.map(|outcome| &outcome.contact))
        .map(|contact| scope.contact(contact))
        .collect();
    let contacts: Vec<(usize, Contact)> = app.store.get_many(&keys).await?;
    let contacts = contacts.into_iter();
    let outcomes = outcomes.into_iter();
    Ok(Chunk {
        contacts: contacts
            .map(|(_, contact)| (contact.id.clone(), contact))
            .collect(),
        outcomes: outcomes.map(|outcome| (outcome.index, outcome)).collect(),
        people,
    })
}

impl Chunk {
    /// The planned people by their places, then those who were excluded while planning.
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let planned = self.people.iter().zip(0_u32..).map(|(person, index)| Row {
            phone: Some(&person.phone),
            contact: self.contacts.get(&person.contact),
            person: Some(person),
            outcome: self.outcomes.get(&index),
        });
        let mut excluded: Vec<&Outcome> = self
            .outcomes
            .values()
            .filter(|outcome| outcome.index as usize >= self.people.len())
            .collect();
        excluded.sort_unstable_by_key(|outcome| outcome.index);
        let excluded = excluded.into_iter().map(|outcome| {
            let contact = self.contacts.get(&outcome.contact);
            Row {
                phone: contact.and_then(|contact| contact.phone.as_ref()),
                contact,
                person: None,
                outcome: Some(outcome),
            }
        });
        planned.chain(excluded)
    }
}

struct Row<'a> {
    /// The number that the message went to, or would have gone to.
    phone: Option<&'a Phone>,
    /// Absent once it is deleted.
    contact: Option<&'a Contact>,
    /// Absent for whoever was excluded while planning.
    person: Option<&'a Person>,
    /// Absent while pending.
    outcome: Option<&'a Outcome>,
}

impl Row<'_> {
    fn cells(&self, slots: &[Slot]) -> Vec<String> {
        let outcome = self.outcome;
        let text = |value: Option<&str>| harmless(value.unwrap_or_default()).into_owned();
        let mut cells = vec![
            // Without its plus, which a spreadsheet would take for a formula's.
            text(self.phone.map(Phone::digits)),
            text(self.contact.and_then(|contact| contact.name.as_deref())),
            text(Some(
                outcome.map_or("pending", |outcome| Rank::as_str(outcome.status)),
            )),
            outcome
                .and_then(|outcome| outcome.code)
                .map(|code| code.to_string())
                .unwrap_or_default(),
            text(
                outcome
                    .and_then(|outcome| outcome.excluded)
                    .map(|excluded| excluded.as_str()),
            ),
            text(outcome.and_then(reason)),
            text(outcome.and_then(|outcome| outcome.wamid.as_deref())),
            outcome
                .map(|outcome| outcome.at.to_string())
                .unwrap_or_default(),
            outcome
                .and_then(|outcome| outcome.replied_at)
                .map(|at| at.to_string())
                .unwrap_or_default(),
        ];
        cells.extend(
            slots
                .iter()
                .map(|slot| text(self.person.and_then(|person| person.values.get(slot)))),
        );
        cells
    }
}

fn broken(error: csv::Error) -> Error {
    Error::internal("the results cannot be written", error)
}
