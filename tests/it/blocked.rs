//! Contacts that a workspace blocked: nothing is sent to them, and nothing they write is lost or calls anybody.

use app::task::QueueName;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::meta::said;
use crate::support::{Caller, TestApp};

/// A workspace, a person who wrote to it once, and their chat, which was seen and resolved.
struct Shop {
    owner: Caller,
    contact: String,
    chat: String,
}

impl Shop {
    async fn open(t: &TestApp) -> Self {
        let (owner, _, contact, chat) = t.acquainted().await;
        t.writes(&phone(1), "wamid.hello", "Hello?").await;
        t.advance(SignedDuration::from_secs(1));
        let resolved = json!({"status": "resolved"});
        let shop = Self {
            owner,
            contact,
            chat,
        };
        shop.owner
            .post(t, &format!("{}/read", shop.path()), Value::Null)
            .await
            .expect(200);
        shop.owner
            .patch(t, &shop.path(), resolved)
            .await
            .expect(200);
        t.drain().await;
        shop
    }

    fn path(&self) -> String {
        format!("/v1/chats/{}", self.chat)
    }

    fn contact(&self) -> String {
        format!("/v1/contacts/{}", self.contact)
    }

    async fn block(&self, t: &TestApp, blocked: bool) -> Value {
        let body = json!({"blocked": blocked});
        self.owner.patch(t, &self.contact(), body).await.expect(200)
    }

    async fn chat(&self, t: &TestApp) -> Value {
        self.owner.get(t, &self.path()).await.expect(200)
    }

    /// The thread, the oldest first.
    async fn thread(&self, t: &TestApp) -> Vec<Value> {
        let path = format!("{}/messages", self.path());
        let mut page = self.owner.get(t, &path).await.expect(200);
        let mut items: Vec<Value> = serde_json::from_value(page["items"].take()).unwrap();
        items.reverse();
        items
    }
}

#[tokio::test]
async fn what_a_blocked_person_writes_is_kept_and_calls_nobody() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let welcome = json!({"name": "Every word", "trigger": {"type": "keyword", "match": "contains",
        "keywords": ["hey"]}, "content": {"type": "text", "text": "We are here."}});
    shop.owner
        .post(&t, "/v1/inbox/automatic-answers", welcome)
        .await
        .expect(201);
    let before = shop.chat(&t).await;
    shop.block(&t, true).await;
    t.advance(SignedDuration::from_secs(60));
    let now = t.app.now().as_second();
    let mut live = shop.owner.live(&t).await;
    let hey = said(&phone(1), "wamid.hey", now, "Hey you");
    t.hears(&[hey.clone(), hey.clone()]).await;
    t.hears(&[hey]).await;
    let after = shop.chat(&t).await;
    for unmoved in ["status", "unread", "active_at", "last_message"] {
        assert_eq!(after[unmoved], before[unmoved], "{unmoved} moved: {after}");
    }
    assert_eq!(after["barred"], "blocked");
    assert_ne!(
        after["window_open_until"], before["window_open_until"],
        "WhatsApp would deliver an answer, whoever is blocked here"
    );
    let thread = shop.thread(&t).await;
    let words = thread.iter().filter(|item| item["text"] == "Hey you");
    assert_eq!(words.count(), 1, "{thread:?}");
    assert_eq!(t.sent_to(&phone(1)).await, Vec::<Value>::new());
    let events = live.events().await;
    assert!(
        events
            .iter()
            .all(|event| event["type"] != "message.created"),
        "{events:?}"
    );
    assert!(
        events.iter().any(|event| event["type"] == "chat.updated"),
        "whoever has the chat open sees it: {events:?}"
    );
    // Unblocked, the next word is one like any other.
    shop.block(&t, false).await;
    t.advance(SignedDuration::from_secs(1));
    let now = t.app.now().as_second();
    t.hears(&[said(&phone(1), "wamid.again", now, "Hey, sorry")])
        .await;
    let after = shop.chat(&t).await;
    assert_eq!(
        (&after["status"], &after["unread"]),
        (&json!("open"), &json!(1))
    );
    assert_eq!(after.get("barred"), None);
    t.finish().await;
}

