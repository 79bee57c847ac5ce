//! Automatic assignment: who is at a screen gets chats that nobody is to answer, each in turn.

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::live::Live;
use crate::support::meta::said;
use crate::support::{Caller, TestApp};

const PATH: &str = "/v1/inbox/assignment";

async fn writes(t: &TestApp, person: u32, words: &str) {
    t.advance(SignedDuration::from_millis(1_000));
    let wamid = format!("wamid.{person}.{words}");
    t.writes(&phone(person), &wamid, words).await;
}

async fn chats(t: &TestApp, caller: &Caller) -> Vec<Value> {
    let page = caller.get(t, "/v1/chats?limit=100").await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// How many chats each is to answer.
async fn shares(t: &TestApp, caller: &Caller) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for chat in chats(t, caller).await {
        let who = chat["assignee"].as_str().unwrap_or("nobody").to_owned();
        *shares.entry(who).or_default() += 1;
    }
    shares
}

async fn begin(t: &TestApp) -> Caller {
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    owner
}

async fn turn_on(t: &TestApp, owner: &Caller, members: &[&str]) {
    let body = json!({"active": true, "members": members});
    assert_eq!(owner.put(t, PATH, body.clone()).await.expect(200), body);
    // What was read of the settings is believed for some seconds.
    t.advance(SignedDuration::from_secs(6));
}

#[tokio::test]
async fn chats_go_to_those_at_a_screen_each_in_turn() {
    let t = TestApp::quiet().await;
    let owner = begin(&t).await;
    let mut agents = Vec::new();
    let mut screens: Vec<Live> = Vec::new();
    for name in ["ani", "budi", "citra", "dewi"] {
        let agent = t.member(&owner, name, "agent").await;
        agents.push(t.id_of(&agent).await);
        // The last is not there.
        if name != "dewi" {
            screens.push(agent.live(&t).await);
        }
    }
    writes(&t, 99, "Nobody is asked yet").await;
    assert_eq!(
        shares(&t, &owner).await,
        BTreeMap::from([("nobody".to_owned(), 1)])
    );
    turn_on(&t, &owner, &[]).await;
    for person in 0..30 {
        writes(&t, person, "Hello").await;
        writes(&t, person, "Anybody there?").await;
    }
    let expected: BTreeMap<String, usize> = agents[..3]
        .iter()
        .map(|agent| (agent.clone(), 10))
        .chain([("nobody".to_owned(), 1)])
        .collect();
    assert_eq!(shares(&t, &owner).await, expected);
    // It is in the thread, and the counts know it.
    let chat = &chats(&t, &owner).await[0];
    let path = format!("/v1/chats/{}/messages", text(&chat["id"]));
    let thread = owner.get(&t, &path).await.expect(200);
    let line = thread["items"].as_array().unwrap().iter();
    let lines: Vec<_> = line.filter(|item| item["kind"] == "activity").collect();
    assert_eq!(lines.len(), 1, "{thread}");
    assert_eq!(
        lines[0]["content"],
        json!({"type": "assigned", "assignee": chat["assignee"]})
    );
    assert_eq!(lines[0]["by"], json!({"type": "automatic"}));
    let counts = owner.get(&t, "/v1/chats/counts").await.expect(200);
    assert_eq!(counts["statuses"]["open"]["unassigned"], 1, "{counts}");
    t.finish().await;
}

#[tokio::test]
async fn what_is_told_again_assigns_nothing_and_the_next_word_does() {
    let t = TestApp::quiet().await;
    let owner = begin(&t).await;
    let id = t.id_of(&owner).await;
    turn_on(&t, &owner, &[]).await;
    // Nobody is there.
    writes(&t, 1, "Hello").await;
    let chat = text(&chats(&t, &owner).await[0]["id"]);
    let path = format!("/v1/chats/{chat}");
    let assignee = async || owner.get(&t, &path).await.expect(200)["assignee"].clone();
    assert_eq!(assignee().await, Value::Null);
    let _screen = owner.live(&t).await;
    let now = t.app.now().as_second() + 1;
    let again = said(&phone(1), "wamid.again", now, "Hello?");
    t.hears(std::slice::from_ref(&again)).await;
    assert_eq!(assignee().await, json!(id));
    // Somebody wants it unassigned; the same message does not undo that.
    owner
        .patch(&t, &path, json!({"assignee": null}))
        .await
        .expect(200);
    t.hears(std::slice::from_ref(&again)).await;
    t.hears(&[said(&phone(1), "wamid.late", now - 30, "An old word")])
        .await;
    assert_eq!(assignee().await, Value::Null);
    // Neither does a reaction, which says nothing.
    let reaction = json!({"from": phone(1).trim_start_matches('+'), "id": "wamid.r", "timestamp": (now + 5).to_string(),
        "type": "reaction", "reaction": {"message_id": "wamid.again", "emoji": "👍"}});
    t.hears(&[reaction]).await;
    assert_eq!(assignee().await, Value::Null);
    t.hears(&[said(&phone(1), "wamid.new", now + 10, "Another question")])
        .await;
    assert_eq!(assignee().await, json!(id));
    t.finish().await;
}

#[tokio::test]
async fn only_who_takes_part_is_asked_and_nobody_who_was_removed() {
    let t = TestApp::quiet().await;
    let owner = begin(&t).await;
    let (ani, budi) = (
        t.member(&owner, "ani", "agent").await,
        t.member(&owner, "budi", "agent").await,
    );
    let (ani_id, budi_id) = (t.id_of(&ani).await, t.id_of(&budi).await);
    let _screens = [
        owner.live(&t).await,
        ani.live(&t).await,
        budi.live(&t).await,
    ];
    turn_on(&t, &owner, &[&ani_id, &budi_id]).await;
    for person in 0..4 {
        writes(&t, person, "Hello").await;
    }
    let two = BTreeMap::from([(ani_id.clone(), 2), (budi_id.clone(), 2)]);
    assert_eq!(shares(&t, &owner).await, two);
    owner
        .delete(&t, &format!("/v1/members/{budi_id}"))
        .await
        .expect(204);
    for person in 10..14 {
        writes(&t, person, "Hello").await;
    }
    assert_eq!(shares(&t, &owner).await[&ani_id], 6);
    // Another workspace's settings and members are its own.
    let other = t.owner("other").await;
    let off = json!({"active": false, "members": []});
    assert_eq!(other.get(&t, PATH).await.expect(200), off);
    let foreign = json!({"active": true, "members": [ani_id]});
    let problem = other.put(&t, PATH, foreign).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "members[0]");
    ani.send(&t, Method::PUT, PATH, Some(off)).await.expect(403);
    t.finish().await;
}
