//! The shared inbox: the list of chats, its live counts, and what a team does to a chat.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

/// A workspace with a number, to which people write.
struct Inbox {
    owner: Caller,
    channel: String,
}

impl Inbox {
    async fn begin(t: &TestApp) -> Self {
        let owner = t.owner("acme").await;
        let channel = t.connect(&owner).await;
        Self { owner, channel }
    }

    async fn hear(&self, t: &TestApp, person: u32, words: &str) {
        // Meta tells whole seconds.
        t.advance(SignedDuration::from_secs(1));
        let wamid = format!("wamid.{person}.{words}");
        t.writes(&phone(person), &wamid, words).await;
    }

    async fn list(&self, t: &TestApp, query: &str) -> Vec<Value> {
        let page = self.page(t, query).await;
        page["items"].as_array().unwrap().clone()
    }

    async fn page(&self, t: &TestApp, query: &str) -> Value {
        let path = format!("/v1/chats?{query}");
        self.owner.get(t, &path).await.expect(200)
    }

    /// The last words of each listed chat.
    async fn words(&self, t: &TestApp, query: &str) -> Vec<String> {
        let list = self.list(t, query).await;
        list.iter()
            .map(|chat| text(&chat["last_message"]["text"]))
            .collect()
    }

    /// The chat with a person.
    async fn chat(&self, t: &TestApp, person: u32) -> Value {
        let list = self.list(t, "limit=100").await;
        let found = list
            .iter()
            .find(|chat| chat["contact_phone"] == phone(person));
        found.expect("the person has a chat").clone()
    }

    async fn change(&self, t: &TestApp, person: u32, patch: Value) -> Value {
        let id = text(&self.chat(t, person).await["id"]);
        let path = format!("/v1/chats/{id}");
        self.owner.patch(t, &path, patch).await.expect(200)
    }

    async fn counts(&self, t: &TestApp, status: &str) -> Value {
        let counts = self.owner.get(t, "/v1/chats/counts").await.expect(200);
        counts["statuses"][status].clone()
    }

    /// What happened to the chat, the newest first.
    async fn activity(&self, t: &TestApp, person: u32) -> Vec<Value> {
        let id = text(&self.chat(t, person).await["id"]);
        let path = format!("/v1/chats/{id}/messages");
        let page = self.owner.get(t, &path).await.expect(200);
        let items = page["items"].as_array().unwrap().iter();
        items
            .filter(|item| item["kind"] == "activity")
            .map(|item| item["content"].clone())
            .collect()
    }
}

#[tokio::test]
async fn chats_are_listed_by_their_latest_message_and_counted() {
    let t = TestApp::quiet().await;
    let inbox = Inbox::begin(&t).await;
    for person in 1..=3 {
        inbox.hear(&t, person, &format!("I am {person}")).await;
    }
    inbox.hear(&t, 1, "Anybody there?").await;
    assert_eq!(
        inbox.words(&t, "").await,
        ["Anybody there?", "I am 3", "I am 2"]
    );
    let first = &inbox.list(&t, "limit=1").await[0];
    assert_eq!(
        (&first["unread"], &first["status"]),
        (&json!(2), &json!("open"))
    );
    assert_eq!(first["last_message"]["direction"], "inbound");
    assert!(first["window_open_until"].is_string(), "{first}");
    let counts = inbox.counts(&t, "open").await;
    assert_eq!(
        (
            &counts["all"],
            &counts["unread"],
            &counts["unassigned"],
            &counts["mine"]
        ),
        (&json!(3), &json!(3), &json!(3), &json!(0))
    );
    assert_eq!(counts["channels"][&inbox.channel], 3);
    t.finish().await;
}

#[tokio::test]
async fn a_late_message_is_unread_but_does_not_take_the_place_of_a_newer_one() {
    let t = TestApp::quiet().await;
    let inbox = Inbox::begin(&t).await;
    t.advance(SignedDuration::from_secs(60));
    inbox.hear(&t, 1, "second").await;
    let before = t.app.now().as_second() - 30;
    let late = crate::support::meta::said(&phone(1), "wamid.late", before, "first");
    t.hears(std::slice::from_ref(&late)).await;
    t.hears(&[late]).await;
    let chat = inbox.chat(&t, 1).await;
    assert_eq!(chat["unread"], 2);
    assert_eq!(chat["last_message"]["text"], "second");
    t.finish().await;
}

