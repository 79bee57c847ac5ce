//! Messages that people write: whose they are, what they wish, which campaign they answer.

use std::sync::Arc;

use app::task::QueueName;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::Store;
use crate::support::journey::{phone, text};
use crate::support::meta::{inbound, pressed, quoting, said};
use crate::support::{Caller, TestApp};

fn now(t: &TestApp) -> i64 {
    t.app.now().as_second()
}

async fn contacts(t: &TestApp, owner: &Caller) -> Vec<Value> {
    let page = owner.get(t, "/v1/contacts").await.expect(200);
    page["items"].as_array().unwrap().clone()
}

async fn contact(t: &TestApp, owner: &Caller, phone: &str) -> Value {
    let path = format!("/v1/contacts?phone=%2B{}", phone.trim_start_matches('+'));
    owner.get(t, &path).await.expect(200)["items"][0].clone()
}

async fn tab(t: &TestApp, owner: &Caller, campaign: &str, status: &str) -> Vec<Value> {
    let path = format!("/v1/campaigns/{campaign}/recipients?status={status}");
    let page = owner.get(t, &path).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn who_writes_becomes_a_contact_once_however_often_it_is_told() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let at = now(&t);
    let hello = said(&phone(1), "wamid.1", at, "Hello");
    let again = said(&phone(1), "wamid.2", at, "Anybody there?");
    for messages in [
        vec![hello.clone(), again.clone(), hello.clone()],
        vec![again],
        vec![hello],
    ] {
        t.post_webhook(inbound(&messages)).await;
    }
    t.drain().await;
    let all = contacts(&t, &owner).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["name"], "Ada Lovelace");
    assert_eq!(all[0]["phone"], phone(1));
    assert_eq!(all[0]["consent"], "subscribed");
    t.finish().await;
}

#[tokio::test]
async fn a_stop_word_opts_out_and_a_start_word_takes_it_back_in_whatever_order_they_come() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    t.contact(&owner, 1, &[]).await;
    t.advance(SignedDuration::from_mins(10));
    let at = now(&t);
    let stop = said(&phone(1), "wamid.1", at - 100, " Stop! ");
    let start = said(&phone(1), "wamid.2", at - 50, "MULAI");
    t.hears(std::slice::from_ref(&stop)).await;
    let opted_out = contact(&t, &owner, &phone(1)).await;
    assert_eq!(opted_out["consent"], "opted_out");
    assert_eq!(opted_out["consent_changed_by"], "person");
    assert_eq!(
        text(&opted_out["consent_changed_at"])
            .parse::<jiff::Timestamp>()
            .unwrap()
            .as_second(),
        at - 100
    );
    t.hears(&[start]).await;
    // Meta tells of the first once more.
    t.hears(&[stop]).await;
    assert_eq!(
        contact(&t, &owner, &phone(1)).await["consent"],
        "subscribed"
    );
    // Somebody of the workspace decides after that, and an old word does not undo it.
    let path = format!("/v1/contacts/{}", text(&opted_out["id"]));
    let patch = json!({"consent": "opted_out"});
    owner.patch(&t, &path, patch).await.expect(200);
    t.hears(&[said(&phone(1), "wamid.3", at - 20, "start")])
        .await;
    let decided = contact(&t, &owner, &phone(1)).await;
    assert_eq!(
        (&decided["consent"], &decided["consent_changed_by"]),
        (&json!("opted_out"), &json!("workspace"))
    );
    t.finish().await;
}

#[tokio::test]
async fn a_stop_during_a_campaign_reaches_nobody_who_is_not_in_flight() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(450).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    // Somebody of the last chunk.
    let mut path = format!("/v1/campaigns/{campaign}/recipients");
    let mut page = owner.get(&t, &path).await.expect(200);
    while let Some(next) = page["next"].as_str() {
        path = format!("/v1/campaigns/{campaign}/recipients?cursor={next}");
        page = owner.get(&t, &path).await.expect(200);
    }
    let person = text(&page["items"][0]["phone"]);
    t.go_on_until_sent(5).await;
    let stop = pressed(&person, "wamid.1", now(&t), "wamid.earlier", "Berhenti");
    t.post_webhook(inbound(&[stop])).await;
    t.begin_all(QueueName::Webhook).await;
    t.drain().await;
    // What they get is the answer to their wish.
    let sent = t.sent_to(&person).await;
    let kinds: Vec<_> = sent.iter().map(|line| text(&line["type"])).collect();
    assert_eq!(kinds, ["text"], "{sent:?}");
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["sent"], &figures["excluded"]),
        (&json!(449), &json!(1))
    );
    assert_eq!(contact(&t, &owner, &person).await["consent"], "opted_out");
    t.finish().await;
}

