//! Campaigns: drafts, and what they refuse.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::journey::variables;

#[tokio::test]
async fn a_draft_names_every_field_that_does_not_fit() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let template = t.template(&owner, "order_update").await;
    let body = json!({
        "name": "x", "channel": channel, "template": template, "audience": {},
        "variables": {"body.1": {"from": "text", "value": " "}, "body.9": {"from": "text", "value": "x"}, "body.2": {"from": "field", "field": "name"}},
    });
    let problem = owner.post(&t, "/v1/campaigns", body).await.expect(422);
    let mut fields: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "audience",
            "variables.body.1",
            "variables.body.3",
            "variables.body.9"
        ]
    );
    t.finish().await;
}

#[tokio::test]
async fn a_template_that_cannot_be_sent_is_refused_in_words() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    let template = t.template(&owner, "paused_offer").await;
    let body = json!({"name": "x", "channel": channel, "template": template, "audience": {"groups": [group]}});
    let problem = owner.post(&t, "/v1/campaigns", body).await.expect(422);
    let messages = problem["errors"].to_string();
    assert!(messages.contains("paused"), "{messages}");
    t.finish().await;
}

#[tokio::test]
async fn every_template_of_the_account_is_synced_over_all_pages() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let synced = owner
        .post(&t, "/v1/templates/sync", json!({"channel": channel}))
        .await
        .expect(200);
    let count = synced["templates"].as_u64().unwrap();
    assert!(count > 25, "one page of Meta's holds 25");
    let page = owner.get(&t, "/v1/templates?limit=100").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len() as u64, count);
    let named = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|template| template["name"] == "welcome_named")
        .unwrap();
    assert_eq!(named["variables"], json!(["body.first_name", "body.city"]));
    t.finish().await;
}

#[tokio::test]
async fn only_a_draft_can_be_deleted_and_a_campaign_starts_once() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    t.contact(&owner, 1, &[&group]).await;
    let draft = t.draft(&owner, &channel, &[&group]).await;
    owner
        .delete(&t, &format!("/v1/campaigns/{draft}"))
        .await
        .expect(204);
    owner
        .get(&t, &format!("/v1/campaigns/{draft}"))
        .await
        .expect(404);
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    let path = format!("/v1/campaigns/{campaign}/start");
    let starts = (0..5).map(|_| owner.post(&t, &path, Value::Null));
    let answers = futures::future::join_all(starts).await;
    let mut statuses: Vec<_> = answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409, 409]);
    t.drain().await;
    owner
        .delete(&t, &format!("/v1/campaigns/{campaign}"))
        .await
        .expect(409);
    assert_eq!(t.ledger().await["accepted"], 1);
    t.finish().await;
}

#[tokio::test]
async fn a_template_of_another_account_does_not_go_out_from_this_number() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let first = t.connect(&owner).await;
    let body = json!({"waba_id": "300000000000002", "phone_number_id": "200000000000003", "access_token": simulator::Settings::default().token});
    let second = owner.post(&t, "/v1/channels", body).await.expect(201);
    assert_ne!(second["id"], first);
    let group = t.group(&owner, "A").await;
    let template = t.template(&owner, "order_update").await;
    let body = json!({"name": "x", "channel": second["id"], "template": template, "audience": {"groups": [group]}, "variables": variables()});
    let problem = owner.post(&t, "/v1/campaigns", body).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "template");
    t.finish().await;
}
