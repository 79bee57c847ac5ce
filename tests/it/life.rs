//! The life of a campaign: scheduled, edited, started once, paused, resumed, cancelled.

use app::task::QueueName;
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::Settings;

use crate::support::journey::text;
use crate::support::{Caller, TestApp};

/// Asks something of a campaign and returns what it became.
async fn ask(t: &TestApp, owner: &Caller, campaign: &str, what: &str) -> Value {
    let path = format!("/v1/campaigns/{campaign}/{what}");
    owner.post(t, &path, Value::Null).await.expect(202)
}

async fn state(t: &TestApp, owner: &Caller, campaign: &str) -> String {
    text(&t.campaign(owner, campaign).await["state"])
}

async fn slow() -> TestApp {
    TestApp::with(Settings {
        answer_latency_ms: 1200,
        ..Settings::default()
    })
    .await
}

#[tokio::test]
async fn a_scheduled_campaign_starts_at_its_time_in_the_workspace_s_zone() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(3).await;
    let zone = json!({"time_zone": "Asia/Jakarta"});
    owner.patch(&t, "/v1/workspace", zone).await.expect(200);
    let at = t.clock_in("Asia/Jakarta", 3600);
    let path = format!("/v1/campaigns/{campaign}/schedule");
    let scheduled = owner.post(&t, &path, json!({"at": at})).await.expect(200);
    assert_eq!(scheduled["state"], "scheduled");
    let due: jiff::Timestamp = text(&scheduled["scheduled_at"]).parse().unwrap();
    let wait = due.duration_since(t.app.now());
    assert!((3540..=3600).contains(&wait.as_secs()), "{wait:?}");

    t.tick().await;
    t.drain().await;
    assert_eq!(state(&t, &owner, &campaign).await, "scheduled");
    t.advance(SignedDuration::from_secs(3601));
    t.tick().await;
    t.drain().await;
    assert_eq!(state(&t, &owner, &campaign).await, "completed");
    assert_eq!(t.ledger().await["accepted"], 3);
    t.finish().await;
}

#[tokio::test]
async fn a_campaign_is_unscheduled_and_edited_before_its_start_and_not_after() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(2).await;
    let path = format!("/v1/campaigns/{campaign}");
    let schedule = format!("{path}/schedule");
    let at = json!({"at": t.clock_in("UTC", 7200)});
    owner.post(&t, &schedule, at).await.expect(200);
    let edited = owner.patch(&t, &path, json!({"name": "Better"})).await;
    assert_eq!(edited.expect(200)["name"], "Better");
    assert_eq!(state(&t, &owner, &campaign).await, "scheduled");
    let draft = owner.delete(&t, &schedule).await.expect(200);
    assert_eq!(
        (&draft["state"], &draft["scheduled_at"]),
        (&json!("draft"), &Value::Null)
    );
    t.advance(SignedDuration::from_hours(3));
    t.tick().await;
    assert_eq!(state(&t, &owner, &campaign).await, "draft");

    let wrong = owner.patch(&t, &path, json!({"variables": {}})).await;
    let fields = wrong.expect(422)["errors"].clone();
    assert_eq!(fields[0]["field"], "variables.body.1");
    t.start(&owner, &campaign).await;
    let late = owner.patch(&t, &path, json!({"name": "Too late"})).await;
    assert_eq!(late.expect(409)["code"], "wrong_state");
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn a_time_that_cannot_be_scheduled_is_refused_with_the_reason() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(1).await;
    let path = format!("/v1/campaigns/{campaign}/schedule");
    for at in [
        "tomorrow",
        "2020-01-01T09:00",
        "2020-01-01T09:00:00Z",
        "2999-01-01T09:00",
    ] {
        let refused = owner.post(&t, &path, json!({"at": at})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "at", "{at}: {refused}");
    }
    let zone = json!({"time_zone": "Mars/Olympus"});
    let refused = owner.patch(&t, "/v1/workspace", zone).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "time_zone");
    t.finish().await;
}

#[tokio::test]
async fn a_scheduled_campaign_whose_group_is_gone_fails_and_says_why() {
    let t = TestApp::new().await;
    let (owner, campaign, group) = t.prepared(1).await;
    let path = format!("/v1/campaigns/{campaign}/schedule");
    let at = json!({"at": t.clock_in("UTC", 60)});
    owner.post(&t, &path, at).await.expect(200);
    owner
        .delete(&t, &format!("/v1/groups/{group}"))
        .await
        .expect(204);
    t.advance(SignedDuration::from_secs(61));
    t.tick().await;
    t.drain().await;
    let failed = t.campaign(&owner, &campaign).await;
    assert_eq!(failed["state"], "failed");
    assert!(text(&failed["reason"]).contains("no group"), "{failed}");
    t.finish().await;
}

#[tokio::test]
async fn of_two_starts_and_two_changes_at_once_one_wins() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(4).await;
    let start = format!("/v1/campaigns/{campaign}/start");
    let edit = format!("/v1/campaigns/{campaign}");
    let (a, b, c) = tokio::join!(
        owner.post(&t, &start, Value::Null),
        owner.post(&t, &start, Value::Null),
        owner.patch(&t, &edit, json!({"name": "Edited"})),
    );
    let won = [a.status, b.status, c.status];
    let changed = won.iter().filter(|status| status.is_success()).count();
    assert!(changed >= 1, "{won:?}");
    assert!(!(a.status.is_success() && b.status.is_success()), "{won:?}");
    if !(a.status.is_success() || b.status.is_success()) {
        t.start(&owner, &campaign).await;
    }
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(4), &json!(0))
    );
    t.finish().await;
}

