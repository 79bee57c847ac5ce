//! Sessions: listed, ended, and which workspace they are in.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::text;
use crate::support::people::PASSWORD;
use crate::support::{Caller, TestApp};

async fn sessions(t: &TestApp, caller: &Caller) -> Vec<Value> {
    let page = caller.get(t, "/v1/sessions").await.expect(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_person_sees_where_they_are_signed_in() {
    let t = TestApp::new().await;
    t.owner("acme").await;
    t.advance(SignedDuration::from_mins(1));
    let body = json!({"email": "acme@example.com", "password": PASSWORD});
    // What stands in the header anybody may have written: the installation has no proxy of its own.
    let phone = Caller::from_address("203.0.113.7")
        .with("user-agent", "A phone")
        .with("x-forwarded-for", "198.51.100.1")
        .post(&t, "/v1/login", body)
        .await;
    let phone = crate::support::callers::signed_in(phone, 200);
    let listed = sessions(&t, &phone).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["current"], true);
    assert_eq!(listed[0]["user_agent"], "A phone");
    assert_eq!(listed[0]["address"], "203.0.113.7");
    assert_eq!(listed[1]["current"], false);
    let listed = listed[0].as_object().unwrap();
    assert!(!listed.contains_key("token") && !listed.contains_key("csrf_token"));
    t.finish().await;
}

#[tokio::test]
async fn a_session_is_ended_from_another_one_and_cannot_come_back() {
    let t = TestApp::new().await;
    let laptop = t.owner("acme").await;
    let phone = t.sign_in("acme", PASSWORD).await;
    let all = sessions(&t, &laptop).await;
    let other = all.iter().find(|session| session["current"] == false);
    let path = format!("/v1/sessions/{}", text(&other.unwrap()["id"]));
    laptop.delete(&t, &path).await.expect(204);
    phone.get(&t, "/v1/me").await.expect(401);
    // Long enough that the next use would be noted.
    t.advance(SignedDuration::from_hours(2));
    phone.get(&t, "/v1/me").await.expect(401);
    laptop.delete(&t, &path).await.expect(404);
    assert_eq!(sessions(&t, &laptop).await.len(), 1);
    t.finish().await;
}

#[tokio::test]
async fn all_other_sessions_are_ended_at_once() {
    let t = TestApp::new().await;
    let laptop = t.owner("acme").await;
    let others = [
        t.sign_in("acme", PASSWORD).await,
        t.sign_in("acme", PASSWORD).await,
    ];
    laptop.delete(&t, "/v1/sessions").await.expect(204);
    for other in others {
        other.get(&t, "/v1/me").await.expect(401);
    }
    laptop.get(&t, "/v1/me").await.expect(200);
    t.finish().await;
}

#[tokio::test]
async fn the_last_use_is_known_to_the_hour() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let at = |session: &Value| text(&session["last_used_at"]);
    let begun = at(&sessions(&t, &owner).await[0]);
    t.advance(SignedDuration::from_mins(59));
    sessions(&t, &owner).await;
    assert_eq!(at(&sessions(&t, &owner).await[0]), begun);
    t.advance(SignedDuration::from_mins(1));
    sessions(&t, &owner).await;
    assert_eq!(
        at(&sessions(&t, &owner).await[0]),
        t.app.now().to_string(),
        "the second look sees what the first one noted"
    );
    t.finish().await;
}

#[tokio::test]
async fn a_token_of_another_shape_is_nobodys() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let user = t.id_of(&owner).await;
    for token in [
        "",
        ".",
        "x",
        &format!("{user}."),
        &format!("{user}.guess"),
        "us_x.y",
    ] {
        let forged = owner
            .clone()
            .with("cookie", &format!("__Host-session={token}"));
        forged.get(&t, "/v1/me").await.expect(401);
    }
    t.finish().await;
}

#[tokio::test]
async fn a_session_remembers_the_workspace_it_was_switched_to() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let body = json!({"name": "Second"});
    let second = text(&owner.post(&t, "/v1/workspaces", body).await.expect(201)["id"]);
    let current = |me: Value| text(&me["workspace"]);
    assert_eq!(current(owner.get(&t, "/v1/me").await.expect(200)), second);
    let read = owner.get(&t, "/v1/workspace").await.expect(200);
    assert_eq!(read["name"], "Second");
    let path = format!("/v1/workspaces/{}/switch", owner.workspace);
    owner.post(&t, &path, Value::Null).await.expect(204);
    let read = owner.get(&t, "/v1/workspace").await.expect(200);
    assert_eq!(read["id"], owner.workspace);
    // A header is for its request and changes nothing else.
    let tab = owner.clone().with("x-workspace", &second);
    assert_eq!(tab.get(&t, "/v1/workspace").await.expect(200)["id"], second);
    let read = owner.get(&t, "/v1/workspace").await.expect(200);
    assert_eq!(read["id"], owner.workspace);
    let mine = owner.get(&t, "/v1/workspaces").await.expect(200);
    let names: Vec<_> = mine["items"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[1]["role"], "owner");
    t.finish().await;
}

#[tokio::test]
async fn what_changes_an_account_needs_the_csrf_token() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let forged = owner.clone().with("x-csrf-token", "guess");
    let id = t.id_of(&owner).await;
    for path in [
        "/v1/logout",
        "/v1/password/change",
        "/v1/workspaces",
        "/v1/invitations",
        "/v1/invitations/accept",
        &format!("/v1/workspaces/{}/switch", owner.workspace),
        &format!("/v1/workspaces/{}/leave", owner.workspace),
    ] {
        forged.post(&t, path, json!({})).await.expect(403);
    }
    for path in ["/v1/sessions", &format!("/v1/members/{id}")] {
        forged.delete(&t, path).await.expect(403);
    }
    forged.patch(&t, "/v1/me", json!({})).await.expect(403);
    owner.get(&t, "/v1/me").await.expect(200);
    t.finish().await;
}
