//! Numbers: under the installation's Meta app and under the customer's own, changed, disconnected and
//! connected again.

use app::task::QueueName;
use axum::http::Method;
use domain::workspace::Permission;
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::{Settings, universe};

use crate::support::journey::{phone, text};
use crate::support::meta::{inbound_to, said};
use crate::support::{Caller, TestApp};

const SECRET: &str = "the-customers-app-secret";
const VERIFY_TOKEN: &str = "the-customers-verify-token";

fn own_number() -> Value {
    json!({"waba_id": universe::SECOND_WABA, "phone_number_id": universe::SECOND_NUMBER,
        "access_token": Settings::default().token,
        "app": {"secret": SECRET, "verify_token": VERIFY_TOKEN}})
}

/// Connects the second tenant's number under an app of its own.
async fn connect_own(t: &TestApp, owner: &Caller) -> Value {
    let secrets = json!({"app_secrets": {universe::SECOND_WABA: SECRET}});
    t.control(Method::PATCH, "/_control/settings", secrets)
        .await;
    owner
        .post(t, "/v1/channels", own_number())
        .await
        .expect(201)
}

/// The path of a channel's own webhook address.
fn path(t: &TestApp, channel: &Value) -> String {
    let url = text(&channel["webhook_url"]);
    url.strip_prefix(&t.app.config.public_url)
        .unwrap()
        .to_owned()
}

/// Posts a body to an address; returns the status.
async fn post(t: &TestApp, path: &str, secret: &str, body: &[u8]) -> u16 {
    let signature = whatsapp::signature::sign(secret, body);
    let header = Some(("x-hub-signature-256", signature.as_str()));
    let nobody = Caller::anonymous();
    let answer = nobody.raw(t, Method::POST, path, header, body.to_vec());
    answer.await.status.as_u16()
}

/// How often the store was asked for an item.
fn reads(t: &TestApp) -> u64 {
    let operations = t.dynamo.counts().operations();
    operations.values().map(|count| count.calls).sum()
}

