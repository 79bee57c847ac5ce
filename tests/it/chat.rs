//! Chats: opening one, and what an agent writes there on its way to the person.

use std::sync::Arc;
use std::time::Duration;

use app::task::{ChatSend, QueueName};
use domain::id::MessageId;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::Store;
use crate::support::journey::{phone, text};
use crate::support::meta::pressed;
use crate::support::{Caller, TestApp};

/// A person who wrote a moment ago, and the chat with them.
struct Talk {
    owner: Caller,
    channel: String,
    contact: String,
    chat: String,
    phone: String,
}

impl Talk {
    async fn begin(t: &TestApp) -> Self {
        let (owner, channel, contact, chat) = t.acquainted().await;
        let talk = Self {
            owner,
            channel,
            contact,
            chat,
            phone: phone(1),
        };
        t.writes(&talk.phone, "wamid.hello", "Hello?").await;
        talk
    }

    fn path(&self) -> String {
        format!("/v1/chats/{}/messages", self.chat)
    }

    /// Says something, and answers the message's id.
    async fn say(&self, t: &TestApp, words: &str) -> String {
        // Two requests are never taken in the same millisecond.
        t.advance(SignedDuration::from_millis(1));
        let body = json!({"text": words});
        let message = self.owner.post(t, &self.path(), body).await.expect(202);
        assert_eq!(message["status"], "queued");
        text(&message["id"])
    }

    async fn refused(&self, t: &TestApp, words: &str, status: u16) -> Value {
        let body = json!({"text": words});
        self.owner.post(t, &self.path(), body).await.expect(status)
    }