#[tokio::test]
async fn a_refusal_because_the_person_stopped_messages_opts_out() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(2).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let recipients = owner
        .get(&t, &format!("/v1/campaigns/{campaign}/recipients"))
        .await
        .expect(200);
    let person = text(&recipients["items"][0]["phone"]);
    let status = json!({"id": "wamid.x", "status": "failed", "timestamp": now(&t).to_string(),
        "recipient_id": person.trim_start_matches('+'),
        "biz_opaque_callback_data": format!("{campaign}.0.0"),
        "errors": [{"code": 131_050, "title": "stopped"}]});
    let value =
        json!({"metadata": {"phone_number_id": simulator::universe::NUMBER}, "statuses": [status]});
    let body = json!({"entry": [{"id": simulator::universe::WABA, "changes": [{"field": "messages", "value": value}]}]});
    t.post_webhook(body.to_string().into_bytes()).await;
    t.drain().await;
    let contact = contact(&t, &owner, &person).await;
    assert_eq!(
        (&contact["consent"], &contact["consent_changed_by"]),
        (&json!("opted_out"), &json!("whatsapp"))
    );
    assert_eq!(t.figures(&owner, &campaign).await["failed"], 1);
    t.finish().await;
}

#[tokio::test]
async fn a_brazilian_who_writes_from_the_short_form_of_the_number_is_the_same_contact() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let body = json!({"phone": "+5511987654321", "name": "Bia"});
    owner.post(&t, "/v1/contacts", body).await.expect(201);
    t.hears(&[said("551187654321", "wamid.1", now(&t), "stop")])
        .await;
    let all = contacts(&t, &owner).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["consent"], "opted_out");
    t.finish().await;
}

#[tokio::test]
async fn who_hides_the_number_is_one_contact_and_keeps_it_when_the_number_comes_to_light() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let hidden = |wamid: &str| json!({"from_user_id": "ID.7000000001", "id": wamid, "timestamp": now(&t).to_string(), "type": "text", "text": {"body": "Hi"}});
    t.hears(&[hidden("wamid.1"), hidden("wamid.2")]).await;
    let mut known = hidden("wamid.3");
    known["from"] = json!(phone(4).trim_start_matches('+'));
    t.hears(&[known]).await;
    let all = contacts(&t, &owner).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let path = format!("/v1/contacts/{}", text(&all[0]["id"]));
    owner.delete(&t, &path).await.expect(204);
    t.hears(&[hidden("wamid.4")]).await;
    assert_eq!(contacts(&t, &owner).await.len(), 1);
    t.finish().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_taken_in_does_not_poison_its_siblings() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let at = now(&t);
    let large = json!({"from": "6281200000001", "id": "wamid.1", "timestamp": at.to_string(), "type": "contacts",
        "contacts": [{"vcard": "x".repeat(500_000), "number": 1e300}]});
    let odd = json!({"from": ["?"], "id": 5, "type": "text"});
    let nobody = json!({"from": "not a number", "id": "wamid.3", "timestamp": at.to_string(), "type": "text", "text": {"body": "?"}});
    t.hears(&[large, odd, nobody, said(&phone(2), "wamid.4", at, "stop")])
        .await;
    let all = contacts(&t, &owner).await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(contact(&t, &owner, &phone(2)).await["consent"], "opted_out");
    t.finish().await;
}