#[tokio::test]
async fn a_pause_waits_for_what_is_in_flight_and_a_resume_sends_the_rest_once() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(250).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(60).await;
    let pausing = ask(&t, &owner, &campaign, "pause").await;
    assert_eq!(pausing["state"], "pausing", "messages are in flight");
    t.drain().await;
    let paused = t.campaign(&owner, &campaign).await;
    assert_eq!(paused["state"], "paused");
    let sent = t.ledger().await["accepted"].as_u64().unwrap();
    assert!(
        (60..110).contains(&sent),
        "{sent} left before the pause took effect"
    );
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(figures["unknown"], 0);
    assert_eq!(figures["pending"].as_u64().unwrap(), 250 - sent);

    t.advance(SignedDuration::from_hours(1));
    t.tick().await;
    t.drain().await;
    assert_eq!(
        t.ledger().await["accepted"].as_u64().unwrap(),
        sent,
        "a pause is a pause"
    );

    assert_eq!(
        ask(&t, &owner, &campaign, "resume").await["state"],
        "sending"
    );
    t.drain().await;
    assert_eq!(state(&t, &owner, &campaign).await, "completed");
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(250), &json!(0))
    );
    t.figures(&owner, &campaign).await;
    t.finish().await;
}

#[tokio::test]
async fn twenty_pauses_double_and_lose_nobody() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(450).await;
    t.start(&owner, &campaign).await;
    for pause in 0..20 {
        t.go_on_until_sent(pause * 20 + 1).await;
        ask(&t, &owner, &campaign, "pause").await;
        t.drain().await;
        assert_eq!(
            state(&t, &owner, &campaign).await,
            "paused",
            "pause {pause}"
        );
        ask(&t, &owner, &campaign, "resume").await;
    }
    t.drain().await;
    assert_eq!(state(&t, &owner, &campaign).await, "completed");
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(450), &json!(0))
    );
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["unknown"], &figures["pending"]),
        (&json!(0), &json!(0))
    );
    t.finish().await;
}

#[tokio::test]
async fn a_pause_settles_although_the_sender_was_killed() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(100).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    let sender = t.begin_one(QueueName::CampaignSend).await;
    t.go_on_until(async || t.ledger().await["accepted"].as_u64() >= Some(30))
        .await;
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    assert_eq!(
        ask(&t, &owner, &campaign, "pause").await["state"],
        "pausing"
    );
    // The dead sender's lease ends; the tick sees that nothing is in flight.
    t.advance(SignedDuration::from_secs(61));
    t.tick().await;
    assert_eq!(state(&t, &owner, &campaign).await, "paused");
    ask(&t, &owner, &campaign, "resume").await;
    t.drain().await;
    assert_eq!(state(&t, &owner, &campaign).await, "completed");
    assert_eq!(t.ledger().await["recipients_with_more_than_one"], 0);
    assert_eq!(t.figures(&owner, &campaign).await["pending"], 0);
    t.finish().await;
}

#[tokio::test]
async fn a_campaign_is_paused_and_resumed_while_it_prepares() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(230).await;
    t.start(&owner, &campaign).await;
    assert_eq!(ask(&t, &owner, &campaign, "pause").await["state"], "paused");
    t.drain().await;
    assert_eq!(t.ledger().await["accepted"], 0);
    assert_eq!(
        ask(&t, &owner, &campaign, "resume").await["state"],
        "preparing"
    );
    t.drain().await;
    assert_eq!(state(&t, &owner, &campaign).await, "completed");
    assert_eq!(t.ledger().await["accepted"], 230);
    t.finish().await;
}

#[tokio::test]
async fn a_cancelled_campaign_sends_nothing_more_and_cannot_be_resumed() {
    let t = slow().await;
    let (owner, campaign, _) = t.prepared(250).await;
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(30).await;
    assert_eq!(
        ask(&t, &owner, &campaign, "cancel").await["state"],
        "cancelled"
    );
    t.drain().await;
    let sent = t.ledger().await["accepted"].as_u64().unwrap();
    assert!((30..80).contains(&sent), "{sent}");
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(figures["pending"].as_u64().unwrap(), 250 - sent);
    for what in ["resume", "pause", "start", "cancel"] {
        let path = format!("/v1/campaigns/{campaign}/{what}");
        let refused = owner.post(&t, &path, Value::Null).await.expect(409);
        assert_eq!(refused["code"], "wrong_state", "{what}");
    }
    t.advance(SignedDuration::from_secs(120));
    t.tick().await;
    t.drain().await;
    assert_eq!(t.ledger().await["accepted"].as_u64().unwrap(), sent);
    t.finish().await;
}

#[tokio::test]
async fn chunks_whose_messages_were_lost_are_queued_again_by_the_tick() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(250).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    t.lose(QueueName::CampaignSend).await;
    t.drain().await;
    assert_eq!(t.ledger().await["accepted"], 0);
    t.advance(SignedDuration::from_secs(61));
    t.tick().await;
    t.drain().await;
    assert_eq!(state(&t, &owner, &campaign).await, "completed");
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(250), &json!(0))
    );
    t.finish().await;
}
