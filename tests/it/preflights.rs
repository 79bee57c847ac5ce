//! The pre-flight: it says what planning then does, and never keeps anybody waiting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use app::store::Write;
use domain::id::WorkspaceId;
use serde_json::{Value, json};

use crate::support::app::Store;
use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

async fn preflight(t: &TestApp, owner: &Caller, campaign: &str) -> Value {
    let path = format!("/v1/campaigns/{campaign}/preflight");
    owner.post(t, &path, Value::Null).await.expect(200)
}

/// The counts of exclusions by reason in words.
fn exclusions(preflight: &Value) -> BTreeMap<String, u64> {
    let list = preflight["excluded"].as_array().unwrap();
    list.iter()
        .map(|one| (text(&one["reason"]), one["count"].as_u64().unwrap()))
        .collect()
}

#[tokio::test]
async fn what_the_preflight_says_is_what_planning_does() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    let mut ids = Vec::new();
    for n in 0..250 {
        ids.push(text(&t.contact(&owner, n, &[&group]).await["id"]));
    }
    for (number, attributes) in [
        ("+12025550123", json!({"company": "Shop"})),
        ("+12025550124", json!({"company": "Shop"})),
        ("+18762101234", json!({"company": "Shop"})),
        ("+6281299999999", json!({})),
        (
            "+6281299999998",
            json!({"company": "x".repeat(1000), "city": "y".repeat(900)}),
        ),
    ] {
        let body = json!({"phone": number, "attributes": attributes, "groups": [group]});
        owner.post(&t, "/v1/contacts", body).await.expect(201);
    }
    let audience = json!({"groups": [group], "contacts": [ids[0], ids[1]]});
    let campaign = t.draft_for(&owner, &channel, audience).await;
    let path = |id: &str| format!("/v1/contacts/{id}");
    owner.delete(&t, &path(&ids[0])).await.expect(204);
    for id in &ids[2..5] {
        owner
            .patch(&t, &path(id), json!({"consent": "opted_out"}))
            .await
            .expect(200);
    }
    let workspace: WorkspaceId = owner.workspace.parse().unwrap();
    let scope = t.app.store.workspace(&workspace);
    let key = |id: &str| scope.contact(&id.parse().unwrap());
    let stale = Write::update(key(&ids[5])).set("phone", "+62811").unwrap();
    let gone = Write::update(key(&ids[6])).remove("phone");
    for write in [stale, gone] {
        assert!(t.app.store.write(write).await.unwrap().yes());
    }
    let before = preflight(&t, &owner, &campaign).await;
    assert_eq!(before["complete"], true);
    assert_eq!(before.get("next"), None);
    assert_eq!(before["recipients"], 255);
    assert_eq!(before["messages"], 247);
    let expected = BTreeMap::from([
        ("The contact has opted out of messages.".to_owned(), 3),
        ("The contact was deleted.".to_owned(), 1),
        (
            "The contact's phone number is not a valid one.".to_owned(),
            1,
        ),
        ("The contact has no phone number.".to_owned(), 1),
        (
            "A variable has no value for this contact and no fallback.".to_owned(),
            1,
        ),
        (
            "The message is longer than WhatsApp allows once its variables are filled.".to_owned(),
            1,
        ),
    ]);
    assert_eq!(exclusions(&before), expected);
    // 247 messages at 80 a second and 98.2 % of that.
    assert_eq!(before["messages_per_second"], 80);
    assert_eq!(before["duration_seconds"], 4);
    let countries: Vec<_> = before["price"]["countries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (text(&line["country"]), line["messages"].as_u64().unwrap()))
        .collect();
    let count = |country: &str, messages| (country.to_owned(), messages);
    assert_eq!(
        countries,
        [count("ID", 244), count("JM", 1), count("US", 2)]
    );
    let amounts = before["price"]["countries"].as_array().unwrap().iter();
    let sum: i64 = amounts
        .map(|line| line["amount_micros"].as_i64().unwrap())
        .sum();
    assert_eq!(before["price"]["total_micros"], sum);
    assert!(sum > 0);
    assert_eq!(before["price"]["category"], "utility");

    // It wrote nothing, so a second look says the same; and then the campaign does it.
    assert_eq!(preflight(&t, &owner, &campaign).await, before);
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "draft");
    t.start(&owner, &campaign).await;
    t.drain().await;
    let figures = &t.campaign(&owner, &campaign).await["statistics"];
    assert_eq!(figures["recipients"], before["recipients"]);
    assert_eq!(t.ledger().await["accepted"], before["messages"]);
    let mut planned: BTreeMap<String, u64> = BTreeMap::new();
    let excluded = format!("/v1/campaigns/{campaign}/recipients?status=excluded");
    for row in owner.get(&t, &excluded).await.expect(200)["items"]
        .as_array()
        .unwrap()
    {
        *planned.entry(text(&row["reason"])).or_default() += 1;
    }
    assert_eq!(planned, expected);
    let path = format!("/v1/campaigns/{campaign}/preflight");
    let refused = owner.post(&t, &path, Value::Null).await.expect(409);
    assert_eq!(refused["code"], "wrong_state");
    t.finish().await;
}

