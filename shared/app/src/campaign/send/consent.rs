//! Whether people may still be written to, read once more just before a message leaves.

use std::collections::{BTreeMap, HashMap};

use domain::campaign::Excluded;

use super::{Chunk, record};
use crate::Error;
use crate::contact::Contact;

/// Excludes those of these people who opted out or were blocked since the planning, and those whose contact
/// is not the one that was planned any more. Returns the others.
pub(super) async fn going(chunk: &Chunk<'_>, indexes: &[u32]) -> Result<Vec<u32>, Error> {
    let people = indexes
        .iter()
        .filter_map(|index| Some((*index, chunk.people.people.get(*index as usize)?)));
    let people: Vec<_> = people.collect();
    let keys: Vec<_> = people
        .iter()
        .map(|(_, person)| chunk.scope.contact(&person.contact))
        .collect();
    let contacts: HashMap<usize, Contact> =
        chunk.app.store.get_many(&keys).await?.into_iter().collect();
    let mut going = Vec::new();
    let mut excluded: BTreeMap<Excluded, Vec<u32>> = BTreeMap::new();
    for (place, (index, person)) in people.into_iter().enumerate() {
        let contact = contacts.get(&place);
        let barred = match contact.and_then(Contact::barred) {
            Some(barred) => barred,
            None if contact.and_then(|contact| contact.phone.as_ref()) == Some(&person.phone) => {
                going.push(index);
                continue;
            }
            None => Excluded::Changed,
        };
        excluded.entry(barred).or_default().push(index);
    }
    for (why, indexes) in excluded {
        record::excluded(chunk, &indexes, why).await?;
    }
    Ok(going)
}
