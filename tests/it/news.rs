//! What Meta tells of templates, numbers and accounts moves rows and stops campaigns; people's wishes at
//! WhatsApp count.

use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::universe;

use crate::support::journey::{TEMPLATE, phone, text};
use crate::support::{Caller, TestApp};

async fn tells(t: &TestApp, event: Value) {
    t.control(Method::POST, "/_control/events", event).await;
    t.drain().await;
}

/// News of a field, as Meta would have told it at this second.
async fn told_at(t: &TestApp, at: i64, field: &str, value: Value) {
    let body = json!({"entry": [{"id": universe::WABA, "time": at, "changes": [{"field": field, "value": value}]}]});
    t.post_webhook(body.to_string().into_bytes()).await;
    t.drain().await;
}

async fn template(t: &TestApp, owner: &Caller) -> Value {
    let id = t.template(owner, TEMPLATE).await;
    owner
        .get(t, &format!("/v1/templates/{id}"))
        .await
        .expect(200)
}

async fn channel(t: &TestApp, owner: &Caller) -> Value {
    owner.get(t, "/v1/channels").await.expect(200)["items"][0].clone()
}

#[tokio::test]
async fn a_paused_template_pauses_its_campaigns_with_metas_reason_and_recovery_resumes_none() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(300).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(5).await;
    let paused = json!({"template_status": {"template": TEMPLATE, "event": "PAUSED",
        "title": "FIRST_PAUSE", "description": "People reported it."}});
    tells(&t, paused).await;
    let stopped = t.campaign(&owner, &campaign).await;
    assert_eq!(stopped["state"], "paused");
    // A send that Meta refuses in the same moment may be the first to say so, in the same words.
    let reason = text(&stopped["reason"]);
    let words = "WhatsApp has paused this template because of low quality.";
    assert!(reason.starts_with(words), "{reason}");
    assert_eq!(template(&t, &owner).await["status"], "paused");
    t.advance(SignedDuration::from_secs(10));
    tells(
        &t,
        json!({"template_status": {"template": TEMPLATE, "event": "REINSTATED"}}),
    )
    .await;
    assert_eq!(template(&t, &owner).await["status"], "approved");
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "paused");
    owner
        .post(&t, &format!("/v1/campaigns/{campaign}/resume"), Value::Null)
        .await
        .expect(202);
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    t.figures(&owner, &campaign).await;
    t.finish().await;
}

#[tokio::test]
async fn news_that_come_late_or_twice_undo_nothing() {
    let t = TestApp::quiet().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    t.advance(SignedDuration::from_mins(10));
    let id: u64 = text(&template(&t, &owner).await["id"]).parse().unwrap();
    let now = t.app.now().as_second();
    let status = |event: &str| json!({"event": event, "message_template_id": id, "reason": "NONE"});
    let field = "message_template_status_update";
    told_at(&t, now - 60, field, status("disabled")).await;
    assert_eq!(template(&t, &owner).await["status"], "disabled");
    told_at(&t, now - 30, field, status("REINSTATED")).await;
    told_at(&t, now - 60, field, status("DISABLED")).await;
    assert_eq!(template(&t, &owner).await["status"], "approved");
    // What was fetched is newer than what happened before it.
    let channel = text(&channel(&t, &owner).await["id"]);
    t.advance(SignedDuration::from_mins(10));
    owner
        .post(&t, "/v1/templates/sync", json!({"channel": channel}))
        .await
        .expect(200);
    told_at(&t, now, field, status("PAUSED")).await;
    assert_eq!(template(&t, &owner).await["status"], "approved");
    t.finish().await;
}

#[tokio::test]
async fn quality_and_category_of_a_template_move_and_an_announcement_moves_nothing() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let before = template(&t, &owner).await;
    tells(
        &t,
        json!({"template_quality": {"template": TEMPLATE, "from": "GREEN", "to": "RED"}}),
    )
    .await;
    let announced =
        json!({"template_category": {"template": TEMPLATE, "to": "MARKETING", "announced": true}});
    tells(&t, announced).await;
    let seen = template(&t, &owner).await;
    assert_eq!(
        (&seen["quality"], &seen["category"]),
        (&json!("red"), &before["category"])
    );
    tells(
        &t,
        json!({"template_category": {"template": TEMPLATE, "to": "MARKETING"}}),
    )
    .await;
    assert_eq!(template(&t, &owner).await["category"], "marketing");
    tells(&t, json!({"template_components": {"template": TEMPLATE}})).await;
    // It was fetched again, and Meta still lists it as before.
    assert_eq!(template(&t, &owner).await["category"], before["category"]);
    t.finish().await;
}

#[tokio::test]
async fn a_banned_account_pauses_its_campaigns_and_its_return_resumes_none() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(300).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(5).await;
    let ban = |state: &str| json!({"account": {"event": "DISABLED_UPDATE", "with": {"ban_info": {"waba_ban_state": [state]}}}});
    tells(&t, ban("DISABLE")).await;
    let stopped = t.campaign(&owner, &campaign).await;
    let reason = json!("WhatsApp has disabled this account.");
    assert_eq!(
        (&stopped["state"], &stopped["reason"]),
        (&json!("paused"), &reason)
    );
    assert_eq!(channel(&t, &owner).await["restriction"]["reason"], reason);
    t.advance(SignedDuration::from_secs(10));
    tells(&t, ban("REINSTATE")).await;
    assert_eq!(channel(&t, &owner).await["restriction"], Value::Null);
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "paused");
    t.finish().await;
}