    async fn message(&self, t: &TestApp, id: &str) -> Value {
        let page = self.owner.get(t, &self.path()).await.expect(200);
        let items = page["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["id"] == id);
        found.expect("the message is listed").clone()
    }

    async fn status(&self, t: &TestApp, id: &str) -> String {
        text(&self.message(t, id).await["status"])
    }

    /// What the person got, in the order it arrived at WhatsApp.
    async fn heard(&self, t: &TestApp) -> Vec<String> {
        let sent = t.sent_to(&self.phone).await;
        sent.iter().rev().map(|line| text(&line["text"])).collect()
    }

    /// The task that sends a message, to be delivered once more.
    fn task(&self, message: &str, place: u64) -> ChatSend {
        ChatSend {
            workspace: self.owner.workspace.parse().unwrap(),
            channel: self.channel.parse().unwrap(),
            contact: self.contact.parse().unwrap(),
            message: message.parse().unwrap(),
            place,
        }
    }

    /// Meta tells what became of a message.
    async fn told(&self, t: &TestApp, message: &str, statuses: &[&str]) {
        let at = t.app.now().as_second();
        let statuses: Vec<_> = statuses
            .iter()
            .map(|status| {
                let mut value = json!({"id": format!("wamid.of {message}"), "status": status, "timestamp": at.to_string(),
                    "recipient_id": "6281", "biz_opaque_callback_data": format!("{}.{message}", self.chat)});
                if *status == "failed" {
                    value["errors"] = json!([{"code": 131_047, "title": "Re-engagement message"}]);
                }
                value
            })
            .collect();
        let value = json!({"metadata": {"phone_number_id": simulator::universe::NUMBER}, "statuses": statuses});
        let body =
            json!({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
        t.post_webhook(body.to_string().into_bytes()).await;
    }
}

fn slow() -> simulator::Settings {
    simulator::Settings {
        answer_latency_ms: 1200,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_chat_is_opened_once_and_names_what_does_not_exist() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let contact = text(&t.contact(&owner, 1, &[]).await["id"]);
    let body = json!({"contact": contact, "channel": channel});
    let opened = owner.post(&t, "/v1/chats", body.clone()).await.expect(201);
    let again = owner.post(&t, "/v1/chats", body.clone()).await.expect(200);
    assert_eq!(opened, again);
    assert_eq!(opened["window_open_until"], Value::Null);
    let stranger = t.owner("stranger").await;
    let problem = stranger.post(&t, "/v1/chats", body).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "channel");
    // What a person writes comes into the same chat.
    t.writes(&phone(1), "wamid.1", "Hello").await;
    let path = format!("/v1/chats/{}", text(&opened["id"]));
    let chat = owner.get(&t, &path).await.expect(200);
    assert!(chat["window_open_until"].is_string(), "{chat}");
    t.finish().await;
}

#[tokio::test]
async fn what_may_not_be_sent_is_refused_in_words() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    for words in ["", "  \n", &"x".repeat(4097)] {
        let problem = talk.refused(&t, words, 422).await;
        assert_eq!(problem["errors"][0]["field"], "text");
    }
    t.advance(SignedDuration::from_hours(25));
    let closed = talk.refused(&t, "Are you still there?", 409).await;
    assert_eq!(closed["code"], "window_closed");
    assert!(text(&closed["detail"]).contains("template"), "{closed}");
    t.writes(&talk.phone, "wamid.2", "Berhenti").await;
    let stopped = talk.refused(&t, "Sorry to hear that", 409).await;
    assert_eq!(stopped["code"], "opted_out");
    t.advance(SignedDuration::from_secs(5));
    t.writes(&talk.phone, "wamid.3", "mulai").await;
    talk.say(&t, "Welcome back").await;
    t.drain().await;
    let words = talk.owner.get(&t, "/v1/inbox/opt-out").await.expect(200);
    let confirmed = ["stop_answer", "start_answer"].map(|name| text(&words[name]));
    let heard = talk.heard(&t).await;
    assert_eq!(
        heard,
        [&confirmed[..], &["Welcome back".to_owned()]].concat()
    );
    t.finish().await;
}

#[tokio::test]
async fn messages_are_sent_in_the_order_they_were_written_and_listed_the_newest_first() {
    let t = TestApp::quiet_with(slow()).await;
    let talk = Talk::begin(&t).await;
    let words: Vec<_> = (0..7).map(|n| format!("message {n}")).collect();
    for words in &words {
        talk.say(&t, words).await;
    }
    t.drain().await;
    assert_eq!(talk.heard(&t).await, words);
    let mut listed = Vec::new();
    let mut path = format!("{}?limit=3", talk.path());
    loop {
        let page = talk.owner.get(&t, &path).await.expect(200);
        listed.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => path = format!("{}?limit=3&cursor={next}", talk.path()),
            None => break,
        }
    }
    let mut texts: Vec<_> = listed.iter().map(|item| text(&item["text"])).collect();
    texts.reverse();
    assert_eq!(texts[0], "Hello?");
    assert_eq!(texts[1..], words);
    assert!(listed[..7].iter().all(|item| item["status"] == "accepted"));
    assert_eq!(listed[7]["direction"], "inbound");
    t.finish().await;
}

#[tokio::test]
async fn statuses_in_any_order_and_twice_move_a_message_up() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let (first, second) = (talk.say(&t, "one").await, talk.say(&t, "two").await);
    t.drain().await;
    talk.told(&t, &first, &["read", "sent"]).await;
    talk.told(&t, &first, &["delivered"]).await;
    talk.told(&t, &first, &["delivered", "failed"]).await;
    talk.told(&t, &second, &["failed", "delivered"]).await;
    talk.told(&t, &MessageId::written(t.app.now()).to_string(), &["read"])
        .await;
    t.drain().await;
    assert_eq!(talk.status(&t, &first).await, "read");
    let failed = talk.message(&t, &second).await;
    assert_eq!(
        (&failed["status"], &failed["code"], &failed["reason"]),
        (
            &json!("failed"),
            &json!(131_047),
            &json!(whatsapp::reason(131_047))
        )
    );
    t.finish().await;
}

#[tokio::test]
async fn a_status_that_comes_before_the_answer_stays() {
    let t = TestApp::quiet_with(slow()).await;
    let talk = Talk::begin(&t).await;
    let message = talk.say(&t, "fast").await;
    t.begin_all(QueueName::ChatSend).await;
    t.go_on_until(async || talk.heard(&t).await.len() == 1)
        .await;
    talk.told(&t, &message, &["delivered"]).await;
    t.run_once(QueueName::Webhook).await;
    assert_eq!(talk.status(&t, &message).await, "delivered");
    t.drain().await;
    assert_eq!(talk.status(&t, &message).await, "delivered");
    assert_eq!(talk.heard(&t).await, ["fast"]);
    t.finish().await;
}

