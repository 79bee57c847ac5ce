//! Limits of those who ask too much, and requests that are repeated.

use std::sync::Arc;

use app::idempotency::{self, Begun, Ended};
use domain::workspace::Permission;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::Store;
use crate::support::callers::Answer;
use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

fn limited(answer: Answer) -> u64 {
    let after = answer.headers["retry-after"].to_str().unwrap().to_owned();
    assert_eq!(answer.expect(429)["code"], "rate_limited");
    after.parse().unwrap()
}

#[tokio::test]
async fn a_key_that_asks_too_much_waits_and_others_do_not() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::ReadContacts]).await;
    let other = t.key_with(&owner, &[Permission::ReadContacts]).await;
    t.dynamo.counts().reset();
    for _ in 0..300 {
        key.get(&t, "/v1/groups").await.expect(200);
    }
    let written = t.dynamo.counts().operations()["PutItem"].total();
    assert!(written < 30.0, "300 requests cost {written} write units");
    assert_eq!(limited(key.get(&t, "/v1/groups").await), 1);
    other.get(&t, "/v1/groups").await.expect(200);
    owner.get(&t, "/v1/groups").await.expect(200);
    // Ten a second grow back.
    t.advance(SignedDuration::from_secs(1));
    for _ in 0..10 {
        key.get(&t, "/v1/groups").await.expect(200);
    }
    limited(key.get(&t, "/v1/groups").await);
    t.finish().await;
}

#[tokio::test]
async fn a_limit_that_cannot_be_kept_holds_nobody_up() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::ReadContacts]).await;
    *store.broken.lock().unwrap() = Some("LIMIT");
    key.get(&t, "/v1/groups").await.expect(200);
    *store.broken.lock().unwrap() = None;
    t.finish().await;
}

#[tokio::test]
async fn guessing_a_password_ends_soon_and_locks_nobody_else_out() {
    let t = TestApp::new().await;
    t.owner("acme").await;
    let from = |address: &str| Caller::from_address(address);
    let guess = json!({"email": "acme@example.com", "password": "a wrong password"});
    let right = json!({"email": "ACME@example.com ", "password": "a long password"});
    let guesser = from("203.0.113.9");
    for _ in 0..10 {
        guesser
            .post(&t, "/v1/login", guess.clone())
            .await
            .expect(401);
    }
    assert!(limited(guesser.post(&t, "/v1/login", right.clone()).await) > 60);
    // Whose account it is signs in from elsewhere all the same.
    from("198.51.100.4")
        .post(&t, "/v1/login", right)
        .await
        .expect(200);
    // The guesser may try nine accounts more, as a large office might.
    for account in 0..90 {
        let body =
            json!({"email": format!("{account}@example.com"), "password": "a wrong password"});
        let status = guesser.post(&t, "/v1/login", body).await.status.as_u16();
        assert!([401, 429].contains(&status));
    }
    let body = json!({"email": "last@example.com", "password": "a wrong password"});
    limited(guesser.post(&t, "/v1/login", body).await);
    t.finish().await;
}

#[tokio::test]
async fn one_address_registers_twenty_accounts_an_hour() {
    let t = TestApp::new().await;
    let caller = Caller::from_address("203.0.113.9");
    for _ in 0..20 {
        caller
            .post(
                &t,
                "/v1/register",
                json!({"email": "", "password": "", "name": "", "workspace": ""}),
            )
            .await
            .expect(422);
    }
    let body = json!({"email": "new@example.com", "password": "a long password", "name": "x", "workspace": "x"});
    limited(caller.post(&t, "/v1/register", body.clone()).await);
    t.advance(SignedDuration::from_mins(3));
    caller.post(&t, "/v1/register", body).await.expect(201);
    t.finish().await;
}

