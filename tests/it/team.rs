//! The team around the inbox: canned replies, who is there, who answers where, and whom notes are for.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::realtime::since;
use crate::support::journey::{phone, text};
use crate::support::live::Live;
use crate::support::{Caller, TestApp};

/// A workspace with a chat, its owner and an agent.
struct Team {
    owner: Caller,
    agent: Caller,
    chat: String,
}

impl Team {
    async fn begin(t: &TestApp) -> Self {
        let owner = t.owner("acme").await;
        let agent = t.member(&owner, "budi", "agent").await;
        let channel = t.connect(&owner).await;
        let contact = text(&t.contact(&owner, 1, &[]).await["id"]);
        let chat = t.chat(&owner, &channel, &contact).await;
        t.drain().await;
        Self { owner, agent, chat }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/chats/{}{rest}", self.chat)
    }
}

/// The shortcuts of a list, in its order.
async fn shortcuts(t: &TestApp, caller: &Caller, query: &str) -> Vec<String> {
    let list = caller.get(t, &format!("/v1/canned-replies{query}")).await;
    let list = list.expect(200);
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| text(&item["shortcut"])).collect()
}

#[tokio::test]
async fn an_agent_keeps_canned_replies_and_finds_them_by_their_shortcuts() {
    let t = TestApp::quiet().await;
    let team = Team::begin(&t).await;
    let replies = "/v1/canned-replies";
    for shortcut in ["Thanks", "thanks-again", "hours"] {
        let body = json!({"shortcut": shortcut, "text": "Thank you!"});
        team.agent.post(&t, replies, body).await.expect(201);
    }
    let all = ["hours", "thanks", "thanks-again"];
    assert_eq!(shortcuts(&t, &team.owner, "").await, all);
    assert_eq!(shortcuts(&t, &team.owner, "?shortcut=THA").await, all[1..]);
    assert!(shortcuts(&t, &team.owner, "?shortcut=x").await.is_empty());
    // Page by page it is the same list.
    let page = format!("{replies}?shortcut=t&limit=1");
    let page = team.owner.get(&t, &page).await.expect(200);
    let next = text(&page["next"]);
    let rest = shortcuts(&t, &team.owner, &format!("?shortcut=t&cursor={next}")).await;
    assert_eq!(rest, ["thanks-again"]);
    let foreign = format!("{replies}?shortcut=h&cursor={next}");
    let problem = team.owner.get(&t, &foreign).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "cursor");

    let body = json!({"shortcut": "THANKS", "text": "Again"});
    let taken = team.owner.post(&t, replies, body).await.expect(409);
    assert_eq!(taken["code"], "shortcut_taken");
    for (body, field) in [
        (json!({"shortcut": "/a", "text": "b"}), "shortcut"),
        (json!({"shortcut": "a", "text": " "}), "text"),
        (json!({"shortcut": "a", "text": "{{contact.age}}"}), "text"),
        (json!({"shortcut": "a", "text": "x".repeat(4097)}), "text"),
    ] {
        let problem = team.owner.post(&t, replies, body).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }

    let list = team.owner.get(&t, replies).await.expect(200);
    let path = format!("{replies}/{}", text(&list["items"][0]["id"]));
    let renamed = json!({"shortcut": "thanks"});
    let taken = team.agent.patch(&t, &path, renamed).await.expect(409);
    assert_eq!(taken["code"], "shortcut_taken");
    let renamed = json!({"shortcut": "opening"});
    team.agent.patch(&t, &path, renamed).await.expect(200);
    let reply = team.owner.get(&t, &path).await.expect(200);
    assert_eq!(reply["text"], "Thank you!", "what is absent stays");
    // The old shortcut is free again.
    let body = json!({"shortcut": "hours", "text": "Nine to five."});
    team.agent.post(&t, replies, body).await.expect(201);
    team.agent.delete(&t, &path).await.expect(204);
    team.agent.delete(&t, &path).await.expect(404);
    assert_eq!(shortcuts(&t, &team.owner, "").await, all);
    let stranger = t.owner("stranger").await;
    assert!(shortcuts(&t, &stranger, "").await.is_empty());
    t.finish().await;
}