#[tokio::test]
async fn every_task_delivered_twice_and_late_again_sends_nothing_twice() {
    let t = TestApp::quiet_with(slow()).await;
    let talk = Talk::begin(&t).await;
    let mut tasks = Vec::new();
    for (n, words) in ["one", "two", "three"].iter().enumerate() {
        let message = talk.say(&t, words).await;
        tasks.push(talk.task(&message, n as u64 + 1));
    }
    t.app.enqueue_all(&tasks, Duration::ZERO).await.unwrap();
    t.drain().await;
    tasks.reverse();
    t.app.enqueue_all(&tasks, Duration::ZERO).await.unwrap();
    t.drain().await;
    assert_eq!(talk.heard(&t).await, ["one", "two", "three"]);
    t.finish().await;
}

#[tokio::test]
async fn a_killed_sender_leaves_one_message_unknown_until_a_status_settles_it() {
    let t = TestApp::quiet_with(slow()).await;
    let talk = Talk::begin(&t).await;
    let first = talk.say(&t, "one").await;
    let second = talk.say(&t, "two").await;
    let sender = t.begin_one(QueueName::ChatSend).await;
    t.go_on_until(async || talk.heard(&t).await.len() == 1)
        .await;
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    t.drain().await;
    assert_eq!(talk.heard(&t).await, ["one", "two"]);
    let unknown = talk.message(&t, &first).await;
    assert_eq!(unknown["status"], "unknown");
    assert!(unknown["reason"].is_string(), "{unknown}");
    assert_eq!(talk.status(&t, &second).await, "accepted");
    talk.told(&t, &first, &["delivered"]).await;
    t.drain().await;
    assert_eq!(talk.status(&t, &first).await, "delivered");
    t.finish().await;
}

#[tokio::test]
async fn a_message_whose_task_was_lost_is_sent_by_the_next_one_before_its_own() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    talk.say(&t, "one").await;
    t.lose(QueueName::ChatSend).await;
    talk.say(&t, "two").await;
    t.drain().await;
    assert_eq!(talk.heard(&t).await, ["one", "two"]);
    talk.say(&t, "three").await;
    t.lose(QueueName::ChatSend).await;
    t.tick().await;
    t.drain().await;
    assert_eq!(talk.heard(&t).await.len(), 2, "it is left alone at first");
    t.advance(SignedDuration::from_secs(61));
    t.tick().await;
    t.drain().await;
    assert_eq!(talk.heard(&t).await, ["one", "two", "three"]);
    t.advance(SignedDuration::from_secs(61));
    t.tick().await;
    t.finish().await;
}

#[tokio::test]
async fn what_whatsapp_did_not_accept_is_tried_again_and_the_chat_waits_for_it() {
    for code in [130_429, 131_056] {
        let t = TestApp::quiet().await;
        let talk = Talk::begin(&t).await;
        let refused = json!({"error": {"code": code}});
        t.trouble(&talk.phone, 2, refused).await;
        talk.say(&t, "one").await;
        talk.say(&t, "two").await;
        let other = other_chat(&t, &talk).await;
        let began = t.app.now();
        other.say(&t, "elsewhere").await;
        t.go_on_until(async || {
            t.begin_all(QueueName::ChatSend).await;
            other.heard(&t).await.len() == 1
        })
        .await;
        let took = t.app.now().duration_since(began);
        assert!(took < SignedDuration::from_secs(5), "{code}: {took:?}");
        t.drain().await;
        assert_eq!(talk.heard(&t).await, ["one", "two"], "{code}");
        t.finish().await;
    }
}

/// The chat with another person who wrote.
async fn other_chat(t: &TestApp, talk: &Talk) -> Talk {
    let contact = text(&t.contact(&talk.owner, 2, &[]).await["id"]);
    let chat = t.chat(&talk.owner, &talk.channel, &contact).await;
    let other = Talk {
        owner: talk.owner.clone(),
        channel: talk.channel.clone(),
        contact,
        chat,
        phone: phone(2),
    };
    let at = t.app.now().as_second();
    let hello = crate::support::meta::said(&other.phone, "wamid.other", at, "Hi");
    t.post_webhook(crate::support::meta::inbound(&[hello]))
        .await;
    t.run_once(QueueName::Webhook).await;
    other
}