async fn contacts(t: &TestApp, owner: &Caller) -> usize {
    let page = owner.get(t, "/v1/contacts").await.expect(200);
    page["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_number_under_its_own_app_gets_its_messages_at_its_own_address() {
    let t = TestApp::new().await;
    let owner = t.owner("bluebird").await;
    let channel = connect_own(&t, &owner).await;
    assert_eq!(channel["own_app"], true);
    assert!(!channel.to_string().contains(SECRET));
    assert!(!channel.to_string().contains(VERIFY_TOKEN));
    let wrote =
        json!({"phone_number_id": universe::SECOND_NUMBER, "from": phone(1), "text": "Hello"});
    t.control(Method::POST, "/_control/inbound", wrote).await;
    t.drain().await;
    assert_eq!(contacts(&t, &owner).await, 1);
    // Whoever may only read channels does not see where webhooks go.
    let reader = t.key_with(&owner, &[Permission::ReadChannels]).await;
    let one = format!("/v1/channels/{}", text(&channel["id"]));
    let seen = reader.get(&t, &one).await.expect(200);
    assert_eq!(
        (&seen["own_app"], &seen["webhook_url"]),
        (&json!(true), &Value::Null)
    );
    t.finish().await;
}

#[tokio::test]
async fn an_address_verifies_with_its_own_keys_and_with_no_others() {
    let t = TestApp::quiet().await;
    let owner = t.owner("bluebird").await;
    let channel = connect_own(&t, &owner).await;
    let path = path(&t, &channel);
    let asked = |path: &str, token: &str| {
        format!("{path}?hub.mode=subscribe&hub.challenge=77&hub.verify_token={token}")
    };
    let nobody = Caller::anonymous();
    let answer = nobody.get(&t, &asked(&path, VERIFY_TOKEN)).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "77"));
    let theirs = t.app.config.verify_token.clone();
    nobody.get(&t, &asked(&path, &theirs)).await.expect(403);
    nobody
        .get(&t, &asked("/webhooks/whatsapp", VERIFY_TOKEN))
        .await
        .expect(403);

    let body = inbound_to(
        universe::SECOND_NUMBER,
        &[said(&phone(1), "wamid.1", 1_795_000_000, "Hi")],
    );
    assert_eq!(
        post(&t, &path, &t.app.config.app_secrets[0], &body).await,
        401
    );
    assert_eq!(post(&t, "/webhooks/whatsapp", SECRET, &body).await, 401);
    assert_eq!(post(&t, &path, SECRET, &body).await, 200);
    // An address that nobody was given is refused without a look at the store.
    let before = reads(&t);
    let mut other = path.clone();
    let last = if other.pop() == Some('A') { 'E' } else { 'A' };
    other.push(last);
    for made_up in [
        other.as_str(),
        "/webhooks/whatsapp/guess",
        "/webhooks/whatsapp/%00",
    ] {
        assert_eq!(post(&t, made_up, SECRET, &body).await, 404);
        nobody
            .get(&t, &asked(made_up, VERIFY_TOKEN))
            .await
            .expect(404);
    }
    assert_eq!(reads(&t), before);
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn wrong_signatures_and_gone_addresses_make_no_storm_of_reads() {
    let t = TestApp::quiet().await;
    let owner = t.owner("bluebird").await;
    let channel = connect_own(&t, &owner).await;
    let path = path(&t, &channel);
    post(&t, &path, "wrong", b"{}").await;
    let before = reads(&t);
    for _ in 0..50 {
        assert_eq!(post(&t, &path, "wrong", b"{}").await, 401);
    }
    assert_eq!(reads(&t), before);
    let id = text(&channel["id"]);
    owner
        .post(&t, &format!("/v1/channels/{id}/disconnect"), Value::Null)
        .await
        .expect(200);
    post(&t, &path, SECRET, b"{}").await;
    let before = reads(&t);
    for _ in 0..50 {
        assert_eq!(post(&t, &path, SECRET, b"{}").await, 404);
    }
    assert_eq!(reads(&t), before);
    t.finish().await;
}

#[tokio::test]
async fn a_customers_app_cannot_speak_for_another_workspace() {
    let t = TestApp::quiet().await;
    let acme = t.owner("acme").await;
    t.connect(&acme).await;
    let owner = t.owner("bluebird").await;
    let channel = connect_own(&t, &owner).await;
    let forged = inbound_to(
        universe::NUMBER,
        &[said(&phone(1), "wamid.1", 1_795_000_000, "stop")],
    );
    assert_eq!(post(&t, &path(&t, &channel), SECRET, &forged).await, 200);
    let ban = json!({"entry": [{"id": universe::WABA, "time": t.app.now().as_second(), "changes": [{
        "field": "account_update",
        "value": {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}}]}]});
    let ban = ban.to_string().into_bytes();
    assert_eq!(post(&t, &path(&t, &channel), SECRET, &ban).await, 200);
    t.drain().await;
    assert_eq!(contacts(&t, &acme).await, 0);
    assert_eq!(contacts(&t, &owner).await, 0);
    let channels = acme.get(&t, "/v1/channels").await.expect(200);
    assert_eq!(channels["items"][0]["restriction"], Value::Null);
    t.finish().await;
}