#[tokio::test]
async fn a_canned_reply_is_filled_for_the_person_of_a_chat_and_sends_nothing() {
    let t = TestApp::quiet().await;
    let team = Team::begin(&t).await;
    let words = "Hi {{contact.first_name | friend}} ({{contact.phone}}), {{agent.name}} here. {{contact.attributes.city}}{{contact.attributes.street}}";
    let body = json!({"shortcut": "hi", "text": words});
    let reply = team.owner.post(&t, "/v1/canned-replies", body).await;
    let path = format!(
        "/v1/canned-replies/{}/render",
        text(&reply.expect(201)["id"])
    );
    let asked = json!({"chat": team.chat});
    let rendered = team.agent.post(&t, &path, asked.clone()).await.expect(200);
    let chat = team.owner.get(&t, &team.path("")).await.expect(200);
    let name = text(&chat["contact_name"]);
    let first = name.split(' ').next().unwrap();
    let street = "{{contact.attributes.street}}";
    let filled = format!("Hi {first} ({}), budi here. Bandung{street}", phone(1));
    assert_eq!(rendered["text"], filled);
    assert_eq!(rendered["missing"], json!(["contact.attributes.street"]));
    // A key is nobody, and of a deleted contact nothing is known.
    let contact = format!("/v1/contacts/{}", text(&chat["contact"]));
    team.owner.delete(&t, &contact).await.expect(204);
    let key = t
        .key_with(&team.owner, &[domain::workspace::Permission::ReadChats])
        .await;
    let rendered = key.post(&t, &path, asked.clone()).await.expect(200);
    assert!(text(&rendered["text"]).starts_with("Hi friend ({{contact.phone}})"));
    let missing = [
        "contact.phone",
        "agent.name",
        "contact.attributes.city",
        "contact.attributes.street",
    ];
    assert_eq!(rendered["missing"], json!(missing));
    let stranger = t.owner("stranger").await;
    stranger.post(&t, &path, asked.clone()).await.expect(404);
    let body = json!({"shortcut": "hi", "text": "Hi {{contact.name}}"});
    let own = stranger.post(&t, "/v1/canned-replies", body).await;
    let path = format!("/v1/canned-replies/{}/render", text(&own.expect(201)["id"]));
    let problem = stranger.post(&t, &path, asked).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "chat");
    t.drain().await;
    assert_eq!(t.sent_to(&phone(1)).await, Vec::<Value>::new());
    t.finish().await;
}

/// The events of the moment that were pushed until now; they bear no number.
async fn passing(live: &mut Live) -> Vec<Value> {
    let frames = live.frames().await.into_iter();
    let frames = frames.filter(|frame| frame["type"] == "watched");
    let events = frames.flat_map(|frame| frame["events"].as_array().unwrap().clone());
    events.collect()
}

#[tokio::test]
async fn a_note_tells_whom_it_is_for_and_nobody_else() {
    let t = TestApp::quiet().await;
    let team = Team::begin(&t).await;
    let budi = t.id_of(&team.agent).await;
    let owner = t.id_of(&team.owner).await;
    let (mut desk, mut own) = (team.agent.live(&t).await, team.owner.live(&t).await);
    let before = desk.last;
    t.drain().await;
    desk.frames().await;
    own.frames().await;
    // Oneself needs no telling, and nobody is told twice.
    let note = json!({"text": "Can you take over?", "mentions": [budi, budi, owner]});
    let note = team
        .owner
        .post(&t, &team.path("/notes"), note)
        .await
        .expect(201);
    assert_eq!(note["mentions"], json!([budi, owner]));
    t.drain().await;
    let mention =
        json!({"type": "mention.created", "chat": team.chat, "message": note["id"], "user": budi});
    let told = kinds_of(&mut desk).await;
    assert_eq!(told, ["message.created", "mention.created"]);
    assert_eq!(kinds_of(&mut own).await, ["message.created"]);
    // Whoever was away finds it in the log, and nobody else does.
    let of = async |caller: &Caller| {
        let since = since(&t, caller, before).await;
        let items = since["items"].as_array().unwrap().clone();
        items
            .iter()
            .flat_map(|item| item["events"].as_array().unwrap().clone())
            .filter(|event| event["type"] == "mention.created")
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&team.agent).await, [mention]);
    assert!(of(&team.owner).await.is_empty());
    let other = t.owner("other").await;
    let foreign = json!({"text": "Psst", "mentions": [t.id_of(&other).await]});
    let problem = team
        .owner
        .post(&t, &team.path("/notes"), foreign)
        .await
        .expect(422);
    assert_eq!(problem["errors"][0]["field"], "mentions[0]");
    t.finish().await;
}