#[tokio::test]
async fn a_message_that_is_refused_for_long_is_given_up_and_the_next_one_sent() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let refused = json!({"error": {"code": 131_056}});
    t.trouble(&talk.phone, 6, refused).await;
    let first = talk.say(&t, "one").await;
    talk.say(&t, "two").await;
    t.drain().await;
    let given_up = talk.message(&t, &first).await;
    assert_eq!(
        (&given_up["status"], &given_up["code"]),
        (&json!("failed"), &json!(131_056))
    );
    assert_eq!(talk.heard(&t).await, ["two"]);
    t.finish().await;
}

#[tokio::test]
async fn an_unclear_answer_is_never_tried_again() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    for (n, effect) in [
        json!({"reset": {"accepted": true}}),
        json!({"html_500": {"accepted": false}}),
        json!({"truncated": {"accepted": true}}),
    ]
    .into_iter()
    .enumerate()
    {
        t.trouble(&talk.phone, 1, effect).await;
        let message = talk.say(&t, &format!("message {n}")).await;
        t.drain().await;
        assert_eq!(talk.status(&t, &message).await, "unknown");
    }
    assert_eq!(talk.heard(&t).await, ["message 0", "message 2"]);
    t.finish().await;
}

#[tokio::test]
async fn who_opts_out_while_a_message_waits_does_not_get_it() {
    let t = TestApp::quiet().await;
    let talk = Talk::begin(&t).await;
    let message = talk.say(&t, "A last offer").await;
    let at = t.app.now().as_second();
    let stop = pressed(
        &talk.phone,
        "wamid.stop",
        at,
        "wamid.offer",
        "Stop promotions",
    );
    t.post_webhook(crate::support::meta::inbound(&[stop])).await;
    t.run_once(QueueName::Webhook).await;
    t.drain().await;
    let held_back = talk.message(&t, &message).await;
    assert_eq!(held_back["status"], "failed");
    assert!(
        text(&held_back["reason"]).contains("opted out"),
        "{held_back}"
    );
    // They are told that it was understood, and nothing else.
    let words = talk.owner.get(&t, "/v1/inbox/opt-out").await.expect(200);
    assert_eq!(talk.heard(&t).await, [text(&words["stop_answer"])]);
    t.finish().await;
}

#[tokio::test]
async fn a_store_out_of_reach_at_any_step_sends_nothing_twice_and_loses_nothing() {
    // The claim and the slot fail before the call; what became of it, after.
    for (broken, unknown) in [("PENDING#", false), ("#PACER#", false), ("status_at", true)] {
        let store = Arc::new(Store::default());
        let t = TestApp::quiet_with_store(&store).await;
        let talk = Talk::begin(&t).await;
        let first = talk.say(&t, "one").await;
        let second = talk.say(&t, "two").await;
        *store.broken.lock().unwrap() = Some(broken);
        let sender = t.begin_one(QueueName::ChatSend).await;
        t.go_on_until(async || sender.is_finished()).await;
        *store.broken.lock().unwrap() = None;
        t.drain().await;
        assert_eq!(talk.heard(&t).await, ["one", "two"], "{broken}");
        let expected = if unknown { "unknown" } else { "accepted" };
        assert_eq!(talk.status(&t, &first).await, expected, "{broken}");
        assert_eq!(talk.status(&t, &second).await, "accepted", "{broken}");
        t.finish().await;
    }
}

#[tokio::test]
async fn an_agent_is_heard_within_a_second_while_a_campaign_uses_the_whole_limit() {
    let t = TestApp::quiet_with(slow()).await;
    let (owner, campaign, _) = t.prepared(300).await;
    let channels = owner.get(&t, "/v1/channels").await.expect(200);
    let channel = text(&channels["items"][0]["id"]);
    let contact = text(&t.contact(&owner, 900, &[]).await["id"]);
    let talk = Talk {
        chat: t.chat(&owner, &channel, &contact).await,
        owner,
        channel,
        contact,
        phone: phone(900),
    };
    t.writes(&talk.phone, "wamid.1", "Hello?").await;
    t.start(&talk.owner, &campaign).await;
    t.go_on_until_sent(100).await;
    talk.say(&t, "Good morning").await;
    let began = t.app.now();
    t.begin_all(QueueName::ChatSend).await;
    t.go_on_until(async || !talk.heard(&t).await.is_empty())
        .await;
    let took = t.app.now().duration_since(began);
    assert!(took < SignedDuration::from_secs(1), "{took:?}");
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (&ledger["accepted"], &ledger["refused"]),
        (&json!(301), &json!({}))
    );
    t.finish().await;
}
