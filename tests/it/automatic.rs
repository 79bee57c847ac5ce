//! What a workspace answers by itself: to whom, when, and never twice.

use app::task::QueueName;
use axum::http::Method;
use domain::workspace::Permission;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::meta::{inbound, said};
use crate::support::people::PASSWORD;
use crate::support::{Caller, TestApp};

const ANSWERS: &str = "/v1/inbox/automatic-answers";

/// A workspace with a number, to which people write.
struct Desk {
    owner: Caller,
    channel: String,
}

impl Desk {
    async fn open(t: &TestApp) -> Self {
        let owner = t.owner("acme").await;
        let channel = t.connect(&owner).await;
        Self { owner, channel }
    }

    /// Has it answer so, with this text.
    async fn answers(&self, t: &TestApp, trigger: Value, words: &str) -> Value {
        let content = json!({"type": "text", "text": words});
        let body = json!({"name": words, "trigger": trigger, "content": content});
        self.owner.post(t, ANSWERS, body).await.expect(201)
    }

    async fn hours(&self, t: &TestApp, zone: &str, weekly: Value) {
        let body = json!({"time_zone": zone});
        self.owner.patch(t, "/v1/workspace", body).await.expect(200);
        let body = json!({"weekly": weekly});
        let path = "/v1/inbox/business-hours";
        self.owner.put(t, path, body).await.expect(200);
    }

    /// The chat of a person who wrote.
    async fn chat(&self, t: &TestApp, person: u32) -> String {
        let list = self.owner.get(t, "/v1/chats?limit=100").await.expect(200);
        let mut chats = list["items"].as_array().unwrap().iter();
        let found = chats.find(|chat| chat["contact_phone"] == phone(person));
        text(&found.expect("the person has a chat")["id"])
    }

    async fn says(&self, t: &TestApp, person: u32, words: &str) {
        let path = format!("/v1/chats/{}/messages", self.chat(t, person).await);
        let body = json!({"text": words});
        self.owner.post(t, &path, body).await.expect(202);
        t.drain().await;
    }
}

fn keyword(how: &str, word: &str) -> Value {
    json!({"type": "keyword", "match": how, "keywords": [word], "period_minutes": 0})
}

fn away() -> Value {
    json!({"type": "away"})
}

fn now(t: &TestApp) -> i64 {
    t.app.now().as_second()
}

fn at(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}

/// A person writes, a second after whatever was before.
async fn writes(t: &TestApp, person: u32, words: &str) {
    t.advance(SignedDuration::from_secs(1));
    let wamid = format!("wamid.{person}.{}", now(t));
    t.writes(&phone(person), &wamid, words).await;
}

/// What arrived at a person's phone, the oldest first.
async fn told(t: &TestApp, person: u32) -> Vec<String> {
    let mut sent = t.sent_to(&phone(person)).await;
    sent.reverse();
    sent.iter()
        .map(|line| text(&line["content"]["body"]))
        .collect()
}

#[tokio::test]
async fn a_rule_goes_before_the_welcome_and_the_welcome_before_the_note() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    desk.hours(&t, "Asia/Jakarta", json!({})).await;
    desk.answers(&t, away(), "We are closed.").await;
    desk.answers(&t, json!({"type": "welcome"}), "Welcome!")
        .await;
    desk.answers(&t, keyword("contains", "harga"), "Prices")
        .await;
    desk.answers(&t, keyword("starts_with", "harga"), "Never")
        .await;
    writes(&t, 1, "Halo").await;
    writes(&t, 1, "Berapa HARGÁNYA?").await;
    writes(&t, 1, "Halo?").await;
    // Once in twelve hours.
    writes(&t, 1, "Halo??").await;
    writes(&t, 2, "harga").await;
    assert_eq!(told(&t, 1).await, ["Welcome!", "Prices", "We are closed."]);
    assert_eq!(told(&t, 2).await, ["Prices"]);
    let path = format!("/v1/chats/{}/messages", desk.chat(&t, 2).await);
    let thread = desk.owner.get(&t, &path).await.expect(200);
    let newest = &thread["items"][0];
    assert_eq!(
        newest["text"], "Prices",
        "the answer stands after the question"
    );
    assert_eq!(newest["by"], json!({"type": "automatic"}));
    // It is still for the team to answer.
    let chats = desk.owner.get(&t, "/v1/chats/counts").await.expect(200);
    assert_eq!(chats["statuses"]["open"]["unread"], 2);
    t.advance(SignedDuration::from_hours(12));
    writes(&t, 1, "Halo lagi").await;
    assert_eq!(told(&t, 1).await.len(), 4);
    t.finish().await;
}

