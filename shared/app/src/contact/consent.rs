//! Whether a person is to be written to: their own wishes, taken into the contact, and the lines that say so in
//! their chats.

use domain::contact::{Consent, ConsentChange};
use domain::id::{ChatId, ContactId};
use domain::realtime::Event;

use super::{Contact, change, touched, updated};
use crate::chat::change::line;
use crate::chat::{Author, Chat, What};
use crate::store::Scope;
use crate::{App, Error, channel, realtime};

/// How often a wish is tried again when the contact changes at the same moment.
const ATTEMPTS: usize = 6;

/// The most chats of one contact that a change is written into, with what else is in its transaction.
const CHATS_MAX: usize = 40;

/// Follows a wish, unless the consent was changed later than it was made. Doing it twice, late or in
/// another order leaves the newest wish standing. A line in each of the contact's chats tells of it, also in
/// the one that the wish was said in, which may not be open yet.
pub(crate) async fn wish(
    app: &App,
    scope: Scope<'_>,
    mut contact: Contact,
    wished: Consent,
    made: ConsentChange,
    said_in: Option<&ChatId>,
) -> Result<(), Error> {
    let mut lines = None;
    for _ in 0..ATTEMPTS {
        let last = contact.consent_at();
        let changes = wished.changes(contact.consent, last, made.at);
        let later = last.is_none_or(|last| last.as_second() < made.at.as_second());
        let mut told = vec![updated(&contact.id)];
        let import = contact.import.clone();
        let mut new = touched(contact.clone(), app, import);
        let mut said = Vec::new();
        if changes {
            new.consent = wished;
            new.consent_change = Some(made);
            let lines = match &lines {
                Some(lines) => lines,
                None => {
                    let mut chats = in_chats(app, scope, &contact.id).await?;
                    chats.extend(said_in.filter(|chat| !chats.contains(chat)).cloned());
                    lines.insert(chats)
                }
            };
            let what = What::Consent {
                consent: wished,
                source: made.source,
            };
            for chat in lines {
                said.push(line(app, scope, chat, &Author::Automatic, what.clone())?);
                told.push(Event::ChatUpdated { chat: chat.clone() });
            }
        } else if wished == contact.consent && later {
            new.consent_repeated_at = Some(made.at);
        } else {
            // Also when it was followed before: whoever did so may have died before telling. A wish that
            // says nothing new is rare.
            return realtime::publish(app, scope, told).await;
        }
        let mut writes = change(scope, &contact, &new)?;
        writes.extend(said);
        if app.store.transact(writes).await?.yes() {
            return realtime::publish(app, scope, told).await;
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

/// The chats that the contact has.
pub(super) async fn in_chats(
    app: &App,
    scope: Scope<'_>,
    contact: &ContactId,
) -> Result<Vec<ChatId>, Error> {
    let channels = channel::all(app, scope).await?;
    let keys: Vec<_> = channels
        .iter()
        .map(|channel| scope.chat(&ChatId::of(&channel.id, contact)))
        .collect();
    let found: Vec<(usize, Chat)> = app.store.get_many(&keys).await?;
    let chats = found.into_iter().map(|(_, chat)| chat.id);
    Ok(chats.take(CHATS_MAX).collect())
}
