//! A person's own wish whether to be written to, taken into the contact.

use domain::contact::{Consent, ConsentChange};

use super::{Contact, change, touched, updated};
use crate::store::Scope;
use crate::{App, Error, realtime};

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
            // Also when it was followed before: whoever did so may have died before telling. A wish that
            // says nothing new is rare.
            return realtime::publish(app, scope, vec![updated(&contact.id)]).await;
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
            return realtime::publish(app, scope, vec![updated(&new.id)]).await;
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