#[tokio::test]
async fn while_a_secret_is_rotated_both_are_accepted_until_the_old_one_is_removed_or_a_day_is_over()
{
    let t = TestApp::quiet().await;
    let owner = t.owner("bluebird").await;
    let channel = connect_own(&t, &owner).await;
    let path = path(&t, &channel);
    let one = format!("/v1/channels/{}", text(&channel["id"]));
    let empty = br#"{"entry":[]}"#;
    assert_eq!(post(&t, &path, SECRET, empty).await, 200);
    let rotated = json!({"app_secret": "the-second-secret"});
    let rotated = owner.patch(&t, &one, rotated).await.expect(200);
    assert!(rotated["old_secret_until"].is_string());
    assert_eq!(post(&t, &path, "the-second-secret", empty).await, 200);
    assert_eq!(post(&t, &path, SECRET, empty).await, 200);
    // Somebody else than this process removes it, so it is believed for a minute more.
    let removed = owner
        .delete(&t, &format!("{one}/old-secret"))
        .await
        .expect(200);
    assert_eq!(removed["old_secret_until"], Value::Null);
    assert_eq!(post(&t, &path, SECRET, empty).await, 401);
    let rotated = json!({"app_secret": "the-third-secret"});
    owner.patch(&t, &one, rotated).await.expect(200);
    assert_eq!(post(&t, &path, "the-second-secret", empty).await, 200);
    t.advance(SignedDuration::from_hours(24));
    assert_eq!(post(&t, &path, "the-second-secret", empty).await, 401);
    assert_eq!(post(&t, &path, "the-third-secret", empty).await, 200);
    let seen = owner.get(&t, &one).await.expect(200);
    assert_eq!(seen["old_secret_until"], Value::Null);
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn keys_that_cannot_be_right_are_refused_by_name() {
    let t = TestApp::quiet().await;
    let owner = t.owner("bluebird").await;
    for (field, value) in [("secret", "short"), ("verify_token", "with a blank")] {
        let mut body = own_number();
        body["app"][field] = json!(value);
        let refused = owner.post(&t, "/v1/channels", body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], format!("app.{field}"));
    }
    let channel = t.connect(&owner).await;
    let one = format!("/v1/channels/{channel}");
    let refused = owner
        .patch(&t, &one, json!({"app_secret": "long-enough"}))
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["field"], "app_secret");
    owner
        .patch(&t, &one, json!({"name": " "}))
        .await
        .expect(422);
    owner
        .delete(&t, &format!("{one}/old-secret"))
        .await
        .expect(409);
    t.finish().await;
}

#[tokio::test]
async fn an_address_that_meta_cannot_verify_leaves_nothing_behind() {
    let t = TestApp::quiet().await;
    let owner = t.owner("bluebird").await;
    let mut body = own_number();
    body["access_token"] = json!("stolen");
    owner.post(&t, "/v1/channels", body).await.expect(502);
    assert_eq!(
        owner.get(&t, "/v1/channels").await.expect(200)["items"],
        json!([])
    );
    // And nothing keeps a second attempt from succeeding.
    connect_own(&t, &owner).await;
    t.finish().await;
}

#[tokio::test]
async fn a_name_and_a_token_are_changed_and_a_wrong_token_is_not_taken() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let one = format!("/v1/channels/{channel}");
    let named = owner
        .patch(&t, &one, json!({"name": "Care"}))
        .await
        .expect(200);
    assert_eq!(named["name"], "Care");
    owner
        .patch(&t, &one, json!({"access_token": "wrong"}))
        .await
        .expect(502);
    let token = Settings::default().token;
    owner
        .patch(&t, &one, json!({"access_token": token}))
        .await
        .expect(200);
    owner
        .post(&t, &format!("{one}/refresh"), Value::Null)
        .await
        .expect(200);
    let log = owner.get(&t, "/v1/audit").await.expect(200);
    let entries = log["items"].as_array().unwrap().iter();
    let mut entered: Vec<_> = entries
        .filter(|entry| entry["target"] == channel)
        .map(|entry| format!("{} {}", text(&entry["action"]), entry["details"]["changed"]))
        .collect();
    entered.sort_unstable();
    assert_eq!(
        entered,
        [
            "channel.connected null",
            "channel.updated \"access_token\"",
            "channel.updated \"name\""
        ]
    );
    t.finish().await;
}