#[tokio::test]
async fn each_message_gets_one_answer_under_duplicates_and_in_any_order() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    desk.hours(&t, "UTC", json!({})).await;
    desk.answers(&t, keyword("exact", "price"), "Prices").await;
    desk.answers(&t, away(), "We are closed.").await;
    for person in 1..=12 {
        let inbound = json!({"from": phone(person), "text": "hello"});
        t.control(Method::POST, "/_control/inbound", inbound).await;
    }
    t.advance(SignedDuration::from_secs(60));
    let at = now(&t) - 30;
    let words = |person: u32| {
        let line = |n: u32, words: &str| {
            let wamid = format!("wamid.{person}.{n}");
            said(&phone(person), &wamid, at + i64::from(n), words)
        };
        [line(1, "price"), line(2, "anybody?"), line(3, "Hello?")]
    };
    // The webhooks of all people at once, each message in several of them, the last one first.
    let people: Vec<_> = (1..=12).map(words).collect();
    for order in [[2, 1, 0], [0, 2, 1], [1, 0, 2]] {
        for place in order {
            let all: Vec<_> = people.iter().map(|person| person[place].clone()).collect();
            t.post_webhook(inbound(&all)).await;
        }
    }
    t.begin_all(QueueName::Webhook).await;
    t.drain().await;
    for person in 1..=12 {
        let mut told = told(&t, person).await;
        told.sort_unstable();
        assert_eq!(told, ["Prices", "We are closed."], "person {person}");
    }
    t.finish().await;
}

#[tokio::test]
async fn who_dies_between_the_claim_and_the_answer_neither_loses_nor_doubles_it() {
    let store = std::sync::Arc::new(crate::support::app::Store::default());
    let t = TestApp::quiet_with_store(&store).await;
    let desk = Desk::open(&t).await;
    desk.answers(&t, json!({"type": "welcome"}), "Welcome!")
        .await;
    let inbound_before = json!({"from": phone(1), "text": "Hi"});
    t.control(Method::POST, "/_control/inbound", inbound_before)
        .await;
    let message = said(&phone(1), "wamid.1", now(&t), "Hi");
    // First the claim cannot be written, then what is to be said.
    for broken in ["ANSWERED", "PENDING#"] {
        *store.broken.lock().unwrap() = Some(broken);
        t.post_webhook(inbound(std::slice::from_ref(&message)))
            .await;
        t.run_once(QueueName::Webhook).await;
        assert!(told(&t, 1).await.is_empty(), "{broken}");
    }
    *store.broken.lock().unwrap() = None;
    t.drain().await;
    t.hears(&[message]).await;
    assert_eq!(told(&t, 1).await, ["Welcome!"]);
    t.finish().await;
}

#[tokio::test]
async fn two_machines_do_not_talk_for_ever_and_people_are_answered_again() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    desk.answers(
        &t,
        keyword("contains", "thank"),
        "Thank you for your message!",
    )
    .await;
    // A phone that answers whatever it is told, and at once.
    writes(&t, 1, "Thank you for writing. 0").await;
    let mut rounds = 0;
    while told(&t, 1).await.len() > rounds {
        rounds += 1;
        assert!(rounds < 20, "they talk for ever");
        writes(&t, 1, &format!("Thank you for writing. {rounds}")).await;
    }
    assert_eq!(rounds, 3);
    // A machine that goes on by itself hears nothing, however long it goes on.
    for n in 0..40 {
        t.advance(SignedDuration::from_secs(60));
        writes(&t, 1, &format!("Thank you! {n}")).await;
    }
    assert_eq!(told(&t, 1).await.len(), 3);
    // Other people are.
    writes(&t, 2, "thanks").await;
    assert_eq!(told(&t, 2).await.len(), 1);
    // A member looks in: the next question is somebody's.
    desk.says(&t, 1, "Who is there?").await;
    writes(&t, 1, "Me, thanks").await;
    assert_eq!(told(&t, 1).await.len(), 5);
    t.finish().await;
}

