//! One element of `messages[]`: something a person sent us (Meta: messages webhook).

use domain::event::{InboundContent, InboundMessage};
use serde_json::Value;

use super::status::timestamp;
use crate::lenient::text;

/// `None` when the message cannot belong to a chat: nobody sent it, it has no id or time, or it
/// was written in a group, where answering its author in private would be wrong.
pub(super) fn parse(element: &Value, contacts: &[Value]) -> Option<InboundMessage> {
    if text(element, "group_id").is_some() {
        return None;
    }
    let contact = sender(element, contacts);
    let of_contact = |key| contact.and_then(|contact| text(contact, key));
    let from = text(element, "from").or_else(|| of_contact("wa_id"));
    let from_user_id = text(element, "from_user_id").or_else(|| of_contact("user_id"));
    if from.is_none() && from_user_id.is_none() {
        return None;
    }
    Some(InboundMessage {
        wamid: text(element, "id")?,
        from,
        from_user_id,
        profile_name: contact
            .and_then(|contact| contact.get("profile"))
            .and_then(|profile| text(profile, "name")),
        at: timestamp(element)?,
        context_wamid: element
            .get("context")
            .and_then(|context| text(context, "id")),
        content: content(element),
    })
}

/// The entry of `contacts[]` that describes the sender, found by either id: a batch lists the
/// contacts of all its messages, in no promised order.
fn sender<'a>(element: &Value, contacts: &'a [Value]) -> Option<&'a Value> {
    let same = |contact: &Value, theirs: &str, ours: &str| {
        text(element, theirs).is_some_and(|id| text(contact, ours).as_ref() == Some(&id))
    };
    contacts
        .iter()
        .find(|contact| same(contact, "from", "wa_id") || same(contact, "from_user_id", "user_id"))
}

fn content(element: &Value) -> InboundContent {
    let kind = text(element, "type").unwrap_or_else(|| "unknown".to_owned());
    let inside = |key: &str| element.get(&kind).and_then(|content| text(content, key));
    let known = match kind.as_str() {
        "text" => inside("body").map(|body| InboundContent::Text { body }),
        // The payload is the label unless the sender of the template set one.
        "button" => inside("text").map(|text| InboundContent::Button {
            payload: inside("payload").unwrap_or_else(|| text.clone()),
            text,
        }),
        _ => None,
    };
    known.unwrap_or_else(|| InboundContent::Other {
        kind,
        value: element.clone(),
    })
}