#[tokio::test]
async fn pages_stay_right_while_chats_move_to_the_front() {
    let t = TestApp::quiet().await;
    let inbox = Inbox::begin(&t).await;
    for person in 1..=23 {
        inbox.hear(&t, person, &person.to_string()).await;
    }
    let mut seen = Vec::new();
    let mut query = "limit=5".to_owned();
    let mut pages = 0;
    loop {
        let page = inbox.page(&t, &query).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|chat| text(&chat["last_message"]["text"])));
        pages += 1;
        // One that was seen and one that was not write again; the latter is at the front from now on.
        if pages == 2 {
            inbox.hear(&t, 23, "again").await;
            inbox.hear(&t, 2, "again").await;
        }
        match page["next"].as_str() {
            Some(next) => query = format!("limit=5&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = (1..=23)
        .rev()
        .filter(|person| *person != 2)
        .map(|n| n.to_string())
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(inbox.words(&t, "limit=2").await, ["again", "again"]);
    t.finish().await;
}

#[tokio::test]
async fn a_team_sorts_its_chats_and_the_counts_follow() {
    let t = TestApp::quiet().await;
    let inbox = Inbox::begin(&t).await;
    for person in 1..=4 {
        inbox.hear(&t, person, &person.to_string()).await;
    }
    let me = t.id_of(&inbox.owner).await;
    inbox.change(&t, 1, json!({"assignee": me})).await;
    inbox.change(&t, 2, json!({"status": "resolved"})).await;
    inbox
        .change(&t, 3, json!({"status": "pending", "assignee": me}))
        .await;
    assert_eq!(inbox.words(&t, "status=open").await, ["4", "1"]);
    assert_eq!(inbox.words(&t, "status=open&assignee=me").await, ["1"]);
    assert_eq!(inbox.words(&t, &format!("assignee={me}")).await, ["3", "1"]);
    assert_eq!(inbox.words(&t, "status=open&assignee=nobody").await, ["4"]);
    assert_eq!(inbox.words(&t, "status=resolved").await, ["2"]);
    let open = inbox.counts(&t, "open").await;
    assert_eq!(
        (&open["all"], &open["mine"], &open["unassigned"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(inbox.counts(&t, "pending").await["assignees"][&me], 1);
    // Who writes is open again, and the thread says so; who waits for somebody else goes on waiting.
    inbox.hear(&t, 2, "still broken").await;
    inbox.hear(&t, 3, "hello?").await;
    assert_eq!(
        inbox.words(&t, "status=open").await,
        ["still broken", "4", "1"]
    );
    assert_eq!(inbox.words(&t, "status=pending").await, ["hello?"]);
    assert_eq!(
        inbox.activity(&t, 2).await,
        [
            json!({"type": "status", "status": "open"}),
            json!({"type": "status", "status": "resolved"})
        ]
    );
    inbox.change(&t, 1, json!({"assignee": null})).await;
    assert_eq!(inbox.counts(&t, "open").await["mine"], 0);
    t.finish().await;
}

#[tokio::test]
async fn a_snoozed_chat_comes_back_at_its_time_or_with_the_next_word() {
    let t = TestApp::quiet().await;
    let inbox = Inbox::begin(&t).await;
    for person in 1..=2 {
        inbox.hear(&t, person, &person.to_string()).await;
        let until = t.app.now() + SignedDuration::from_hours(1);
        let snoozed = json!({"status": "snoozed", "snoozed_until": until});
        let chat = inbox.change(&t, person, snoozed).await;
        assert!(chat["snoozed_until"].is_string(), "{chat}");
    }
    assert!(inbox.words(&t, "status=open").await.is_empty());
    inbox.hear(&t, 2, "quick question").await;
    assert_eq!(inbox.words(&t, "status=open").await, ["quick question"]);
    t.tick().await;
    assert_eq!(inbox.words(&t, "status=snoozed").await, ["1"]);
    t.advance(SignedDuration::from_mins(61));
    t.tick().await;
    assert!(inbox.words(&t, "status=snoozed").await.is_empty());
    assert_eq!(inbox.counts(&t, "open").await["all"], 2);
    assert_eq!(inbox.counts(&t, "snoozed").await["all"], 0);
    t.finish().await;
}

#[tokio::test]
async fn what_does_not_fit_a_chat_is_refused_by_its_field() {
    let t = TestApp::quiet().await;
    let inbox = Inbox::begin(&t).await;
    inbox.hear(&t, 1, "hello").await;
    let stranger = t.owner("stranger").await;
    let other = t.id_of(&stranger).await;
    let id = text(&inbox.chat(&t, 1).await["id"]);
    let path = format!("/v1/chats/{id}");
    let past = t.app.now() - SignedDuration::from_secs(1);
    for (patch, field) in [
        (json!({"assignee": other}), "assignee"),
        (
            json!({"status": "open", "snoozed_until": past}),
            "snoozed_until",
        ),
        (
            json!({"status": "snoozed", "snoozed_until": past}),
            "snoozed_until",
        ),
        (
            json!({"labels": ["lb_0123456789abcdef0123456789abcdef"]}),
            "labels",
        ),
    ] {
        let problem = inbox.owner.patch(&t, &path, patch).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    for query in ["assignee=somebody", "limit=0", "cursor=x"] {
        let path = format!("/v1/chats?{query}");
        inbox.owner.get(&t, &path).await.expect(422);
    }
    // Another workspace neither sees nor touches it.
    stranger.get(&t, &path).await.expect(404);
    stranger
        .patch(&t, &path, json!({"status": "resolved"}))
        .await
        .expect(404);
    stranger
        .post(&t, &format!("{path}/read"), json!({}))
        .await
        .expect(404);
    stranger
        .post(&t, &format!("{path}/typing"), json!({}))
        .await
        .expect(404);
    let list = stranger.get(&t, "/v1/chats").await.expect(200);
    assert_eq!(list["items"], json!([]));
    let counts = stranger.get(&t, "/v1/chats/counts").await.expect(200);
    assert_eq!(counts["statuses"]["open"]["all"], 0);
    t.finish().await;
}

/// One message of each kind in turn.
fn of_some_kind(person: u32, n: u32, at: i64) -> Value {
    let base = crate::support::meta::said(&phone(person), &format!("wamid.{person}.{n}"), at, "");
    let (kind, content) = match n % 9 {
        0 => ("text", json!({"body": format!("message {n}")})),
        1 => (
            "location",
            json!({"latitude": -6.2, "longitude": 106.8, "name": "Toko"}),
        ),
        2 => (
            "contacts",
            json!([{"name": {"formatted_name": "Sari"}, "phones": [{"phone": "+62811"}]}]),
        ),
        3 => ("button", json!({"text": "Yes", "payload": "yes"})),
        4 => (
            "interactive",
            json!({"type": "list_reply", "list_reply": {"id": "am", "title": "Morning"}}),
        ),
        5 => (
            "order",
            json!({"catalog_id": "1", "text": "Please", "product_items": [
                {"product_retailer_id": "p", "quantity": 1, "item_price": 5, "currency": "IDR"}]}),
        ),
        6 => ("unsupported", json!({"type": "poll_creation"})),
        7 => ("hologram", json!({"brightness": 11})),
        _ => (
            "reaction",
            json!({"message_id": format!("wamid.{person}.0"), "emoji": "👍"}),
        ),
    };
    let mut message = base;
    message["type"] = json!(kind);
    message[kind] = content;
    if kind != "text" {
        message.as_object_mut().unwrap().remove("text");
    }
    message
}

#[tokio::test]
async fn a_thousand_messages_of_every_kind_twice_and_in_no_order_are_each_kept_once() {
    const PEOPLE: u32 = 50;
    const EACH: u32 = 20;
    let t = TestApp::quiet().await;
    let inbox = Inbox::begin(&t).await;
    t.advance(SignedDuration::from_secs(3600));
    let begin = t.app.now().as_second() - 600;
    let mut told = Vec::new();
    for first in (0..EACH).step_by(2) {
        // Two seconds come mixed up, so that a later message of a person may come first; every fifth
        // message comes twice.
        let mut mixed: Vec<_> = (1..=PEOPLE)
            .flat_map(|person| [(person, first), (person, first + 1)])
            .map(|(person, n)| of_some_kind(person, n, begin + i64::from(n)))
            .collect();
        let twice: Vec<_> = mixed.iter().step_by(5).cloned().collect();
        mixed.extend(twice);
        let mut places: Vec<usize> = (0..mixed.len()).collect();
        places.sort_by_key(|place| {
            let mut hasher = DefaultHasher::new();
            (first, place).hash(&mut hasher);
            hasher.finish()
        });
        told.extend(places.into_iter().map(|place| mixed[place].clone()));
    }
    assert_eq!(told.len(), 1200);
    for (place, messages) in told.chunks(25).enumerate() {
        t.hears(messages).await;
        // A body that Meta did not see confirmed comes again.
        if place % 10 == 0 {
            t.hears(messages).await;
        }
    }
    t.drain().await;
    let chats = inbox.list(&t, "limit=100").await;
    assert_eq!(chats.len(), PEOPLE as usize);
    let reactions = (0..EACH).filter(|n| n % 9 == 8).count() as u64;
    for chat in &chats {
        assert_eq!(chat["unread"], u64::from(EACH) - reactions, "{chat}");
        let path = format!("/v1/chats/{}/messages?limit=100", text(&chat["id"]));
        let page = inbox.owner.get(&t, &path).await.expect(200);
        let thread = page["items"].as_array().unwrap();
        assert_eq!(thread.len(), EACH as usize);
        let times: Vec<_> = thread.iter().map(|message| text(&message["at"])).collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
        let numbers: Vec<_> = thread
            .iter()
            .map(|message| {
                text(&message["wamid"])
                    .rsplit('.')
                    .next()
                    .map(str::to_owned)
            })
            .collect();
        let expected: Vec<_> = (0..EACH).rev().map(|n| Some(n.to_string())).collect();
        assert_eq!(numbers, expected);
        assert_eq!(chat["last_message"]["id"], thread[0]["id"]);
        for message in thread {
            let shown = message["text"].is_string() || !message["content"].is_null();
            assert!(shown, "nothing is shown of {message}");
        }
    }
    let counts = inbox.counts(&t, "open").await;
    assert_eq!(
        (&counts["all"], &counts["unread"]),
        (&json!(PEOPLE), &json!(PEOPLE))
    );
    t.finish().await;
}