async fn kinds_of(live: &mut Live) -> Vec<String> {
    let frames = live.frames().await;
    let events = frames
        .iter()
        .flat_map(|frame| frame["events"].as_array().unwrap());
    events.map(|event| text(&event["type"])).collect()
}

#[tokio::test]
async fn who_answers_in_a_chat_is_told_to_the_others_who_have_it_open() {
    let t = TestApp::quiet().await;
    let team = Team::begin(&t).await;
    let other = t.owner("other").await;
    let (mut desk, mut own) = (team.agent.live(&t).await, team.owner.live(&t).await);
    let mut elsewhere = t.member(&team.owner, "citra", "agent").await.live(&t).await;
    let mut stranger = other.live(&t).await;
    let before = own.last;
    let watch = json!({"type": "watch", "chat": team.chat});
    for screen in [&mut desk, &mut own] {
        screen.frames().await;
        assert_eq!(screen.ask(watch.clone()).await["type"], "watching");
    }
    t.drain().await;
    for screen in [&mut desk, &mut own, &mut elsewhere, &mut stranger] {
        screen.frames().await;
    }
    // A second tells of what anybody watches.
    t.advance(SignedDuration::from_secs(2));
    let answering = json!({"type": "answering", "chat": team.chat});
    assert_eq!(desk.ask(answering.clone()).await["type"], "answering");
    t.drain().await;
    let told =
        json!({"type": "chat.answering", "chat": team.chat, "user": t.id_of(&team.agent).await});
    assert_eq!(passing(&mut own).await, [told]);
    for screen in [&mut desk, &mut elsewhere, &mut stranger] {
        assert_eq!(passing(screen).await, Vec::<Value>::new());
    }
    // Said again within three seconds it is told once, also over HTTP.
    desk.ask(answering.clone()).await;
    team.agent
        .post(&t, &team.path("/answering"), Value::Null)
        .await
        .expect(202);
    t.drain().await;
    assert_eq!(passing(&mut own).await, Vec::<Value>::new());
    t.advance(SignedDuration::from_secs(3));
    team.agent
        .post(&t, &team.path("/answering"), Value::Null)
        .await
        .expect(202);
    t.drain().await;
    assert_eq!(passing(&mut own).await.len(), 1);
    // It is of the moment: the log does not know it.
    let log = since(&t, &team.owner, before).await;
    assert!(!log.to_string().contains("answering"), "{log}");
    other
        .post(&t, &team.path("/answering"), Value::Null)
        .await
        .expect(404);
    assert_eq!(stranger.ask(answering).await["type"], "error");
    t.finish().await;
}

#[tokio::test]
async fn the_others_are_told_who_comes_and_who_goes() {
    let t = TestApp::quiet().await;
    let team = Team::begin(&t).await;
    let budi = t.id_of(&team.agent).await;
    let mut own = team.owner.live(&t).await;
    t.drain().await;
    own.frames().await;
    let seen = async |own: &mut Live| -> Vec<(bool, Value)> {
        t.drain().await;
        let events = passing(own).await.into_iter();
        let events = events.filter(|event| event["type"] == "presence.updated");
        events
            .map(|event| (event["online"].as_bool().unwrap(), event["user"].clone()))
            .collect()
    };
    let desk = team.agent.live(&t).await;
    assert_eq!(seen(&mut own).await, [(true, json!(budi))]);
    // A second screen is no news, and neither is the end of one of two.
    t.advance(SignedDuration::from_secs(1));
    let laptop = team.agent.live(&t).await;
    drop(desk);
    assert_eq!(seen(&mut own).await, []);
    // Whoever dies without a word is noticed by the next ping after three minutes.
    let silent = laptop;
    t.advance(SignedDuration::from_mins(2));
    own.ping().await;
    assert_eq!(seen(&mut own).await, []);
    t.advance(SignedDuration::from_mins(2));
    own.frames().await;
    assert_eq!(seen(&mut own).await, [(false, json!(budi))]);
    own.frames().await;
    assert_eq!(seen(&mut own).await, [], "once");
    drop(silent);
    t.drain().await;
    t.finish().await;
}
