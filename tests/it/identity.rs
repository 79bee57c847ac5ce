//! Accounts, sessions and API keys.

use domain::workspace::Permission;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::callers::signed_in;
use crate::support::{Caller, TestApp};

#[tokio::test]
async fn a_person_registers_signs_out_and_signs_in_again() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let me = owner.get(&t, "/v1/me").await.expect(200);
    assert_eq!(me["workspaces"][0]["role"], "owner");
    owner.post(&t, "/v1/logout", Value::Null).await.expect(204);
    owner.get(&t, "/v1/me").await.expect(401);
    let body = json!({"email": "ACME@example.com", "password": "a long password"});
    let again = signed_in(Caller::anonymous().post(&t, "/v1/login", body).await, 200);
    assert_eq!(again.workspace, owner.workspace);
    t.finish().await;
}

#[tokio::test]
async fn an_address_registers_once_and_a_wrong_password_says_nothing() {
    let t = TestApp::new().await;
    t.owner("acme").await;
    let body = json!({"email": "Acme@Example.com", "password": "another password", "name": "x", "workspace": "x"});
    assert_eq!(
        Caller::anonymous()
            .post(&t, "/v1/register", body)
            .await
            .expect(409)["code"],
        "email_taken"
    );
    let unknown = json!({"email": "nobody@example.com", "password": "a long password"});
    let wrong = json!({"email": "acme@example.com", "password": "a wrong password"});
    let unknown = Caller::anonymous()
        .post(&t, "/v1/login", unknown)
        .await
        .expect(401);
    let wrong = Caller::anonymous()
        .post(&t, "/v1/login", wrong)
        .await
        .expect(401);
    assert_eq!(unknown, wrong);
    t.finish().await;
}

#[tokio::test]
async fn every_refused_field_of_a_registration_is_named_at_once() {
    let t = TestApp::new().await;
    let body = json!({"email": "nobody", "password": "short", "name": " ", "workspace": ""});
    let problem = Caller::anonymous()
        .post(&t, "/v1/register", body)
        .await
        .expect(422);
    let fields: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["email", "password", "name", "workspace"]);
    t.finish().await;
}

#[tokio::test]
async fn a_session_changes_something_only_with_its_csrf_token() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let forged = owner.clone().with("x-csrf-token", "guess");
    forged
        .post(&t, "/v1/groups", json!({"name": "A"}))
        .await
        .expect(403);
    forged.get(&t, "/v1/groups").await.expect(200);
    owner
        .post(&t, "/v1/groups", json!({"name": "A"}))
        .await
        .expect(201);
    t.finish().await;
}

#[tokio::test]
async fn a_session_ends_after_its_lifetime() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.advance(SignedDuration::from_hours(24 * 30 - 1));
    owner.get(&t, "/v1/me").await.expect(200);
    t.advance(SignedDuration::from_hours(2));
    owner.get(&t, "/v1/me").await.expect(401);
    t.finish().await;
}

#[tokio::test]
async fn a_key_does_what_its_scopes_allow_until_it_is_revoked() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::ReadContacts]).await;
    key.get(&t, "/v1/contacts").await.expect(200);
    let refused = key
        .post(&t, "/v1/groups", json!({"name": "A"}))
        .await
        .expect(403);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("contacts:write")
    );
    let keys = owner.get(&t, "/v1/api-keys").await.expect(200);
    assert!(
        keys["items"][0].get("secret").is_none(),
        "a key is shown once"
    );
    let id = keys["items"][0]["id"].as_str().unwrap();
    owner
        .delete(&t, &format!("/v1/api-keys/{id}"))
        .await
        .expect(204);
    key.get(&t, "/v1/contacts").await.expect(401);
    t.finish().await;
}

#[tokio::test]
async fn a_key_cannot_make_a_key_that_may_do_more() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::WriteApiKeys]).await;
    let body = json!({"name": "more", "scopes": ["campaigns:write"]});
    key.post(&t, "/v1/api-keys", body).await.expect(403);
    t.finish().await;
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let expiry = (t.app.now() + SignedDuration::from_hours(1)).to_string();
    let body = json!({"name": "brief", "scopes": ["contacts:read"], "expires_at": expiry});
    let key = owner.post(&t, "/v1/api-keys", body).await.expect(201);
    let key = Caller::anonymous().with(
        "authorization",
        &format!("Bearer {}", key["secret"].as_str().unwrap()),
    );
    key.get(&t, "/v1/contacts").await.expect(200);
    t.advance(SignedDuration::from_hours(1));
    key.get(&t, "/v1/contacts").await.expect(401);
    t.finish().await;
}
