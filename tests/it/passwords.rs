//! Passwords: changed, forgotten, and set anew, without telling strangers who has an account.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::people::PASSWORD;
use crate::support::{Caller, TestApp};

const NEW: &str = "another long password";

async fn forgot(t: &TestApp, email: &str) -> Value {
    let body = json!({ "email": email });
    let nobody = Caller::anonymous();
    let answer = nobody.post(t, "/v1/password/forgot", body).await;
    answer.expect(202)
}

async fn reset(t: &TestApp, token: &str, password: &str) -> crate::support::callers::Answer {
    let body = json!({"token": token, "password": password});
    Caller::anonymous()
        .post(t, "/v1/password/reset", body)
        .await
}

/// How often the database was asked.
fn calls(t: &TestApp) -> u64 {
    let operations = t.dynamo.counts().operations();
    operations.values().map(|count| count.calls).sum()
}

async fn can_sign_in(t: &TestApp, password: &str) -> bool {
    let body = json!({"email": "acme@example.com", "password": password});
    let answer = Caller::anonymous().post(t, "/v1/login", body).await;
    answer.status.is_success()
}

#[tokio::test]
async fn a_change_needs_the_old_password_and_ends_all_other_sessions() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let phone = t.sign_in("acme", PASSWORD).await;
    let change = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
    let path = "/v1/password/change";
    let refused = owner.post(&t, path, change("not the old one", NEW)).await;
    assert_eq!(refused.expect(422)["errors"][0]["field"], "old_password");
    let refused = owner.post(&t, path, change(PASSWORD, "short")).await;
    assert_eq!(refused.expect(422)["errors"][0]["field"], "new_password");
    phone.get(&t, "/v1/me").await.expect(200);
    owner
        .post(&t, path, change(PASSWORD, NEW))
        .await
        .expect(204);
    owner.get(&t, "/v1/me").await.expect(200);
    phone.get(&t, "/v1/me").await.expect(401);
    assert!(can_sign_in(&t, NEW).await && !can_sign_in(&t, PASSWORD).await);
    let log = t.log(&owner).await;
    assert!(
        log.iter()
            .any(|(action, _)| action == "account.password_changed")
    );
    t.finish().await;
}

#[tokio::test]
async fn who_forgot_it_sets_a_new_one_by_mail_and_is_signed_out_everywhere() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    forgot(&t, " ACME@example.com ").await;
    t.drain().await;
    let token = t.mailed_token("acme@example.com");
    assert_eq!(
        reset(&t, &token, "short").await.expect(422)["errors"][0]["field"],
        "password"
    );
    reset(&t, &token, NEW).await.expect(204);
    owner.get(&t, "/v1/me").await.expect(401);
    assert!(can_sign_in(&t, NEW).await && !can_sign_in(&t, PASSWORD).await);
    // It was good once.
    let again = reset(&t, &token, "yet another password").await;
    assert_eq!(again.expect(409)["code"], "token_not_good");
    assert!(can_sign_in(&t, NEW).await);
    t.finish().await;
}

#[tokio::test]
async fn nobody_learns_whether_an_address_has_an_account() {
    let t = TestApp::new().await;
    t.owner("acme").await;
    let before = calls(&t);
    let known = forgot(&t, "acme@example.com").await;
    let between = calls(&t);
    let unknown = forgot(&t, "nobody@example.com").await;
    assert_eq!(known, unknown);
    // A mail is written for either, and two limits are drawn from with a read and a write each: what
    // takes longer tells as much as what is said.
    assert_eq!((between - before, calls(&t) - between), (5, 5));
    t.drain().await;
    assert_eq!(t.mails().len(), 1, "nobody gets no mail");
    let body = json!({"email": "not an address"});
    let refused = Caller::anonymous()
        .post(&t, "/v1/password/forgot", body)
        .await;
    assert_eq!(refused.expect(422)["errors"][0]["field"], "email");
    t.finish().await;
}

#[tokio::test]
async fn a_token_lives_for_an_hour() {
    let t = TestApp::new().await;
    t.owner("acme").await;
    forgot(&t, "acme@example.com").await;
    t.drain().await;
    let token = t.mailed_token("acme@example.com");
    t.advance(SignedDuration::from_mins(60));
    assert_eq!(
        reset(&t, &token, NEW).await.expect(409)["code"],
        "token_not_good"
    );
    assert_eq!(
        reset(&t, "a guess", NEW).await.expect(409)["code"],
        "token_not_good"
    );
    assert!(can_sign_in(&t, PASSWORD).await);
    t.finish().await;
}

#[tokio::test]
async fn of_two_who_use_a_token_at_once_one_does() {
    let t = TestApp::new().await;
    t.owner("acme").await;
    forgot(&t, "acme@example.com").await;
    t.drain().await;
    let token = t.mailed_token("acme@example.com");
    let (first, second) = tokio::join!(
        reset(&t, &token, "the first password"),
        reset(&t, &token, "the second password")
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    let first = can_sign_in(&t, "the first password").await;
    assert_ne!(first, can_sign_in(&t, "the second password").await);
    t.finish().await;
}

#[tokio::test]
async fn a_changed_password_makes_older_tokens_void() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    forgot(&t, "acme@example.com").await;
    t.drain().await;
    let token = t.mailed_token("acme@example.com");
    let body = json!({"old_password": PASSWORD, "new_password": NEW});
    owner
        .post(&t, "/v1/password/change", body)
        .await
        .expect(204);
    assert_eq!(
        reset(&t, &token, "a third password").await.expect(409)["code"],
        "token_not_good"
    );
    t.finish().await;
}

#[tokio::test]
async fn no_token_is_in_a_table_or_a_queue() {
    let t = TestApp::new().await;
    t.owner("acme").await;
    forgot(&t, "acme@example.com").await;
    let message = t
        .queue
        .receive(app::task::QueueName::Notify, 1)
        .await
        .unwrap();
    let task: Value = serde_json::from_str(&message[0].body).unwrap();
    let fields: Vec<_> = task.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["mail"],
        "a task carries the id of a mail and no word of it"
    );
    t.queue
        .retry(&message[0], std::time::Duration::ZERO)
        .await
        .unwrap();
    t.drain().await;
    let token = t.mailed_token("acme@example.com");
    assert!(token.len() >= 43);
    t.finish().await;
}
