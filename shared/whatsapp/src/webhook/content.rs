//! What a message says, by its type (Meta: messages webhook, by type). A type that is not known, or
//! lacks what makes it that type, is kept whole.

use domain::event::{InboundContent, InboundMedia, OrderItem, Place, SharedContact};
use domain::media::MediaKind;
use serde_json::Value;

use super::status;
use crate::lenient::{list, name, number, text};

/// How deeply edits may hold edits; Meta's hold none.
const EDITS: usize = 2;

pub(super) fn parse(element: &Value) -> InboundContent {
    at_depth(element, 0)
}

fn at_depth(element: &Value, depth: usize) -> InboundContent {
    let kind = text(element, "type").unwrap_or_else(|| "unknown".to_owned());
    let inside = element.get(&kind).unwrap_or(&Value::Null);
    let known = match kind.as_str() {
        "text" => text(inside, "body").map(|body| InboundContent::Text { body }),
        "button" => button(inside),
        "interactive" => interactive(inside),
        "image" => Some(media(MediaKind::Image, element, inside)),
        "video" => Some(media(MediaKind::Video, element, inside)),
        "audio" => Some(media(MediaKind::Audio, element, inside)),
        "document" => Some(media(MediaKind::Document, element, inside)),
        "sticker" => Some(media(MediaKind::Sticker, element, inside)),
        "location" => place(inside).map(InboundContent::Location),
        "contacts" => cards(inside),
        "reaction" => name(inside, "message_id").map(|to_wamid| InboundContent::Reaction {
            to_wamid,
            emoji: text(inside, "emoji"),
        }),
        "order" => order(inside),
        "system" => Some(system(element, inside)),
        "edit" if depth < EDITS => name(inside, "original_message_id")
            .zip(inside.get("message"))
            .map(|(of_wamid, message)| InboundContent::Edit {
                of_wamid,
                content: Box::new(at_depth(message, depth + 1)),
            }),
        "revoke" => {
            name(inside, "original_message_id").map(|of_wamid| InboundContent::Revoke { of_wamid })
        }
        "unsupported" => Some(InboundContent::Unsupported {
            kind: text(inside, "type"),
            errors: errors(element),
        }),
        _ => None,
    };
    known.unwrap_or_else(|| InboundContent::Other {
        kind,
        value: element.clone(),
    })
}

/// The payload is the label unless the sender of the template set one.
fn button(inside: &Value) -> Option<InboundContent> {
    let text_of = |key| text(inside, key);
    Some(InboundContent::Button {
        text: text_of("text")?,
        payload: text_of("payload").or_else(|| text_of("text"))?,
    })
}

fn interactive(inside: &Value) -> Option<InboundContent> {
    let kind = text(inside, "type")?;
    let reply = inside.get(&kind)?;
    match kind.as_str() {
        "button_reply" | "list_reply" => Some(InboundContent::Choice {
            id: text(reply, "id")?,
            title: text(reply, "title").unwrap_or_default(),
            description: text(reply, "description"),
        }),
        "nfm_reply" => {
            let response = text(reply, "response_json")?;
            Some(InboundContent::Form {
                name: text(reply, "name").unwrap_or_default(),
                body: text(reply, "body"),
                // JSON inside a string; a form that wrote something else keeps its text.
                response: serde_json::from_str(&response).unwrap_or(Value::String(response)),
            })
        }
        _ => None,
    }
}

fn media(kind: MediaKind, element: &Value, inside: &Value) -> InboundContent {
    let is = |key: &str| inside.get(key).and_then(Value::as_bool) == Some(true);
    InboundContent::Media(InboundMedia {
        kind,
        id: name(inside, "id"),
        mime_type: text(inside, "mime_type"),
        sha256: text(inside, "sha256"),
        caption: text(inside, "caption"),
        file_name: text(inside, "filename"),
        voice: is("voice"),
        animated: is("animated"),
        errors: errors(element),
    })
}

fn place(inside: &Value) -> Option<Place> {
    Some(Place {
        latitude: number(inside, "latitude")?,
        longitude: number(inside, "longitude")?,
        name: text(inside, "name"),
        address: text(inside, "address"),
        url: text(inside, "url"),
    })
}

fn cards(inside: &Value) -> Option<InboundContent> {
    let card = |card: &Value| SharedContact {
        name: card
            .get("name")
            .and_then(|name| text(name, "formatted_name")),
        phones: list(card, "phones")
            .iter()
            .filter_map(|phone| text(phone, "phone").or_else(|| text(phone, "wa_id")))
            .collect(),
        card: card.clone(),
    };
    let cards = inside.as_array()?;
    Some(InboundContent::Contacts(cards.iter().map(card).collect()))
}

fn order(inside: &Value) -> Option<InboundContent> {
    let item = |item: &Value| {
        Some(OrderItem {
            product: text(item, "product_retailer_id")?,
            quantity: number(item, "quantity").unwrap_or(1.0),
            price: number(item, "item_price").unwrap_or_default(),
            currency: text(item, "currency").unwrap_or_default(),
        })
    };
    let items: Option<Vec<_>> = list(inside, "product_items").iter().map(item).collect();
    inside.is_object().then_some(())?;
    Some(InboundContent::Order {
        catalog_id: text(inside, "catalog_id"),
        text: text(inside, "text"),
        // One item that cannot be read would make it another order, so it is kept whole instead.
        items: items?,
    })
}

/// Ids stand in the object or beside it.
fn system(element: &Value, inside: &Value) -> InboundContent {
    let either = |key| name(inside, key).or_else(|| name(element, key));
    InboundContent::System {
        kind: text(inside, "type").unwrap_or_else(|| "unknown".to_owned()),
        body: text(inside, "body"),
        wa_id: either("wa_id"),
        user_id: either("user_id"),
        previous_user_id: either("previous_user_id"),
    }
}

fn errors(element: &Value) -> Vec<domain::event::DeliveryError> {
    let errors = list(element, "errors");
    errors.iter().filter_map(status::error).collect()
}
