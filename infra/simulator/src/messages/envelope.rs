//! The part of a send that all types share: which fields there are, and who it is for.

use super::{REFERRED_US, Sending};
use crate::core::lock;
use crate::graph::Refusal;
use crate::ids;

const FIELDS: &[&str] = &[
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
    "recipient_identity_key_hash",
    "messaging_account_id",
];
const RECEIPT_FIELDS: &[&str] = &[
    "messaging_product",
    "status",
    "message_id",
    "typing_indicator",
];
const LONGEST_CALLBACK_DATA: usize = 512;

/// The product, no field that Meta does not know, and for a receipt all there is to it.
pub(super) fn is_well_formed(sending: &Sending<'_>) -> Result<(), Refusal> {
    if sending.text("messaging_product") != Some("whatsapp") {
        return Err(Refusal::new(100, "messaging_product must be \"whatsapp\""));
    }
    let receipt = sending.is_receipt();
    let known = if receipt { RECEIPT_FIELDS } else { FIELDS };
    let kind = sending.kind();
    let unknown = sending
        .body
        .keys()
        .find(|field| !known.contains(&field.as_str()) && (receipt || *field != kind));
    if let Some(field) = unknown {
        return Err(Refusal::new(100, format!("Unexpected field {field}")));
    }
    if receipt {
        return is_receipt_complete(sending);
    }
    if let Some(context) = sending.body.get("context")
        && context
            .get("message_id")
            .and_then(|id| id.as_str())
            .is_none()
    {
        return Err(Refusal::new(131_009, "context.message_id must be text"));
    }
    if let Some(data) = sending.body.get("biz_opaque_callback_data")
        && data
            .as_str()
            .is_none_or(|data| data.chars().count() > LONGEST_CALLBACK_DATA)
    {
        let details =
            format!("biz_opaque_callback_data takes up to {LONGEST_CALLBACK_DATA} characters");
        return Err(Refusal::new(131_009, details));
    }
    Ok(())
}

/// One person, with a number that could exist and is not the sender's own.
pub(super) fn has_a_recipient(sending: &Sending<'_>) -> Result<(), Refusal> {
    if sending.is_receipt() {
        return Ok(());
    }
    let recipient_type = sending.text("recipient_type");
    if recipient_type.is_some_and(|kind| kind != "individual") {
        return Err(Refusal::new(131_009, "recipient_type must be individual"));
    }
    let Some(recipient) = &sending.recipient else {
        return Err(match (sending.text("to"), sending.text("recipient")) {
            (Some(_), _) => Refusal::new(131_009, "to is not a phone number"),
            (None, Some(_)) => Refusal::new(131_009, "recipient is no user id of this portfolio"),
            (None, None) => Refusal::new(131_008, "to or recipient is required"),
        });
    };
    if *recipient == sending.number.digits() {
        return Err(Refusal::new(131_021, "to is the number this is sent from"));
    }
    Ok(())
}

/// The person a message is for, in the form in which the ledger names them: by their number, or by the
/// user id that stands for it. The number counts when both are given.
pub(super) fn recipient(sending: &Sending<'_>) -> Option<String> {
    if let Some(to) = sending.text("to") {
        let tolerated = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')');
        let digits: String = to.chars().filter(char::is_ascii_digit).collect();
        let sensible = to.chars().all(tolerated) && (7..=15).contains(&digits.len());
        return sensible.then_some(digits);
    }
    let people = lock(&sending.core.people);
    people.number_of(sending.text("recipient")?).cloned()
}

fn is_receipt_complete(sending: &Sending<'_>) -> Result<(), Refusal> {
    if sending.text("status") != Some("read") {
        return Err(Refusal::new(100, "status must be read"));
    }
    let id = sending
        .text("message_id")
        .ok_or_else(|| Refusal::new(131_008, "message_id is required"))?;
    if !is_from_a_person(sending, id) {
        return Err(Refusal::new(
            131_009,
            "message_id is not the id of a message to this phone number",
        ));
    }
    let typing = sending.body.get("typing_indicator");
    if typing
        .is_some_and(|typing| typing.get("type").and_then(|kind| kind.as_str()) != Some("text"))
    {
        return Err(Refusal::new(131_009, "typing_indicator.type must be text"));
    }
    Ok(())
}

/// Whether a person wrote this to the number, not too long ago.
fn is_from_a_person(sending: &Sending<'_>, id: &str) -> bool {
    let since_us = sending.arrived_us - REFERRED_US;
    let heard = lock(&sending.core.ledger)
        .heard(id)
        .is_some_and(|heard| heard.phone_number_id == sending.number.id && heard.at_us >= since_us);
    heard || (sending.settings.trusts_ids && ids::is_wamid(id))
}
