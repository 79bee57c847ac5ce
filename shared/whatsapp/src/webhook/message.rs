//! One element of `messages[]`: something a person sent us (Meta: messages webhook); and one of
//! `user_preferences[]`, which names a person in the same way.

use domain::event::{InboundMessage, Preference};
use serde_json::Value;

use super::content;
use crate::lenient::{name, text, timestamp};

/// `None` when the message cannot belong to a chat: nobody sent it, it has no id or time, or it
/// was written in a group, where answering its author in private would be wrong.
pub(super) fn parse(element: &Value, contacts: &[Value]) -> Option<InboundMessage> {
    if text(element, "group_id").is_some() {
        return None;
    }
    let contact = sender(element, contacts);
    let of_contact = |key| contact.and_then(|contact| name(contact, key));
    let from = name(element, "from").or_else(|| of_contact("wa_id"));
    let from_user_id = name(element, "from_user_id")
        .or_else(|| of_contact("user_id"))
        .or_else(|| renamed(element));
    if from.is_none() && from_user_id.is_none() {
        return None;
    }
    let context = element.get("context").unwrap_or(&Value::Null);
    let is = |key: &str| context.get(key).and_then(Value::as_bool) == Some(true);
    Some(InboundMessage {
        wamid: name(element, "id")?,
        from,
        from_user_id,
        profile_name: contact
            .and_then(|contact| contact.get("profile"))
            .and_then(|profile| text(profile, "name")),
        at: timestamp(element, "timestamp")?,
        context_wamid: name(context, "id"),
        forwarded: is("forwarded") || is("frequently_forwarded"),
        referral: element
            .get("referral")
            .filter(|value| value.is_object())
            .cloned(),
        content: content::parse(element),
    })
}

/// A notice of a new user id can name nobody but by that id, in the notice itself or beside it.
fn renamed(element: &Value) -> Option<String> {
    let notice = element.get("system")?;
    let user_id = |key| name(notice, key).or_else(|| name(element, key));
    user_id("user_id").or_else(|| user_id("previous_user_id"))
}

/// `None` for a person that cannot be named, or a wish this version does not know.
pub(super) fn preference(element: &Value, contacts: &[Value]) -> Option<Preference> {
    // Only marketing can be stopped today; a wish about anything else is not this one.
    if text(element, "category").is_some_and(|category| category != "marketing_messages") {
        return None;
    }
    let of_contact = || match contacts {
        [only] => name(only, "wa_id").or_else(|| name(only, "user_id")),
        _ => None,
    };
    Some(Preference {
        person: name(element, "wa_id")
            .or_else(|| name(element, "user_id"))
            .or_else(of_contact)?,
        stopped: match text(element, "value")?.to_ascii_lowercase().as_str() {
            "stop" => true,
            "resume" | "signup" => false,
            _ => return None,
        },
        at: timestamp(element, "timestamp")?,
    })
}

/// The entry of `contacts[]` that describes the sender, found by either id: a batch lists the
/// contacts of all its messages, in no promised order. Somebody whose number is hidden may be named
/// there alone, which only tells who it is when nobody else is listed.
fn sender<'a>(element: &Value, contacts: &'a [Value]) -> Option<&'a Value> {
    let same = |contact: &Value, theirs: &str, ours: &str| {
        text(element, theirs).is_some_and(|id| text(contact, ours).as_ref() == Some(&id))
    };
    let named = ["from", "from_user_id"]
        .iter()
        .any(|key| text(element, key).is_some());
    match contacts {
        [only] if !named => Some(only),
        _ => contacts.iter().find(|contact| {
            same(contact, "from", "wa_id") || same(contact, "from_user_id", "user_id")
        }),
    }
}
