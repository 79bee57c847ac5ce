//! What the web application shows only beside a simulated WhatsApp: the ways to what is simulated.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use simulator::universe;

/// Answers at `/_local/development.json`. Nothing of it exists in the cloud.
pub(crate) fn router(simulator_url: &str, token: &str) -> Router {
    let known: Value = json!({
        "simulator": simulator_url,
        "mailbox": "/_local/mailbox",
        // Numbers that a workspace can be connected to; the first is the demo workspace's.
        "numbers": [
            {"waba_id": universe::WABA, "phone_number_id": universe::SPARE_NUMBER, "access_token": token},
            {"waba_id": universe::SECOND_WABA, "phone_number_id": universe::SECOND_NUMBER, "access_token": token},
        ],
    });
    Router::new().route("/_local/development.json", get(async || Json(known)))
}