#[tokio::test]
async fn a_large_audience_is_looked_at_in_stretches_that_add_up() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let mut file = "name,phone,company,city,groups\n".to_owned();
    for n in 0..600 {
        let company = if n % 50 == 0 { "" } else { "Toko" };
        file.push_str(&format!("Person {n},{},{company},Bandung,All\n", phone(n)));
    }
    t.import(&owner, file.as_bytes(), json!({})).await;
    let group = text(&owner.get(&t, "/v1/groups").await.expect(200)["items"][0]["id"]);
    for audience in [
        json!({"groups": [group]}),
        json!({"filter": [{"field": "name", "starts_with": "person"}]}),
    ] {
        let campaign = t.draft_for(&owner, &channel, audience).await;
        let whole = preflight(&t, &owner, &campaign).await;
        assert_eq!(
            (&whole["complete"], &whole["recipients"]),
            (&json!(true), &json!(600))
        );
        // Each query takes two seconds, and one call looks for five.
        store.read_millis.store(2_000, Ordering::Relaxed);
        let (mut calls, mut cursor) = (0, String::new());
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        loop {
            let path = format!("/v1/campaigns/{campaign}/preflight{cursor}");
            let part = owner.post(&t, &path, Value::Null).await.expect(200);
            for figure in ["recipients", "messages"] {
                *sums.entry(figure).or_default() += part[figure].as_i64().unwrap();
            }
            *sums.entry("price").or_default() += part["price"]["total_micros"].as_i64().unwrap();
            *sums.entry("excluded").or_default() +=
                exclusions(&part).into_values().sum::<u64>() as i64;
            calls += 1;
            assert_eq!(part["complete"], part["next"].is_null());
            match part["next"].as_str() {
                Some(next) => cursor = format!("?cursor={next}"),
                None => break,
            }
        }
        store.read_millis.store(0, Ordering::Relaxed);
        assert!(calls > 3, "{calls} calls");
        assert_eq!(sums["recipients"], 600);
        assert_eq!(whole["messages"], sums["messages"]);
        assert_eq!(whole["price"]["total_micros"], sums["price"]);
        assert_eq!(sums["excluded"], 12);
    }
    t.finish().await;
}

#[tokio::test]
async fn a_cursor_that_nobody_gave_is_refused() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    // "x", "0:WS#", "300:" and what is no base64 at all.
    for cursor in ["eA", "MDpXUyM", "MzAwOg", "~"] {
        let path = format!("/v1/campaigns/{campaign}/preflight?cursor={cursor}");
        let problem = owner.post(&t, &path, Value::Null).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "cursor", "{cursor}");
    }
    t.finish().await;
}

#[tokio::test]
async fn what_would_refuse_the_start_refuses_the_preflight() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    owner
        .delete(&t, &format!("/v1/groups/{group}"))
        .await
        .expect(204);
    for act in ["preflight", "start"] {
        let path = format!("/v1/campaigns/{campaign}/{act}");
        let problem = owner.post(&t, &path, Value::Null).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "audience.groups.0", "{act}");
    }
    t.finish().await;
}