#[tokio::test]
async fn a_reply_is_counted_once_under_repetition_and_in_any_order() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(3).await;
    let before = said(&phone(0), "wamid.0", now(&t) - 600, "hello from before");
    t.start(&owner, &campaign).await;
    t.drain().await;
    t.advance(SignedDuration::from_mins(10));
    t.hears(&[before]).await;
    assert_eq!(t.figures(&owner, &campaign).await["replied"], 0);
    let at = now(&t);
    let replies = [
        said(&phone(0), "wamid.1", at - 5, "Yes, please"),
        said(&phone(0), "wamid.2", at - 3, "Are you there?"),
        said(&phone(1), "wamid.3", at - 1, "How much?"),
        said(&phone(77), "wamid.4", at, "I got nothing from you"),
    ];
    for order in [[1, 0, 3, 2], [2, 1, 0, 3]] {
        let messages = order.map(|place: usize| replies[place].clone());
        t.post_webhook(inbound(&messages)).await;
        t.post_webhook(inbound(&messages)).await;
    }
    t.drain().await;
    assert_eq!(t.figures(&owner, &campaign).await["replied"], 2);
    let replied = tab(&t, &owner, &campaign, "replied").await;
    let mut who: Vec<_> = replied.iter().map(|item| text(&item["phone"])).collect();
    who.sort_unstable();
    assert_eq!(who, [phone(0), phone(1)]);
    assert!(replied[0]["replied_at"].is_string(), "{replied:?}");
    t.finish().await;
}

#[tokio::test]
async fn a_button_answers_its_own_campaign_and_a_text_the_newest() {
    let t = TestApp::quiet().await;
    let (owner, first, group) = t.prepared(2).await;
    let channels = owner.get(&t, "/v1/channels").await.expect(200);
    let channel = text(&channels["items"][0]["id"]);
    t.start(&owner, &first).await;
    t.drain().await;
    t.advance(SignedDuration::from_hours(1));
    let second = t.draft(&owner, &channel, &[&group]).await;
    t.start(&owner, &second).await;
    t.drain().await;
    t.advance(SignedDuration::from_mins(5));
    let path = format!("/v1/campaigns/{first}/recipients");
    let sent = owner.get(&t, &path).await.expect(200);
    let item = &sent["items"][0];
    let (person, wamid) = (text(&item["phone"]), text(&item["wamid"]));
    let other = text(&sent["items"][1]["phone"]);
    let at = now(&t);
    t.hears(&[
        pressed(&person, "wamid.1", at, &wamid, "Tell me more"),
        quoting(said(&other, "wamid.2", at, "What?"), "wamid.of an agent"),
    ])
    .await;
    assert_eq!(t.figures(&owner, &first).await["replied"], 1);
    assert_eq!(t.figures(&owner, &second).await["replied"], 0);
    t.hears(&[said(&person, "wamid.3", at, "And the other one?")])
        .await;
    assert_eq!(t.figures(&owner, &first).await["replied"], 1);
    assert_eq!(t.figures(&owner, &second).await["replied"], 1);
    t.finish().await;
}

#[tokio::test]
async fn statuses_that_come_after_a_reply_leave_it_and_its_tab() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(1).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    t.hears(&[said(&phone(0), "wamid.1", now(&t) + 1, "Thanks")])
        .await;
    for status in ["failed", "delivered", "read"] {
        let mut update = json!({"id": "wamid.x", "status": status, "timestamp": now(&t).to_string(),
            "recipient_id": "6281", "biz_opaque_callback_data": format!("{campaign}.0.0")});
        if status == "failed" {
            update["errors"] = json!([{"code": 131_026, "title": "late"}]);
        }
        let value = json!({"metadata": {"phone_number_id": simulator::universe::NUMBER}, "statuses": [update]});
        let body =
            json!({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
        t.post_webhook(body.to_string().into_bytes()).await;
        t.drain().await;
    }
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["read"], &figures["failed"], &figures["replied"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(
        tab(&t, &owner, &campaign, "replied").await[0]["status"],
        "read"
    );
    t.finish().await;
}

#[tokio::test]
async fn what_a_store_out_of_reach_refused_is_taken_in_later_and_once() {
    let store = Arc::new(Store::default());
    let t = TestApp::quiet_with_store(&store).await;
    let (owner, campaign, _) = t.prepared(2).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let at = now(&t) + 1;
    for broken in ["replied_at", "MESSAGE#", "consent_change"] {
        *store.broken.lock().unwrap() = Some(broken);
        let body = inbound(&[
            said(&phone(0), "wamid.1", at, "Thanks"),
            said(&phone(1), "wamid.2", at, "stop"),
        ]);
        t.post_webhook(body).await;
        t.run_once(QueueName::Webhook).await;
    }
    *store.broken.lock().unwrap() = None;
    t.drain().await;
    assert_eq!(t.figures(&owner, &campaign).await["replied"], 2);
    assert_eq!(contact(&t, &owner, &phone(1)).await["consent"], "opted_out");
    t.finish().await;
}