#[tokio::test]
async fn our_own_words_late_words_and_what_says_nothing_get_no_answer() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    desk.answers(
        &t,
        keyword("contains", "closed"),
        "We are closed until Monday.",
    )
    .await;
    writes(&t, 1, "Closed?").await;
    writes(&t, 1, "WE ARE CLOSED UNTIL MONDAY").await;
    assert_eq!(told(&t, 1).await.len(), 1);
    let late = said(&phone(2), "wamid.late", now(&t) - 601, "closed?");
    t.hears(&[late]).await;
    let at = now(&t).to_string();
    let from = phone(3).trim_start_matches('+').to_owned();
    desk.answers(&t, json!({"type": "welcome"}), "Welcome!")
        .await;
    t.hears(&[
        json!({"from": from, "id": "wamid.r", "timestamp": at, "type": "reaction",
            "reaction": {"message_id": "wamid.x", "emoji": "👍"}}),
        json!({"from": from, "id": "wamid.u", "timestamp": at, "type": "unsupported",
            "errors": [{"code": 131_051, "title": "Unsupported"}]}),
    ])
    .await;
    for person in 2..=3 {
        assert!(told(&t, person).await.is_empty(), "person {person}");
    }
    t.finish().await;
}

#[tokio::test]
async fn hours_are_those_on_the_wall_where_the_business_is() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    let nine_to_five = json!([{"from": "09:00", "to": "17:00"}]);
    desk.hours(
        &t,
        "Europe/Berlin",
        json!({"saturday": nine_to_five, "sunday": nine_to_five}),
    )
    .await;
    desk.answers(&t, away(), "We are closed.").await;
    // On Sunday, 28 March 2027, Berlin's clocks skip an hour: nine is eight and then seven in Greenwich.
    for (person, instant, closed) in [
        (1, "2027-03-27T07:59:58Z", true),
        (2, "2027-03-27T08:00:00Z", false),
        (3, "2027-03-28T06:59:58Z", true),
        (4, "2027-03-28T07:00:00Z", false),
        (5, "2027-03-28T15:00:00Z", true),
    ] {
        t.clock.advance_to(at(instant));
        writes(&t, person, "Are you there?").await;
        let told = told(&t, person).await;
        assert_eq!(!told.is_empty(), closed, "{instant}: {told:?}");
    }
    t.finish().await;
}

#[tokio::test]
async fn nobody_is_called_away_who_is_writing_and_nobody_is_answered_who_opted_out() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    writes(&t, 1, "Hello").await;
    desk.hours(&t, "UTC", json!({})).await;
    desk.answers(&t, away(), "We are closed.").await;
    desk.says(&t, 1, "I am still here.").await;
    writes(&t, 1, "Good").await;
    assert_eq!(told(&t, 1).await, ["I am still here."]);
    let stop = desk.owner.get(&t, "/v1/inbox/opt-out").await.expect(200);
    writes(&t, 2, "stop").await;
    writes(&t, 2, "and another question").await;
    assert_eq!(told(&t, 2).await, [text(&stop["stop_answer"])]);
    t.finish().await;
}

#[tokio::test]
async fn a_welcome_comes_back_after_a_silence_and_only_on_its_number() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    let welcome = json!({"type": "welcome", "silence_days": 30});
    let answer = desk.answers(&t, welcome, "Welcome!").await;
    writes(&t, 1, "Hi").await;
    writes(&t, 1, "Hi again").await;
    t.advance(SignedDuration::from_hours(29 * 24));
    writes(&t, 1, "It is me").await;
    assert_eq!(told(&t, 1).await.len(), 1);
    t.advance(SignedDuration::from_hours(30 * 24));
    writes(&t, 1, "It is me again").await;
    assert_eq!(told(&t, 1).await.len(), 2);
    // The session of two months ago is over.
    let owner = t.sign_in("acme", PASSWORD).await;
    let path = format!("{ANSWERS}/{}", text(&answer["id"]));
    let here = json!({"channels": [desk.channel]});
    owner.patch(&t, &path, here).await.expect(200);
    writes(&t, 2, "Hi").await;
    owner
        .patch(&t, &path, json!({"active": false}))
        .await
        .expect(200);
    writes(&t, 3, "Hi").await;
    assert_eq!(told(&t, 2).await.len(), 1);
    assert!(told(&t, 3).await.is_empty());
    t.finish().await;
}

#[tokio::test]
async fn answers_show_buttons_and_a_press_is_answered_in_its_turn() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    let menu = json!({"type": "buttons", "text": "What about?",
        "buttons": [{"id": "menu:prices", "title": "Prices"}, {"id": "menu:hours", "title": "Hours"}]});
    let body = json!({"name": "Menu", "trigger": keyword("exact", "menu"), "content": menu});
    desk.owner.post(&t, ANSWERS, body).await.expect(201);
    desk.answers(&t, keyword("exact", "menu prices"), "From $1")
        .await;
    writes(&t, 1, "Menu").await;
    // More presses than a machine would be answered.
    for n in 0..5 {
        t.advance(SignedDuration::from_secs(1));
        let from = phone(1).trim_start_matches('+').to_owned();
        let press = json!({"from": from, "id": format!("wamid.p{n}"), "timestamp": now(&t).to_string(),
            "type": "interactive", "interactive": {"type": "button_reply",
                "button_reply": {"id": "menu:prices", "title": "Prices"}}});
        t.hears(&[press]).await;
    }
    let sent = t.sent_to(&phone(1)).await;
    assert_eq!(sent.len(), 6);
    assert_eq!(sent[5]["type"], "interactive");
    assert_eq!(sent[0]["content"]["body"], "From $1");
    t.finish().await;
}

