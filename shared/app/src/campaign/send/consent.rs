//! Consent, read once more just before a message leaves.

use std::collections::HashMap;

use domain::campaign::Excluded;
use domain::contact::Consent;

use super::{Chunk, record};
use crate::Error;
use crate::contact::Contact;

/// Excludes those of these people who opted out since the planning, and those whose contact is not the
/// one that was planned any more. Returns the others.
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
    let (mut going, mut opted_out, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (index, person)) in people.into_iter().enumerate() {
        match contacts.get(&place) {
            Some(contact) if contact.consent == Consent::OptedOut => opted_out.push(index),
            Some(contact) if contact.phone.as_ref() == Some(&person.phone) => going.push(index),
            Some(_) | None => changed.push(index),
        }
    }
    record::excluded(chunk, &opted_out, Excluded::OptedOut).await?;
    record::excluded(chunk, &changed, Excluded::Changed).await?;
    Ok(going)
}
