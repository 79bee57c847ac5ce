//! `POST /messages`, and what its answer says about the message.
//!
//! Required for correctness: nothing that may have been accepted is reported as refused or not
//! sent. The table in `error` lists every case.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{AccessToken, Answer, Client};
use crate::{
    error::{ErrorClass, MetaError, SendError},
    lenient::{list, text},
    outbound::Outbound,
};

/// Meta took the message; whether it arrives is told by webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub wamid: String,
    /// Who Meta resolved the number to. It can differ from the number (Brazil, Mexico,
    /// Argentina) and is absent when the person's number is hidden.
    pub wa_id: Option<String>,
    /// Meta keeps the message back until the template has proved itself; it is released, or
    /// fails with 132015 (Meta: template pacing).
    pub held: bool,
}

impl Client {
    /// Sends one message, once.
    pub async fn send(
        &self,
        token: &AccessToken,
        phone_number_id: &str,
        message: &Outbound,
    ) -> Result<Accepted, SendError> {
        let request = self.request(Method::POST, token, [phone_number_id, "messages"]);
        match self.call(request.json(&message.to_json())).await {
            Answer::Complete { status, body } => outcome(status, &body),
            Answer::NotConnected(why) => Err(SendError::NotSent(why)),
            Answer::Lost(why) => Err(SendError::Unknown(why)),
        }
    }
}

fn outcome(status: StatusCode, body: &[u8]) -> Result<Accepted, SendError> {
    if status.is_success() {
        return accepted(body).ok_or_else(|| {
            SendError::Unknown(format!("Meta answered {status} without a message id"))
        });
    }
    match MetaError::parse(status.as_u16(), body) {
        Some(error) if error.class() == ErrorClass::Unclear => {
            Err(SendError::Unknown(error.to_string()))
        }
        Some(error) => Err(SendError::Refused(error)),
        None => Err(SendError::Unknown(format!(
            "{status}, and no error of Meta's"
        ))),
    }
}

fn accepted(body: &[u8]) -> Option<Accepted> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let message = list(&body, "messages").first()?;
    let status = text(message, "message_status");
    Some(Accepted {
        wamid: text(message, "id")?,
        wa_id: list(&body, "contacts")
            .first()
            .and_then(|contact| text(contact, "wa_id")),
        // A paused template is answered with a status of its own, to the same effect.
        held: matches!(
            status.as_deref(),
            Some("held_for_quality_assessment" | "paused")
        ),
    })
}