#[tokio::test]
async fn a_key_is_named_anew_and_says_when_it_was_used() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::ReadContacts]).await;
    let only = || async { owner.get(&t, "/v1/api-keys").await.expect(200)["items"][0].clone() };
    let id = text(&only().await["id"]);
    assert_eq!(only().await["last_used_at"], Value::Null);
    key.get(&t, "/v1/contacts").await.expect(200);
    let first = only().await["last_used_at"].clone();
    assert_eq!(first, t.app.now().to_string());
    t.advance(SignedDuration::from_secs(30));
    key.get(&t, "/v1/contacts").await.expect(200);
    assert_eq!(only().await["last_used_at"], first);
    t.advance(SignedDuration::from_secs(31));
    key.get(&t, "/v1/contacts").await.expect(200);
    assert_eq!(only().await["last_used_at"], t.app.now().to_string());
    let path = format!("/v1/api-keys/{id}");
    let renamed = owner
        .patch(&t, &path, json!({"name": " Shop "}))
        .await
        .expect(200);
    assert_eq!(renamed["name"], "Shop");
    assert!(renamed.get("secret").is_none());
    owner
        .patch(&t, &path, json!({"name": " "}))
        .await
        .expect(422);
    t.finish().await;
}

#[tokio::test]
async fn a_workspace_has_fifty_keys_at_most() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    for _ in 0..50 {
        t.key_with(&owner, &[Permission::ReadContacts]).await;
    }
    let body = json!({"name": "one more", "scopes": ["contacts:read"]});
    let refused = owner.post(&t, "/v1/api-keys", body).await.expect(409);
    assert_eq!(refused["code"], "too_many_api_keys");
    t.finish().await;
}

/// A chat in which a text may be sent.
async fn open_chat(t: &TestApp, owner: &Caller) -> String {
    let channel = t.connect(owner).await;
    let contact = text(&t.contact(owner, 1, &[]).await["id"]);
    let chat = t.chat(owner, &channel, &contact).await;
    t.writes(&phone(1), "wamid.hello", "Hello?").await;
    chat
}

#[tokio::test]
async fn a_repeated_request_is_answered_alike_and_carried_out_once() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let chat = open_chat(&t, &owner).await;
    let path = format!("/v1/chats/{chat}/messages");
    let once = owner.clone().with("idempotency-key", "order-1");
    let first = once.post(&t, &path, json!({"text": "Hello"})).await;
    assert!(first.headers.get("idempotency-replayed").is_none());
    let first = first.expect(202);
    t.drain().await;
    let again = once.post(&t, &path, json!({"text": "Hello"})).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    // As it was answered then, whatever has become of the message since.
    assert_eq!(again.expect(202), first);
    let other = once
        .post(&t, &path, json!({"text": "Bye"}))
        .await
        .expect(422);
    assert_eq!(other["code"], "idempotency_key_reused");
    let another = owner.clone().with("idempotency-key", "order-2");
    assert_ne!(
        another
            .post(&t, &path, json!({"text": "Hello"}))
            .await
            .expect(202)["id"],
        first["id"]
    );
    t.drain().await;
    let sent = owner.get(&t, &path).await.expect(200);
    let outbound = sent["items"].as_array().unwrap().iter();
    assert_eq!(
        outbound
            .filter(|message| message["direction"] == "outbound")
            .count(),
        2
    );
    // After a day the key means nothing any more.
    t.advance(SignedDuration::from_hours(23));
    assert_eq!(
        once.post(&t, &path, json!({"text": "Hello"}))
            .await
            .expect(202),
        first
    );
    t.finish().await;
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let chat = open_chat(&t, &owner).await;
    let path = format!("/v1/chats/{chat}/messages");
    let once = owner.clone().with("idempotency-key", "order-1");
    once.post(&t, &path, json!({"text": ""})).await.expect(422);
    once.post(&t, &path, json!({"text": "Hello"}))
        .await
        .expect(202);
    for wrong in ["", &"k".repeat(256), "two words"] {
        let wrong = owner.clone().with("idempotency-key", wrong);
        let refused = wrong
            .post(&t, &path, json!({"text": "Hello"}))
            .await
            .expect(422);
        assert_eq!(refused["errors"][0]["field"], "Idempotency-Key");
    }
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let chat = open_chat(&t, &owner).await;
    let path = format!("/v1/chats/{chat}/messages");
    let machine = t.key_with(&owner, &[Permission::WriteChats]).await;
    let body = json!({"text": "Hello"});
    let of = |caller: &Caller| caller.clone().with("idempotency-key", "1");
    let first = of(&owner).post(&t, &path, body.clone()).await.expect(202);
    let second = of(&machine).post(&t, &path, body).await.expect(202);
    assert_ne!(first["id"], second["id"]);
    t.drain().await;
    t.finish().await;
}