#[tokio::test]
async fn a_refresh_shows_what_meta_thinks_of_the_number_now() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let one = format!("/v1/channels/{channel}");
    let seen = owner.get(&t, &one).await.expect(200);
    assert_eq!(
        (
            &seen["quality"],
            &seen["status"],
            &seen["name_status"],
            &seen["messages_per_second"]
        ),
        (
            &json!("GREEN"),
            &json!("CONNECTED"),
            &json!("APPROVED"),
            &json!(80)
        )
    );
    let faster =
        json!({"limits": {universe::NUMBER: 1000}, "tiers": {universe::PORTFOLIO: "TIER_10K"}});
    t.control(Method::PATCH, "/_control/settings", faster).await;
    let seen = owner
        .post(&t, &format!("{one}/refresh"), Value::Null)
        .await
        .expect(200);
    assert_eq!(
        (&seen["messages_per_second"], &seen["messaging_limit"]),
        (&json!(1000), &json!("TIER_10K"))
    );
    t.finish().await;
}

#[tokio::test]
async fn disconnecting_pauses_campaigns_and_connecting_again_gives_the_channel_back() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(300).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(5).await;
    let channel = text(&t.campaign(&owner, &campaign).await["channel"]);
    let one = format!("/v1/channels/{channel}");
    let gone = owner
        .post(&t, &format!("{one}/disconnect"), Value::Null)
        .await
        .expect(200);
    assert_eq!(gone["state"], "disconnected");
    t.drain().await;
    let stopped = t.campaign(&owner, &campaign).await;
    assert_eq!(
        (&stopped["state"], &stopped["reason"]),
        (
            &json!("paused"),
            &json!("This campaign's number is disconnected.")
        )
    );
    let sent = t.ledger().await["accepted"].as_u64().unwrap();
    assert!(sent < 300, "{sent}");
    // Nothing of it works while it is disconnected, and all of it says why.
    let resume = format!("/v1/campaigns/{campaign}/resume");
    let refused = owner.post(&t, &resume, Value::Null).await.expect(409);
    assert_eq!(refused["code"], "channel_disconnected");
    owner
        .post(&t, &format!("{one}/refresh"), Value::Null)
        .await
        .expect(409);
    owner
        .post(&t, &format!("{one}/disconnect"), Value::Null)
        .await
        .expect(409);
    let body = inbound_to(
        universe::NUMBER,
        &[said(&phone(900), "wamid.1", t.app.now().as_second(), "Hi")],
    );
    t.post_webhook(body.clone()).await;
    t.drain().await;
    assert_eq!(
        owner
            .get(&t, "/v1/contacts?phone=%2B6281210000900")
            .await
            .expect(200)["items"],
        json!([])
    );
    // The same number in the same workspace is the same channel.
    assert_eq!(t.connect(&owner).await, channel);
    t.post_webhook(body).await;
    owner.post(&t, &resume, Value::Null).await.expect(202);
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    assert_eq!(t.figures(&owner, &campaign).await["pending"], 0);
    t.finish().await;
}

#[tokio::test]
async fn a_number_that_was_disconnected_can_be_connected_elsewhere() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    owner
        .post(
            &t,
            &format!("/v1/channels/{channel}/disconnect"),
            Value::Null,
        )
        .await
        .expect(200);
    let other = t.owner("other").await;
    let theirs = t.connect(&other).await;
    assert_ne!(theirs, channel);
    let now = t.app.now().as_second();
    t.hears(&[said(&phone(1), "wamid.1", now, "Hi")]).await;
    assert_eq!(
        (contacts(&t, &owner).await, contacts(&t, &other).await),
        (0, 1)
    );
    let body = json!({"waba_id": universe::WABA, "phone_number_id": universe::NUMBER, "access_token": Settings::default().token});
    owner.post(&t, "/v1/channels", body).await.expect(409);
    assert!(
        t.queue
            .stats(QueueName::Webhook)
            .await
            .unwrap()
            .is_at_rest()
    );
    t.finish().await;
}