#[tokio::test]
async fn a_blocked_person_who_opens_a_chat_waits_for_nobody_and_their_wish_counts() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let contact = text(&t.contact(&owner, 1, &[]).await["id"]);
    let path = format!("/v1/contacts/{contact}");
    owner
        .patch(&t, &path, json!({"blocked": true}))
        .await
        .expect(200);
    t.writes(&phone(1), "wamid.stop", "STOP").await;
    let chats = owner.get(&t, "/v1/chats?status=open").await.expect(200);
    assert_eq!(chats["items"], json!([]));
    let chats = owner.get(&t, "/v1/chats?status=resolved").await.expect(200);
    assert_eq!(chats["items"][0]["unread"], 0);
    let contact = owner.get(&t, &path).await.expect(200);
    assert_eq!(contact["consent"], "opted_out");
    assert_eq!(
        t.sent_to(&phone(1)).await,
        Vec::<Value>::new(),
        "not even the confirmation is sent"
    );
    t.finish().await;
}

#[tokio::test]
async fn nothing_is_sent_to_a_blocked_person_by_any_way() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let messages = format!("{}/messages", shop.path());
    // One is on its way already when the person is blocked.
    let waiting = shop
        .owner
        .post(&t, &messages, json!({"text": "A moment"}))
        .await
        .expect(202);
    t.advance(SignedDuration::from_millis(5));
    shop.block(&t, true).await;
    t.drain().await;
    let thread = shop.thread(&t).await;
    let held = thread.iter().find(|item| item["id"] == waiting["id"]);
    let held = held.expect("it stays in the thread");
    assert_eq!(held["status"], "failed");
    assert!(text(&held["reason"]).contains("blocked"), "{held}");
    let problem = shop
        .owner
        .post(&t, &messages, json!({"text": "Another"}))
        .await
        .expect(409);
    assert_eq!(problem["code"], "blocked");
    assert!(text(&problem["detail"]).contains("unblock"), "{problem}");
    assert_eq!(t.sent_to(&phone(1)).await, Vec::<Value>::new());
    t.finish().await;
}

#[tokio::test]
async fn campaigns_leave_a_blocked_person_out_whenever_they_were_blocked() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(5).await;
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    let path = |n: usize| format!("/v1/contacts/{}", text(&contacts["items"][n]["id"]));
    let block = json!({"blocked": true});
    owner.patch(&t, &path(0), block.clone()).await.expect(200);
    let preflight = owner
        .post(
            &t,
            &format!("/v1/campaigns/{campaign}/preflight"),
            Value::Null,
        )
        .await
        .expect(200);
    let excluded = preflight["excluded"].as_array().unwrap();
    assert_eq!(excluded[0]["code"], "blocked");
    assert_eq!(excluded[0]["count"], 1);
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    owner.patch(&t, &path(1), block).await.expect(200);
    t.drain().await;
    assert_eq!(t.ledger().await["accepted"], 3);
    assert_eq!(t.figures(&owner, &campaign).await["excluded"], 2);
    let tab = format!("/v1/campaigns/{campaign}/recipients?status=excluded");
    let rows = owner.get(&t, &tab).await.expect(200);
    for row in rows["items"].as_array().unwrap() {
        assert_eq!(row["excluded"], "blocked", "{row}");
    }
    t.finish().await;
}

#[tokio::test]
async fn blocking_is_told_in_the_chats_once_and_stays_through_other_changes() {
    let t = TestApp::quiet().await;
    let shop = Shop::open(&t).await;
    let first = shop.block(&t, true).await;
    t.advance(SignedDuration::from_secs(60));
    let again = shop.block(&t, true).await;
    assert_eq!(first["blocked_at"], again["blocked_at"]);
    let renamed = json!({"name": "Budi"});
    shop.owner
        .patch(&t, &shop.contact(), renamed)
        .await
        .expect(200);
    let file = format!("name,phone\nBudi Santoso,{}\n", phone(1));
    t.import(&shop.owner, file.as_bytes(), json!({})).await;
    let contact = shop.owner.get(&t, &shop.contact()).await.expect(200);
    assert_eq!(contact["blocked_at"], first["blocked_at"]);
    t.advance(SignedDuration::from_secs(1));
    let unblocked = shop.block(&t, false).await;
    assert_eq!(unblocked["blocked_at"], Value::Null);
    let thread = shop.thread(&t).await;
    let lines = thread.iter().map(|item| &item["content"]);
    let lines: Vec<_> = lines.filter(|what| what["type"] == "blocked").collect();
    let line = |blocked: bool| json!({"type": "blocked", "blocked": blocked});
    assert_eq!(lines, [&line(true), &line(false)]);
    // Another workspace's hand reaches nobody here.
    let other = t.owner("globex").await;
    other
        .patch(&t, &shop.contact(), json!({"blocked": true}))
        .await
        .expect(404);
    let contact = shop.owner.get(&t, &shop.contact()).await.expect(200);
    assert_eq!(contact["blocked_at"], Value::Null);
    t.finish().await;
}
