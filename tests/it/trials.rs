//! Trying a campaign on one number, and copying it.

use app::task::{CampaignTest, QueueName};
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

const OWN_NUMBER: &str = "+6281255556666";

async fn tests(t: &TestApp, owner: &Caller, campaign: &str) -> Vec<Value> {
    let path = format!("/v1/campaigns/{campaign}/tests");
    let page = owner.get(t, &path).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// Asks for a test, lets it be sent, and returns what became of it.
async fn tried(t: &TestApp, owner: &Caller, campaign: &str, body: Value) -> Value {
    let path = format!("/v1/campaigns/{campaign}/test");
    let asked = owner.post(t, &path, body).await.expect(202);
    assert_eq!(asked["state"], "queued");
    t.drain().await;
    let test = tests(t, owner, campaign).await.remove(0);
    assert_eq!(test["id"], asked["id"]);
    test
}

#[tokio::test]
async fn a_test_is_sent_once_to_one_number_and_counts_in_no_figures() {
    let t = TestApp::new().await;
    let (owner, draft, _) = t.prepared(3).await;
    let test = tried(&t, &owner, &draft, json!({"phone": OWN_NUMBER})).await;
    assert_eq!(test["state"], "accepted");
    assert!(text(&test["wamid"]).starts_with("wamid."));
    let sent = t.sent_to(OWN_NUMBER).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["text"], test["message"]["body"]);
    // Where there is a fallback it stands, and elsewhere the template's example.
    let body = text(&test["message"]["body"]);
    assert!(
        body.contains("there") && body.contains("your city"),
        "{body}"
    );
    assert!(!body.contains("{{"), "{body}");
    let campaign = t.campaign(&owner, &draft).await;
    assert_eq!(
        (&campaign["state"], &campaign["statistics"]["recipients"]),
        (&json!("draft"), &json!(0))
    );
    t.start(&owner, &draft).await;
    t.drain().await;
    assert_eq!(t.figures(&owner, &draft).await["recipients"], 3);
    assert_eq!(t.ledger().await["accepted"], 4);
    t.finish().await;
}

#[tokio::test]
async fn a_test_shows_the_values_of_the_contact_that_it_names() {
    let t = TestApp::new().await;
    let (owner, draft, _) = t.prepared(1).await;
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    let contact = &contacts["items"][0];
    let body = json!({"phone": OWN_NUMBER, "contact": contact["id"]});
    let test = tried(&t, &owner, &draft, body).await;
    let message = text(&test["message"]["body"]);
    assert!(
        message.contains("Toko 0") && message.contains("Bandung"),
        "{message}"
    );
    // A contact's own values are wanted as they are, so none is made up.
    let bare = owner
        .post(&t, "/v1/contacts", json!({"phone": phone(77)}))
        .await
        .expect(201);
    let path = format!("/v1/campaigns/{draft}/test");
    let body = json!({"phone": OWN_NUMBER, "contact": bare["id"]});
    let refused = owner.post(&t, &path, body).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "variables.body.2");
    t.finish().await;
}

#[tokio::test]
async fn a_test_that_cannot_be_sent_is_refused_by_the_name_of_its_field() {
    let t = TestApp::new().await;
    let (owner, draft, _) = t.prepared(1).await;
    let path = format!("/v1/campaigns/{draft}/test");
    let refused = async |body: Value| -> String {
        let problem = owner.post(&t, &path, body).await.expect(422);
        text(&problem["errors"][0]["field"])
    };
    assert_eq!(refused(json!({"phone": "12"})).await, "phone");
    let stranger = format!("ct_{}", "0".repeat(32));
    assert_eq!(
        refused(json!({"phone": OWN_NUMBER, "contact": stranger})).await,
        "contact"
    );
    let contact = json!({"phone": OWN_NUMBER});
    let contact = owner.post(&t, "/v1/contacts", contact).await.expect(201);
    let contact = format!("/v1/contacts/{}", text(&contact["id"]));
    let opted_out = json!({"consent": "opted_out"});
    owner.patch(&t, &contact, opted_out).await.expect(200);
    assert_eq!(refused(json!({"phone": OWN_NUMBER})).await, "phone");
    let blocked = json!({"consent": "subscribed", "blocked": true});
    owner.patch(&t, &contact, blocked).await.expect(200);
    assert_eq!(refused(json!({"phone": OWN_NUMBER})).await, "phone");
    assert!(tests(&t, &owner, &draft).await.is_empty());
    t.finish().await;
}

