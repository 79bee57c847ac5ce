//! What becomes of messages after they were said: reactions, edits, withdrawals.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::meta::said;
use crate::support::{Caller, TestApp};

/// A workspace and the chat with a person who has written "Hello" as `wamid.1`.
struct Talk {
    owner: Caller,
    chat: String,
    began: i64,
}

impl Talk {
    async fn begin(t: &TestApp) -> Self {
        let (owner, _, _, chat) = t.acquainted().await;
        let talk = Self {
            owner,
            chat,
            began: t.app.now().as_second(),
        };
        t.advance(SignedDuration::from_mins(10));
        t.hears(&[said(&phone(1), "wamid.1", talk.began, "Hello")])
            .await;
        talk
    }

    /// What a person does to a message, so many seconds after the first.
    fn does(&self, wamid: &str, second: i64, kind: &str, what: &Value) -> Value {
        json!({"from": phone(1).trim_start_matches('+'), "id": wamid,
            "timestamp": (self.began + second).to_string(), "type": kind, kind: what})
    }

    fn edits(&self, wamid: &str, second: i64, of: &str, body: &str) -> Value {
        let message = json!({"type": "text", "text": {"body": body}});
        let what = json!({"original_message_id": of, "message": message});
        self.does(wamid, second, "edit", &what)
    }

    fn reacts(&self, wamid: &str, second: i64, to: &str, emoji: &str) -> Value {
        let what = json!({"message_id": to, "emoji": emoji});
        self.does(wamid, second, "reaction", &what)
    }

    fn revokes(&self, wamid: &str, second: i64, of: &str) -> Value {
        self.does(wamid, second, "revoke", &json!({"original_message_id": of}))
    }

    /// The message that Meta names so, as the thread shows it.
    async fn message(&self, t: &TestApp, wamid: &str) -> Value {
        let path = format!("/v1/chats/{}/messages", self.chat);
        let page = self.owner.get(t, &path).await.expect(200);
        let mut items = page["items"].as_array().unwrap().iter();
        let found = items.find(|item| item["wamid"] == wamid);
        found.expect("the message is listed").clone()
    }

    async fn found(&self, t: &TestApp, word: &str) -> Vec<String> {
        let path = format!("/v1/messages?search={word}");
        let page = self.owner.get(t, &path).await.expect(200);
        let items = page["items"].as_array().unwrap().iter();
        items.map(|hit| text(&hit["message"]["text"])).collect()
    }

    async fn unread(&self, t: &TestApp) -> Value {
        let path = format!("/v1/chats/{}", self.chat);
        self.owner.get(t, &path).await.expect(200)["unread"].clone()
    }
}

#[tokio::test]
async fn a_reaction_stands_on_its_message_and_is_replaced_and_taken_back() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    t.hears(&[talk.reacts("wamid.2", 10, "wamid.1", "👍")])
        .await;
    assert_eq!(talk.message(&t, "wamid.1").await["reaction"], "👍");
    // Told late, and again.
    t.hears(&[talk.reacts("wamid.4", 30, "wamid.1", "🎉")])
        .await;
    t.hears(&[talk.reacts("wamid.3", 20, "wamid.1", "😢")])
        .await;
    t.hears(&[talk.reacts("wamid.2", 10, "wamid.1", "👍")])
        .await;
    assert_eq!(talk.message(&t, "wamid.1").await["reaction"], "🎉");
    t.hears(&[talk.reacts("wamid.5", 40, "wamid.1", "")]).await;
    assert_eq!(talk.message(&t, "wamid.1").await["reaction"], Value::Null);
    assert_eq!(talk.unread(&t).await, 1, "a reaction is nothing to be read");
    t.finish().await;
}

#[tokio::test]
async fn reactions_stand_on_what_agents_and_campaigns_said() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(2).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let sent = &t.sent_to(&phone(1)).await[0];
    let began = t.app.now().as_second();
    t.writes(&phone(1), "wamid.1", "Hi").await;
    let chats = owner.get(&t, "/v1/chats").await.expect(200);
    let chat = text(&chats["items"][0]["id"]);
    let talk = Talk { owner, chat, began };
    let path = format!("/v1/chats/{}/messages", talk.chat);
    talk.owner
        .post(&t, &path, json!({"text": "Thank you"}))
        .await
        .expect(202);
    t.drain().await;
    let answer = t.sent_to(&phone(1)).await[0].clone();
    for (n, message) in [sent, &answer].into_iter().enumerate() {
        let wamid = text(&message["id"]);
        let reaction = talk.reacts(&format!("wamid.r{n}"), 10, &wamid, "❤️");
        t.hears(&[reaction]).await;
        assert_eq!(
            talk.message(&t, &wamid).await["reaction"],
            "❤️",
            "{message}"
        );
    }
    // Nobody edits or takes back what others said.
    let wamid = text(&answer["id"]);
    t.hears(&[
        talk.edits("wamid.e", 20, &wamid, "No thanks"),
        talk.revokes("wamid.v", 21, &wamid),
    ])
    .await;
    let ours = talk.message(&t, &wamid).await;
    assert_eq!(
        (&ours["text"], &ours["revoked_at"]),
        (&json!("Thank you"), &Value::Null)
    );
    t.finish().await;
}

