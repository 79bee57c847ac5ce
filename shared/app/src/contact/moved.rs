//! People who have another number, or another id at WhatsApp, as a notice of Meta's tells: the contact goes
//! along, and with it the chat, because a chat is of a contact and not of a number.
//!
//! When the new number is another contact's already, both stay as they are: two people's data are never put
//! together by a notice, and the thread shows what it says.

use domain::event::{InboundContent, InboundMessage};
use domain::phone::Phone;

use super::sender::{ATTEMPTS, known, of_sender};
use super::{Contact, Identity, change, touched, updated};
use crate::store::Scope;
use crate::{App, Error, realtime};

/// Under what somebody is known from now on.
struct Moved<'a> {
    from: Option<Phone>,
    from_user_id: Option<&'a str>,
    to: Option<Phone>,
    to_user_id: Option<&'a str>,
}

/// The contact that a notice is about, which has the new number by then. `None`: the message is no such notice.
///
/// # Errors
/// The store cannot be reached; following the notice again is harmless.
pub(super) async fn moved(
    app: &App,
    scope: Scope<'_>,
    said: &InboundMessage,
) -> Result<Option<Contact>, Error> {
    let Some(moved) = Moved::of(said) else {
        return Ok(None);
    };
    let before = known(app, scope, moved.from.as_ref(), moved.from_user_id).await?;
    if let Some(contact) = before {
        return moved.follow(app, scope, contact).await.map(Some);
    }
    // It was followed before, or nobody knew them: in both cases they are whom the new number names.
    let said = InboundMessage {
        from: moved.to.as_ref().map(|phone| phone.digits().to_owned()),
        from_user_id: moved.to_user_id.map(str::to_owned),
        content: InboundContent::Unsupported {
            kind: None,
            errors: Vec::new(),
        },
        ..said.clone()
    };
    Box::pin(of_sender(app, scope, &said)).await
}

impl<'a> Moved<'a> {
    fn of(said: &'a InboundMessage) -> Option<Self> {
        let InboundContent::System {
            kind,
            wa_id,
            user_id,
            previous_user_id,
            ..
        } = &said.content
        else {
            return None;
        };
        if !matches!(
            kind.as_str(),
            "user_changed_number" | "user_changed_user_id"
        ) {
            return None;
        }
        let phone = |wa_id: Option<&String>| Phone::of_wa_id(wa_id?).ok();
        let to = phone(wa_id.as_ref());
        let to_user_id = user_id.as_deref();
        // A notice without anything new says nothing.
        if to.is_none() && to_user_id.is_none() {
            return None;
        }
        let from_user_id = previous_user_id.as_ref().or(said.from_user_id.as_ref());
        Some(Self {
            from: phone(said.from.as_ref()),
            from_user_id: from_user_id.map(String::as_str),
            to,
            to_user_id,
        })
    }

    async fn follow(
        &self,
        app: &App,
        scope: Scope<'_>,
        mut contact: Contact,
    ) -> Result<Contact, Error> {
        for _ in 0..ATTEMPTS {
            let import = contact.import.clone();
            let mut new = touched(contact.clone(), app, import);
            new.phone = self.to.clone().or(new.phone);
            new.user_id = self.to_user_id.map(str::to_owned).or(new.user_id);
            if (&new.phone, &new.user_id) == (&contact.phone, &contact.user_id) {
                return Ok(contact);
            }
            if self.is_taken(app, scope, &contact).await? {
                tracing::info!(contact = %contact.id, "a person's new number is another contact's, so both stay");
                return Ok(contact);
            }
            let writes = change(scope, &contact, &new)?;
            if app.store.transact(writes).await?.yes() {
                realtime::announce(app, scope, updated(&new.id)).await;
                return Ok(new);
            }
            match app.store.get(&scope.contact(&contact.id)).await? {
                Some(now) => contact = now,
                // Deleted meanwhile: what the notice says is kept with what it was.
                None => return Ok(contact),
            }
        }
        Err(Error::unavailable(
            "a contact keeps changing under its new number",
            "gave up after several attempts",
        ))
    }

    async fn is_taken(
        &self,
        app: &App,
        scope: Scope<'_>,
        contact: &Contact,
    ) -> Result<bool, Error> {
        let phone = self.to.as_ref().map(|phone| scope.phone(phone));
        let user_id = self.to_user_id.map(|user_id| scope.user_id(user_id));
        let keys: Vec<_> = phone.into_iter().chain(user_id).collect();
        let found: Vec<(usize, Identity)> = app.store.get_many(&keys).await?;
        Ok(found
            .iter()
            .any(|(_, identity)| identity.contact != contact.id))
    }
}