#[tokio::test]
async fn what_whatsapp_refuses_is_told_in_words_and_not_sent_again() {
    let settings = simulator::Settings {
        answer_latency_ms: 0,
        magic_recipients: true,
        ..Default::default()
    };
    let t = TestApp::with(settings).await;
    let (owner, draft, _) = t.prepared(1).await;
    let test = tried(&t, &owner, &draft, json!({"phone": "+6281255559916"})).await;
    assert_eq!(
        (&test["state"], &test["code"]),
        (&json!("failed"), &json!(131_009))
    );
    assert!(text(&test["reason"]).contains("did not accept"), "{test}");
    assert_eq!(t.ledger().await["accepted"], 0);
    t.finish().await;
}

#[tokio::test]
async fn a_test_delivered_again_or_whose_sender_died_is_never_sent_twice() {
    let t = TestApp::with(simulator::Settings {
        answer_latency_ms: 1200,
        ..Default::default()
    })
    .await;
    let (owner, draft, _) = t.prepared(1).await;
    let path = format!("/v1/campaigns/{draft}/test");
    let body = json!({"phone": OWN_NUMBER});
    let asked = owner.post(&t, &path, body.clone()).await.expect(202);
    let again = CampaignTest {
        workspace: owner.workspace.parse().unwrap(),
        campaign: draft.parse().unwrap(),
        test: text(&asked["id"]).parse().unwrap(),
    };
    t.app.enqueue(&again, Duration::ZERO).await.unwrap();
    t.drain().await;
    t.app.enqueue(&again, Duration::ZERO).await.unwrap();
    t.drain().await;
    assert_eq!(t.sent_to(OWN_NUMBER).await.len(), 1);
    assert_eq!(tests(&t, &owner, &draft).await[0]["state"], "accepted");

    owner.post(&t, &path, body).await.expect(202);
    let sender = t.begin_one(QueueName::CampaignSend).await;
    t.go_on_until(async || t.sent_to(OWN_NUMBER).await.len() == 2)
        .await;
    sender.abort();
    let _ = sender.await;
    assert_eq!(tests(&t, &owner, &draft).await[0]["state"], "sending");
    t.drain().await;
    assert_eq!(t.sent_to(OWN_NUMBER).await.len(), 2);
    let test = tests(&t, &owner, &draft).await.remove(0);
    assert_eq!(test["state"], "unknown");
    assert!(
        text(&test["reason"]).contains("may have been sent"),
        "{test}"
    );
    t.finish().await;
}

#[tokio::test]
async fn a_copy_is_a_draft_with_the_same_content_whatever_became_of_the_campaign() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(2).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let path = format!("/v1/campaigns/{campaign}/clone");
    let copy = owner.post(&t, &path, Value::Null).await.expect(201);
    let original = t.campaign(&owner, &campaign).await;
    assert_eq!(
        (&original["state"], &copy["state"]),
        (&json!("completed"), &json!("draft"))
    );
    assert_eq!(copy["name"], "A campaign (copy)");
    for field in ["channel", "template", "audience", "variables", "header"] {
        assert_eq!(copy[field], original[field], "{field}");
    }
    assert_ne!(copy["id"], original["id"]);
    assert_eq!(
        (&copy["started_at"], &copy["statistics"]["recipients"]),
        (&Value::Null, &json!(0))
    );
    t.start(&owner, &text(&copy["id"])).await;
    t.drain().await;
    assert_eq!(t.ledger().await["accepted"], 4);
    t.finish().await;
}
