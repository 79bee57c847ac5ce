//! A person's own wish whether to be written to, taken into the contact.

use domain::contact::{Consent, ConsentChange};

use super::{Contact, change, touched};
use crate::store::Scope;
use crate::{App, Error};

/// How often a wish is tried again when the contact changes at the same moment.
const ATTEMPTS: usize = 6;

/// Follows a wish, unless the consent was changed later than it was made. Doing it twice, late or in
/// another order leaves the newest wish standing.
pub(crate) async fn wish(
    app: &App,
    scope: Scope<'_>,
    mut contact: Contact,
    wished: Consent,
    made: ConsentChange,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        if !wished.changes(contact.consent, contact.consent_change.as_ref(), made.at) {
            return Ok(());
        }
        let import = contact.import.clone();
        let new = Contact {
            consent: wished,
            consent_change: Some(made),
            ..touched(contact.clone(), app, import)
        };
        if app
            .store
            .transact(change(scope, &contact, &new)?)
            .await?
            .yes()
        {
            return Ok(());
        }
        match app.store.get(&scope.contact(&contact.id)).await? {
            Some(now) => contact = now,
            // Deleted meanwhile: nobody is left to be written to.
            None => return Ok(()),
        }
    }
    Err(Error::unavailable(
        "a contact keeps changing under a wish",
        "gave up after several attempts",
    ))
}
