//! The steps of a chat, asserted one by one in both directions: for a text, a picture and a document.
//!
//! Out: an agent acts → the request is checked → the message is kept and queued → WhatsApp takes it and
//! gives it an id → open screens are told → a screen reads it → webhooks move its ticks.

use app::task::QueueName;
use image::ImageFormat;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::media::{PICTURE, upload};
use crate::received::{photo, put, showing};
use crate::support::journey::phone;
use crate::support::live::Live;
use crate::support::meta::{inbound, said};
use crate::support::{Caller, TestApp};

const DOCUMENT: &[u8] = b"%PDF-1.7\n and so on";

/// An agent at a desk whose screen is live, and a chat.
struct Desk {
    agent: Caller,
    screen: Live,
    chat: String,
}

impl Desk {
    async fn open(t: &TestApp) -> Self {
        let (agent, _, _, chat) = t.acquainted().await;
        t.writes(&phone(1), "wamid.hello", "Hello?").await;
        t.drain().await;
        t.advance(SignedDuration::from_secs(1));
        let screen = agent.live(t).await;
        Self {
            agent,
            screen,
            chat,
        }
    }

    fn messages(&self) -> String {
        format!("/v1/chats/{}/messages", self.chat)
    }

    /// The newest message, as a screen reads it.
    async fn newest(&self, t: &TestApp) -> Value {
        let path = format!("{}?limit=1", self.messages());
        self.agent.get(t, &path).await.expect(200)["items"][0].clone()
    }

    async fn chat(&self, t: &TestApp) -> Value {
        let path = format!("/v1/chats/{}", self.chat);
        self.agent.get(t, &path).await.expect(200)
    }

    /// The events of a kind that the screen is told, once there is one.
    async fn told(&mut self, kind: &str) -> Vec<Value> {
        loop {
            let events = self.screen.events().await.into_iter();
            let of_kind: Vec<_> = events.filter(|event| event["type"] == kind).collect();
            if !of_kind.is_empty() {
                return of_kind;
            }
        }
    }
}

#[tokio::test]
async fn what_an_agent_says_takes_its_seven_steps() {
    for kind in ["text", "image", "document"] {
        let t = TestApp::quiet().await;
        let mut desk = Desk::open(&t).await;
        let content = match kind {
            "text" => json!({"type": "text", "text": "It is on its way."}),
            "image" => {
                let media = upload(&t, &desk.agent, "menu.png", "image/png", PICTURE).await;
                json!({"type": "media", "media": media, "caption": "The menu"})
            }
            _ => {
                let media = upload(&t, &desk.agent, "a.pdf", "application/pdf", DOCUMENT).await;
                json!({"type": "media", "media": media})
            }
        };
        // What is wrong is refused, and nothing of it is kept.
        let wrong = json!({"type": "text", "text": ""});
        let refused = desk
            .agent
            .post(&t, &desk.messages(), json!({"content": wrong}))
            .await;
        refused.expect(422);
        assert_eq!(desk.newest(&t).await["text"], "Hello?");
        // What is right is kept before it is answered, and on its way.
        let body = json!({"content": content});
        let taken = desk
            .agent
            .post(&t, &desk.messages(), body)
            .await
            .expect(202);
        assert_eq!(
            (&taken["status"], &taken["kind"]),
            (&json!("queued"), &json!(kind))
        );
        assert_eq!(desk.newest(&t).await["id"], taken["id"]);
        assert_eq!(desk.chat(&t).await["last_message"]["id"], taken["id"]);
        assert!(
            t.sent_to(&phone(1)).await.is_empty(),
            "it is sent from the queue alone"
        );
        t.run_once(QueueName::Broadcast).await;
        let created = desk.told("message.created").await;
        assert_eq!(created[0]["message"], taken["id"]);
        // WhatsApp takes it and gives it an id.
        t.drain().await;
        let sent = t.sent_to(&phone(1)).await;
        assert_eq!((sent.len(), &sent[0]["type"]), (1, &json!(kind)));
        let updated = desk.told("message.updated").await;
        assert_eq!(updated.last().unwrap()["status"], "accepted");
        let shown = desk.newest(&t).await;
        assert_eq!(
            (&shown["status"], &shown["wamid"]),
            (&json!("accepted"), &sent[0]["id"])
        );
        // Webhooks move its ticks, and each is told.
        for status in ["sent", "delivered", "read"] {
            t.advance(SignedDuration::from_secs(1));
            let told = json!({"id": sent[0]["id"], "status": status, "recipient_id": "6281",
                "timestamp": t.app.now().as_second().to_string(),
                "biz_opaque_callback_data": sent[0]["biz_opaque_callback_data"]});
            let value = json!({"metadata": {"phone_number_id": simulator::universe::NUMBER}, "statuses": [told]});
            let body =
                json!({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
            t.post_webhook(body.to_string().into_bytes()).await;
            t.drain().await;
            let updated = desk.told("message.updated").await;
            assert_eq!(updated.last().unwrap()["status"], status);
            assert_eq!(desk.newest(&t).await["status"], status);
        }
        t.finish().await;
    }
}

#[tokio::test]
async fn what_a_person_says_takes_its_steps_back() {
    for kind in ["text", "image", "document"] {
        let t = TestApp::quiet().await;
        let mut desk = Desk::open(&t).await;
        let at = t.app.now().as_second() + 1;
        t.advance(SignedDuration::from_secs(2));
        let message = match kind {
            "text" => said(&phone(1), "wamid.new", at, "Where is it?"),
            "image" => {
                let id = put(&t, "image/jpeg", &photo(ImageFormat::Jpeg)).await;
                showing(
                    &t,
                    "wamid.new",
                    "image",
                    json!({"id": id, "caption": "This one"}),
                )
            }
            _ => {
                let id = put(&t, "application/pdf", DOCUMENT).await;
                showing(
                    &t,
                    "wamid.new",
                    "document",
                    json!({"id": id, "filename": "a.pdf"}),
                )
            }
        };
        // The webhook is taken before it is worked on.
        t.post_webhook(inbound(&[message])).await;
        assert_eq!(desk.newest(&t).await["text"], "Hello?");
        // It is kept, and shown before its file is there.
        t.run_once(QueueName::Webhook).await;
        let shown = desk.newest(&t).await;
        assert_eq!(
            (&shown["wamid"], &shown["kind"]),
            (&json!("wamid.new"), &json!(kind))
        );
        let chat = desk.chat(&t).await;
        assert_eq!(
            (&chat["unread"], &chat["last_message"]["id"]),
            (&json!(2), &shown["id"])
        );
        if kind != "text" {
            assert_eq!(shown["media"]["state"], "downloading");
        }
        // Open screens are told, and of its file once that is there.
        t.drain().await;
        let created = desk.told("message.created").await;
        assert_eq!(
            (&created[0]["message"], &created[0]["direction"]),
            (&shown["id"], &json!("inbound"))
        );
        if kind != "text" {
            assert_eq!(desk.newest(&t).await["media"]["state"], "ready");
        }
        // Who looks at it clears it, and the person is told.
        let path = format!("/v1/chats/{}/read", desk.chat);
        desk.agent.post(&t, &path, json!({})).await.expect(200);
        t.drain().await;
        assert_eq!(desk.chat(&t).await["unread"], 0);
        let receipts = t
            .control(reqwest::Method::GET, "/_control/receipts", Value::Null)
            .await;
        assert_eq!(receipts["data"][0]["message_id"], "wamid.new");
        t.finish().await;
    }
}
