//! One element of `statuses[]` (Meta: status messages webhook), and the errors in it.

use domain::event::{DeliveryError, DeliveryStatus, StatusUpdate};
use serde_json::Value;

use crate::lenient::{details, integer, list, name, text, timestamp};

/// `None` for a status we do not act on, or one that lacks what it takes to apply it.
pub(super) fn parse(element: &Value) -> Option<StatusUpdate> {
    let status = match text(element, "status")?.as_str() {
        "sent" => DeliveryStatus::Sent,
        "delivered" => DeliveryStatus::Delivered,
        "read" => DeliveryStatus::Read,
        "played" => DeliveryStatus::Played,
        "failed" => DeliveryStatus::Failed,
        _ => return None,
    };
    Some(StatusUpdate {
        wamid: name(element, "id")?,
        status,
        at: timestamp(element, "timestamp")?,
        recipient: name(element, "recipient_id").or_else(|| name(element, "recipient_user_id")),
        callback_data: text(element, "biz_opaque_callback_data"),
        error: list(element, "errors").iter().find_map(error),
    })
}

/// An error as webhooks write it, which is not how calls answer it.
pub(super) fn error(error: &Value) -> Option<DeliveryError> {
    Some(DeliveryError {
        code: integer(error, "code")?,
        title: text(error, "title")
            .or_else(|| text(error, "message"))
            .unwrap_or_default(),
        details: details(error),
    })
}