#[tokio::test]
async fn a_restriction_stops_what_it_is_about_until_it_ends() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(300).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(5).await;
    let until = t.app.now().as_second() + 3600;
    let restricted = |kind: &str| json!({"account": {"event": "ACCOUNT_RESTRICTION", "with": {"restriction_info": [{"restriction_type": kind, "expiration": until}]}}});
    // Adding numbers has nothing to do with sending.
    t.control(
        Method::POST,
        "/_control/events",
        restricted("RESTRICTED_ADD_PHONE_NUMBER_ACTION"),
    )
    .await;
    t.go_on_until_sent(20).await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "sending");
    tells(&t, restricted("RESTRICTED_BIZ_INITIATED_MESSAGING")).await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "paused");
    let seen = channel(&t, &owner).await;
    assert!(seen["restriction"]["until"].is_string(), "{seen}");
    assert!(text(&seen["alert"]["message"]).contains("add phone number"));
    t.advance(SignedDuration::from_hours(2));
    assert_eq!(channel(&t, &owner).await["restriction"], Value::Null);
    t.finish().await;
}

#[tokio::test]
async fn news_of_a_number_move_its_channel() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    tells(
        &t,
        json!({"number_quality": {"event": "DOWNGRADE", "limit": "TIER_2K"}}),
    )
    .await;
    tells(&t, json!({"number_quality": {"event": "FLAGGED"}})).await;
    tells(&t, json!({"number_name": {"decision": "REJECTED", "name": "Nusantara", "reason": "NAME_NOT_CONSISTENT"}})).await;
    // The account's other number is not connected, and nothing of it is.
    let other = json!({"number_quality": {"phone_number_id": universe::SPARE_NUMBER, "event": "UNFLAGGED"}});
    tells(&t, other).await;
    let seen = channel(&t, &owner).await;
    assert_eq!(
        (
            &seen["messaging_limit"],
            &seen["status"],
            &seen["name_status"],
            &seen["verified_name"]
        ),
        (
            &json!("TIER_2K"),
            &json!("FLAGGED"),
            &json!("DECLINED"),
            &json!("Nusantara Foods")
        )
    );
    t.advance(SignedDuration::from_secs(10));
    tells(
        &t,
        json!({"number_quality": {"event": "THROUGHPUT_UPGRADE", "limit": "TIER_UNLIMITED"}}),
    )
    .await;
    tells(
        &t,
        json!({"number_name": {"decision": "APPROVED", "name": "Nusantara"}}),
    )
    .await;
    let seen = channel(&t, &owner).await;
    assert_eq!(
        (
            &seen["messaging_limit"],
            &seen["messages_per_second"],
            &seen["verified_name"]
        ),
        (&json!("TIER_UNLIMITED"), &json!(1000), &json!("Nusantara"))
    );
    let limit = json!({"raw": {"field": "business_capability_update", "value": {"max_daily_conversations_per_business": 2000}}});
    t.advance(SignedDuration::from_secs(10));
    tells(&t, limit).await;
    assert_eq!(channel(&t, &owner).await["messaging_limit"], "TIER_2K");
    t.finish().await;
}

#[tokio::test]
async fn who_stops_marketing_at_whatsapp_is_opted_out_and_may_take_it_back() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.connect(&owner).await;
    let person = t.contact(&owner, 1, &[]).await;
    let path = format!("/v1/contacts/{}", text(&person["id"]));
    let preference = |value: &str| json!({"preference": {"from": phone(1), "value": value}});
    tells(&t, preference("stop")).await;
    let seen = owner.get(&t, &path).await.expect(200);
    assert_eq!(
        (&seen["consent"], &seen["consent_changed_by"]),
        (&json!("opted_out"), &json!("whatsapp"))
    );
    t.advance(SignedDuration::from_secs(10));
    tells(&t, preference("resume")).await;
    assert_eq!(
        owner.get(&t, &path).await.expect(200)["consent"],
        "subscribed"
    );
    // Somebody nobody knows changes nothing.
    tells(
        &t,
        json!({"preference": {"from": phone(99), "value": "stop"}}),
    )
    .await;
    t.finish().await;
}

#[tokio::test]
async fn a_refusal_in_the_answer_to_a_send_opts_the_person_out() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(5).await;
    t.trouble(&phone(2), 1, json!({"error": {"code": 131_050}}))
        .await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["sent"], &figures["failed"]),
        (&json!(4), &json!(1))
    );
    let found = format!("/v1/contacts?phone=%2B{}", phone(2).trim_start_matches('+'));
    let person = owner.get(&t, &found).await.expect(200)["items"][0].clone();
    assert_eq!(
        (&person["consent"], &person["consent_changed_by"]),
        (&json!("opted_out"), &json!("whatsapp"))
    );
    t.finish().await;
}

#[tokio::test]
async fn open_screens_are_told_of_news_of_what_is_theirs() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    t.drain().await;
    let last = owner.get(&t, "/v1/events?after=0").await.expect(200)["last"].clone();
    tells(&t, json!({"number_quality": {"event": "FLAGGED"}})).await;
    let quality = json!({"template_quality": {"template": TEMPLATE, "from": "GREEN", "to": "RED"}});
    tells(&t, quality).await;
    // Nobody here has this account's number.
    let other = json!({"account": {"waba_id": universe::SECOND_WABA, "event": "ACCOUNT_DELETED"}});
    tells(&t, other).await;
    let log = owner
        .get(&t, &format!("/v1/events?after={last}"))
        .await
        .expect(200);
    let items = log["items"].as_array().unwrap().iter();
    let events: Vec<Value> = items
        .flat_map(|item| item["events"].as_array().unwrap().clone())
        .collect();
    // The template has two translations.
    let template = |event: &Value| event["type"] == "template.updated";
    assert_eq!(
        events[0],
        json!({"type": "channel.updated", "channel": channel})
    );
    assert!(events[1..].iter().all(template), "{events:?}");
    assert_eq!(events.len(), 3);
    t.finish().await;
}