#[tokio::test]
async fn what_cannot_be_said_any_more_holds_nothing_up() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    let file = json!({"file_name": "a.png", "mime_type": "image/png", "size": 9});
    let media = text(&desk.owner.post(&t, "/v1/media", file).await.expect(201)["id"]);
    let trigger = keyword("exact", "menu");
    let content = json!({"type": "media", "media": media});
    let body = json!({"name": "Menu", "trigger": trigger, "content": content});
    let problem = desk.owner.post(&t, ANSWERS, body).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "content.media");
    desk.answers(&t, trigger, "The menu").await;
    let path = format!("/v1/channels/{}/disconnect", desk.channel);
    desk.owner.post(&t, &path, Value::Null).await.expect(200);
    let message = said(&phone(1), "wamid.1", now(&t), "menu");
    t.hears(&[message]).await;
    assert!(told(&t, 1).await.is_empty());
    t.finish().await;
}

#[tokio::test]
async fn answers_have_an_order_and_wrong_ones_are_refused_by_their_field() {
    let t = TestApp::quiet().await;
    let desk = Desk::open(&t).await;
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        let answer = desk.answers(&t, keyword("exact", name), name).await;
        ids.push(text(&answer["id"]));
    }
    let patch = json!({"position": 0});
    let path = format!("{ANSWERS}/{}", ids[2]);
    desk.owner.patch(&t, &path, patch).await.expect(200);
    let patch = json!({"position": 99, "name": " Last "});
    let path = format!("{ANSWERS}/{}", ids[0]);
    desk.owner.patch(&t, &path, patch).await.expect(200);
    let list = desk.owner.get(&t, ANSWERS).await.expect(200);
    let names = list["items"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|answer| text(&answer["name"])).collect();
    assert_eq!(names, ["C", "B", "Last"]);
    let foreign = "ch_0123456789abcdef0123456789abcdef";
    for (change, field) in [
        (json!({"name": ""}), "name"),
        (
            json!({"trigger": keyword("exact", "??")}),
            "trigger.keywords[0]",
        ),
        (
            json!({"trigger": {"type": "away", "period_minutes": 0}}),
            "trigger.period_minutes",
        ),
        (
            json!({"content": {"type": "text", "text": "x".repeat(4097)}}),
            "content.text",
        ),
        (
            json!({"content": {"type": "template", "template": "6"}}),
            "content.type",
        ),
        (json!({"channels": [foreign]}), "channels[0]"),
        (json!({"colour": 1}), "colour"),
    ] {
        let problem = desk.owner.patch(&t, &path, change).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    for (weekly, field) in [
        (
            json!({"monday": [{"from": "09:00", "to": "12:00"}, {"from": "11:00", "to": "13:00"}]}),
            "weekly.monday[1]",
        ),
        (
            json!({"monday": [{"from": "22:00", "to": "02:00"}]}),
            "weekly.monday[0]",
        ),
        (
            json!({"monday": [{"from": "9", "to": "12:00"}]}),
            "weekly.monday.0.from",
        ),
        (json!({"someday": []}), "weekly.someday"),
    ] {
        let body = json!({"weekly": weekly});
        let hours = "/v1/inbox/business-hours";
        let problem = desk.owner.put(&t, hours, body).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    // Whoever answers customers sees the answers; who may not change the workspace changes none.
    let agent = t.member(&desk.owner, "agent", "agent").await;
    agent.get(&t, &path).await.expect(200);
    agent.delete(&t, &path).await.expect(403);
    let key = t.key_with(&desk.owner, &[Permission::WriteWorkspace]).await;
    key.delete(&t, &path).await.expect(204);
    key.delete(&t, &path).await.expect(404);
    let stranger = t.owner("stranger").await;
    let theirs = stranger.get(&t, ANSWERS).await.expect(200);
    assert_eq!(theirs["items"], json!([]));
    let path = format!("{ANSWERS}/{}", ids[1]);
    stranger.get(&t, &path).await.expect(404);
    t.finish().await;
}