#[tokio::test]
async fn a_reaction_of_the_workspace_stands_there_once_it_was_sent() {
    let t = TestApp::quiet().await;
    let (owner, _, _, chat) = t.acquainted().await;
    t.writes(&phone(1), "wamid.1", "Hello").await;
    let talk = Talk {
        owner,
        chat,
        began: t.app.now().as_second(),
    };
    let path = format!("/v1/chats/{}/messages", talk.chat);
    let target = text(&talk.message(&t, "wamid.1").await["id"]);
    // The simulator knows what it was told through its own door, so what it says of this one is played here.
    let content = json!({"type": "reaction", "message": target, "emoji": "🙏"});
    let reaction = talk
        .owner
        .post(&t, &path, json!({"content": content}))
        .await
        .expect(202);
    assert_eq!(
        talk.message(&t, "wamid.1").await["own_reaction"],
        Value::Null
    );
    let status = json!({"id": "wamid.out", "status": "sent", "timestamp": talk.began.to_string(),
        "recipient_id": phone(1).trim_start_matches('+'),
        "biz_opaque_callback_data": format!("{}.{}", talk.chat, text(&reaction["id"]))});
    for _ in 0..2 {
        t.post_webhook(statuses(&status)).await;
        t.run_once(app::task::QueueName::Webhook).await;
    }
    assert_eq!(talk.message(&t, "wamid.1").await["own_reaction"], "🙏");
    t.drain().await;
    t.finish().await;
}

fn statuses(status: &Value) -> Vec<u8> {
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": simulator::universe::WABA,
        "changes": [{"field": "messages", "value": {"messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550100001", "phone_number_id": simulator::universe::NUMBER},
            "statuses": [status]}}]}]});
    body.to_string().into_bytes()
}

#[tokio::test]
async fn an_edit_takes_the_place_of_the_words_and_is_found() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let (first, second) = (
        talk.edits("wamid.2", 10, "wamid.1", "Halo semuanya"),
        talk.edits("wamid.3", 20, "wamid.1", "Selamat pagi"),
    );
    t.hears(&[second]).await;
    t.hears(std::slice::from_ref(&first)).await;
    t.hears(&[first]).await;
    let message = talk.message(&t, "wamid.1").await;
    assert_eq!(
        (&message["text"], &message["first_text"]),
        (&json!("Selamat pagi"), &json!("Hello"))
    );
    assert!(message["edited_at"].is_string(), "{message}");
    assert_eq!(talk.found(&t, "selamat").await, ["Selamat pagi"]);
    for gone in ["hello", "semuanya"] {
        assert!(talk.found(&t, gone).await.is_empty(), "{gone}");
    }
    assert_eq!(talk.unread(&t).await, 1);
    t.finish().await;
}

#[tokio::test]
async fn what_was_taken_back_is_shown_and_found_no_more() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    t.hears(&[said(
        &phone(1),
        "wamid.9",
        talk.began,
        "My number is secret",
    )])
    .await;
    for _ in 0..2 {
        t.hears(&[talk.revokes("wamid.2", 60, "wamid.9")]).await;
    }
    // Words that come late are of a message that is gone.
    t.hears(&[talk.edits("wamid.3", 30, "wamid.9", "My number is secret indeed")])
        .await;
    let message = talk.message(&t, "wamid.9").await;
    assert!(message["revoked_at"].is_string(), "{message}");
    assert!(!message.to_string().contains("secret"), "{message}");
    assert!(talk.found(&t, "secret").await.is_empty());
    assert_eq!(talk.message(&t, "wamid.1").await["text"], "Hello");
    t.finish().await;
}

#[tokio::test]
async fn what_comes_before_its_message_is_kept_for_it() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    t.hears(&[
        talk.edits("wamid.2", 10, "wamid.8", "Selamat malam"),
        talk.reacts("wamid.3", 11, "wamid.8", "👍"),
        talk.revokes("wamid.4", 12, "wamid.9"),
    ])
    .await;
    t.hears(&[
        said(&phone(1), "wamid.8", talk.began, "Selamet malem"),
        said(&phone(1), "wamid.9", talk.began, "Oops"),
    ])
    .await;
    let edited = talk.message(&t, "wamid.8").await;
    assert_eq!(
        (&edited["text"], &edited["reaction"]),
        (&json!("Selamat malam"), &json!("👍"))
    );
    assert_eq!(talk.found(&t, "malam").await, ["Selamat malam"]);
    assert!(talk.found(&t, "malem").await.is_empty());
    assert!(talk.message(&t, "wamid.9").await["revoked_at"].is_string());
    assert!(talk.found(&t, "oops").await.is_empty());
    t.finish().await;
}

#[tokio::test]
async fn nobody_changes_what_another_person_said() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let stranger = |mut message: Value| {
        message["from"] = json!(phone(2).trim_start_matches('+'));
        message
    };
    t.hears(&[
        stranger(talk.edits("wamid.2", 10, "wamid.1", "Goodbye")),
        stranger(talk.reacts("wamid.3", 11, "wamid.1", "👎")),
        stranger(talk.revokes("wamid.4", 12, "wamid.1")),
    ])
    .await;
    let message = talk.message(&t, "wamid.1").await;
    assert_eq!(
        (
            &message["text"],
            &message["reaction"],
            &message["revoked_at"]
        ),
        (&json!("Hello"), &Value::Null, &Value::Null)
    );
    // An id that no message can have costs nothing else its place.
    let endless = "x".repeat(3_000);
    t.hears(&[
        talk.revokes("wamid.5", 13, &endless),
        said(&phone(1), "wamid.6", talk.began + 14, "Still here"),
    ])
    .await;
    assert_eq!(talk.message(&t, "wamid.6").await["text"], "Still here");
    t.finish().await;
}