/// An attempt that died after it acted and before it left its answer.
#[tokio::test]
async fn a_crash_before_the_answer_is_kept_sends_nothing_twice() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let owner = t.owner("acme").await;
    let chat = open_chat(&t, &owner).await;
    let path = format!("/v1/chats/{chat}/messages");
    let once = owner.clone().with("idempotency-key", "order-1");
    *store.broken.lock().unwrap() = Some("\"answer\"");
    let first = once
        .post(&t, &path, json!({"text": "Hello"}))
        .await
        .expect(202);
    *store.broken.lock().unwrap() = None;
    let waiting = once.post(&t, &path, json!({"text": "Hello"})).await;
    assert_eq!(waiting.headers["retry-after"], "2");
    assert_eq!(waiting.expect(409)["code"], "idempotency_running");
    t.advance(SignedDuration::from_secs(36));
    let second = once
        .post(&t, &path, json!({"text": "Hello"}))
        .await
        .expect(202);
    assert_eq!(second["id"], first["id"]);
    t.drain().await;
    let sent = owner.get(&t, &path).await.expect(200);
    let outbound = sent["items"].as_array().unwrap().iter();
    assert_eq!(
        outbound
            .filter(|message| message["direction"] == "outbound")
            .count(),
        1
    );
    t.finish().await;
}

#[tokio::test]
async fn whatever_is_made_by_a_repeated_request_is_made_once() {
    let store = Arc::new(Store::default());
    let mut t = TestApp::with_store(&store).await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "Customers").await;
    t.contact(&owner, 1, &[&group]).await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    let count = || async {
        let all = owner.get(&t, "/v1/campaigns").await.expect(200);
        all["items"].as_array().unwrap().len()
    };
    let before = count().await;
    let number = json!({"phone": "+6281234567890"});
    for (what, body, status) in [("clone", Value::Null, 201), ("test", number, 202)] {
        let path = format!("/v1/campaigns/{campaign}/{what}");
        let once = owner.clone().with("idempotency-key", what);
        *store.broken.lock().unwrap() = Some("\"answer\"");
        let first = once.post(&t, &path, body.clone()).await.expect(status);
        *store.broken.lock().unwrap() = None;
        t.advance(SignedDuration::from_secs(36));
        let second = once.post(&t, &path, body).await.expect(status);
        assert_eq!(first["id"], second["id"], "{what}");
    }
    assert_eq!(count().await, before + 1);
    let tests = owner
        .get(&t, &format!("/v1/campaigns/{campaign}/tests"))
        .await;
    assert_eq!(tests.expect(200)["items"].as_array().unwrap().len(), 1);
    t.allow_leftovers();
}

#[tokio::test]
async fn an_abandoned_attempt_is_taken_over_by_one() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::WriteChats]).await;
    let secret = key.header("authorization");
    let actor = app::api_key::authenticate(&t.app, &secret["Bearer ".len()..])
        .await
        .unwrap();
    let begin = || idempotency::begin(&t.app, &actor, "1", "asked");
    let Begun::First(first) = begin().await.unwrap() else {
        panic!("nobody has asked before");
    };
    assert!(matches!(begin().await.unwrap(), Begun::Running(_)));
    t.advance(SignedDuration::from_secs(36));
    let Begun::First(second) = begin().await.unwrap() else {
        panic!("the lease is over");
    };
    // The first one was only slow. What it says now counts for nothing.
    idempotency::end(&t.app, first, Ended::Done("late".to_owned())).await;
    assert!(matches!(begin().await.unwrap(), Begun::Running(_)));
    idempotency::end(&t.app, second, Ended::Done("an answer".to_owned())).await;
    assert!(matches!(begin().await.unwrap(), Begun::Before(answer) if answer == "an answer"));
    t.advance(SignedDuration::from_hours(24));
    assert!(matches!(begin().await.unwrap(), Begun::First(_)));
    t.finish().await;
}
