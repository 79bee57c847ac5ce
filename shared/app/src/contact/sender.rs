//! The contact of whoever wrote a message: found by what Meta tells of them, or made.

use domain::contact::{self, Consent};
use domain::event::InboundMessage;
use domain::id::ContactId;
use domain::phone::Phone;

use super::moved::moved;
use super::{Contact, Identity, creation, derived_id, updated};
use crate::store::Scope;
use crate::{App, Error, realtime};

/// How often a contact is looked for again when somebody else makes or deletes it at the same moment.
pub(super) const ATTEMPTS: usize = 6;

/// The contact of a sender, made when there is none. `None` when Meta tells no usable id. A notice that a
/// person has another number gives it to the contact.
///
/// Where WhatsApp's id of a person and the number people write differ by a digit, the contact with the
/// other notation is the same person.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn of_sender(
    app: &App,
    scope: Scope<'_>,
    message: &InboundMessage,
) -> Result<Option<Contact>, Error> {
    if let Some(contact) = Box::pin(moved(app, scope, message)).await? {
        return Ok(Some(contact));
    }
    let phone = message.from.as_deref().map(Phone::of_wa_id);
    let phone = phone.and_then(Result::ok);
    let user_id = message.from_user_id.as_deref();
    if phone.is_none() && user_id.is_none() {
        return Ok(None);
    }
    let mut taken = false;
    for _ in 0..ATTEMPTS {
        if let Some(contact) = known(app, scope, phone.as_ref(), user_id).await? {
            return Ok(Some(contact));
        }
        // The id is derived, so that two messages at once make one contact. It is taken when the number
        // has since moved to another contact, and this one lives on.
        let id = match (&phone, user_id) {
            _ if taken => ContactId::fresh(),
            (Some(phone), _) => derived_id(scope, phone),
            (None, user_id) => {
                ContactId::derived(&[scope.workspace.as_str(), user_id.unwrap_or_default()])
            }
        };
        let profile = message.profile_name.as_deref().unwrap_or_default();
        let contact = Contact {
            id,
            phone: phone.clone(),
            user_id: user_id.map(str::to_owned),
            // A name that is not acceptable is not worth losing the message for.
            name: contact::name(profile).ok().flatten(),
            email: None,
            attributes: contact::Attributes::default(),
            groups: Vec::new(),
            consent: Consent::Subscribed,
            consent_change: None,
            consent_repeated_at: None,
            blocked_at: None,
            import: None,
            created_at: app.now(),
            updated_at: app.now(),
            version: 0,
        };
        if app.store.transact(creation(scope, &contact)?).await?.yes() {
            // The message that follows names the chat, so losing this one would do little harm.
            realtime::announce(app, scope, updated(&contact.id)).await;
            return Ok(Some(contact));
        }
        taken = true;
    }
    Err(Error::unavailable(
        "a contact can be neither found nor made",
        "gave up after several attempts",
    ))
}

/// The contact whom Meta names by this id of a number.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn by_wa_id(
    app: &App,
    scope: Scope<'_>,
    wa_id: &str,
) -> Result<Option<Contact>, Error> {
    match Phone::of_wa_id(wa_id) {
        Ok(phone) => known(app, scope, Some(&phone), None).await,
        // Whoever hides their number is named by their user id.
        Err(_) => known(app, scope, None, Some(wa_id)).await,
    }
}

/// The exact number counts most, then the user id, then the number's other notation.
pub(super) async fn known(
    app: &App,
    scope: Scope<'_>,
    phone: Option<&Phone>,
    user_id: Option<&str>,
) -> Result<Option<Contact>, Error> {
    let twin = phone.and_then(Phone::twin);
    let keys: Vec<_> = phone
        .map(|phone| scope.phone(phone))
        .into_iter()
        .chain(user_id.map(|user_id| scope.user_id(user_id)))
        .chain(twin.map(|twin| scope.phone(&twin)))
        .collect();
    let found: Vec<(usize, Identity)> = app.store.get_many(&keys).await?;
    match found.into_iter().min_by_key(|(place, _)| *place) {
        Some((_, identity)) => app.store.get(&scope.contact(&identity.contact)).await,
        None => Ok(None),
    }
}
