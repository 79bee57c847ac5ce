//! Meta's part, played by a test: webhook bodies with messages that people wrote.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Caller, TestApp};

/// A text of a person, written at this second.
pub(crate) fn said(from: &str, wamid: &str, at: i64, text: &str) -> Value {
    json!({"from": digits(from), "id": wamid, "timestamp": at.to_string(), "type": "text", "text": {"body": text}})
}

/// A template's button that a person pressed.
pub(crate) fn pressed(from: &str, wamid: &str, at: i64, context: &str, text: &str) -> Value {
    json!({"from": digits(from), "id": wamid, "timestamp": at.to_string(), "type": "button",
        "context": {"from": "15550100001", "id": context}, "button": {"text": text, "payload": text}})
}

/// The message with a quote of another.
pub(crate) fn quoting(mut message: Value, wamid: &str) -> Value {
    message["context"] = json!({"from": "15550100001", "id": wamid});
    message
}

/// A webhook body with these messages to the first number of the simulator, all of people with the
/// profile name Ada Lovelace.
pub(crate) fn inbound(messages: &[Value]) -> Vec<u8> {
    inbound_to(simulator::universe::NUMBER, messages)
}

/// The same to another number.
pub(crate) fn inbound_to(number: &str, messages: &[Value]) -> Vec<u8> {
    let contacts: Vec<_> = messages
        .iter()
        .filter_map(|message| message["from"].as_str())
        .map(|from| json!({"profile": {"name": "Ada Lovelace"}, "wa_id": from}))
        .collect();
    let value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100001", "phone_number_id": number},
        "contacts": contacts, "messages": messages});
    json!({"object": "whatsapp_business_account", "entry": [{"id": simulator::universe::WABA,
        "changes": [{"field": "messages", "value": value}]}]})
    .to_string()
    .into_bytes()
}

impl TestApp {
    /// Posts a body as Meta does; it is queued and not yet processed.
    pub(crate) async fn post_webhook(&self, body: Vec<u8>) {
        let signature = whatsapp::signature::sign(&self.app.config.app_secrets[0], &body);
        let header = Some(("x-hub-signature-256", signature.as_str()));
        Caller::anonymous()
            .raw(self, Method::POST, "/webhooks/whatsapp", header, body)
            .await
            .expect(200);
    }

    /// Lets people write these messages, and has them taken in.
    pub(crate) async fn hears(&self, messages: &[Value]) {
        self.post_webhook(inbound(messages)).await;
        self.drain().await;
    }

    /// A person writes this to the first number: the simulator knows that the customer service window is
    /// open, and so does the application.
    pub(crate) async fn writes(&self, phone: &str, wamid: &str, text: &str) {
        let inbound = json!({"from": phone, "text": text});
        self.control(Method::POST, "/_control/inbound", inbound)
            .await;
        self.hears(&[said(phone, wamid, self.app.now().as_second(), text)])
            .await;
    }

    /// What the simulator accepted for this number, the newest first.
    pub(crate) async fn sent_to(&self, phone: &str) -> Vec<Value> {
        let path = format!("/_control/messages?to={}", digits(phone));
        let mut lines = self.control(Method::GET, &path, Value::Null).await;
        serde_json::from_value(lines["data"].take()).unwrap()
    }

    /// Makes the simulator do this to what is sent to the number, so many times.
    pub(crate) async fn trouble(&self, phone: &str, times: u32, effect: Value) {
        let rule = json!({"match": {"recipient": digits(phone), "times": times}, "effect": effect});
        self.control(Method::POST, "/_control/rules", rule).await;
    }

    /// Tells the simulator something through its control plane, or asks it.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let body = match body {
            Value::Null => axum::body::Body::empty(),
            body => axum::body::Body::from(body.to_string()),
        };
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let answer = tower::ServiceExt::oneshot(self.simulator.router(), request)
            .await
            .unwrap();
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_slice(&bytes).unwrap()
    }
}

fn digits(phone: &str) -> &str {
    phone.trim_start_matches('+')
}
