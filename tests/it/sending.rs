//! A campaign from its start to the last message: who gets one, how fast, and what a crash leaves.

use app::task::{CampaignDispatch, CampaignPlan, CampaignSend, QueueName};
use domain::campaign::State;
use domain::id::{CampaignId, WorkspaceId};
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::TestApp;
use crate::support::app::Store;
use crate::support::journey::text;

#[tokio::test]
async fn everyone_of_the_audience_gets_one_message_and_the_figures_are_exact() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(230).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    let ledger = t.ledger().await;
    assert_eq!(ledger["accepted"], 230);
    assert_eq!(ledger["recipients_with_more_than_one"], 0);
    assert_eq!(ledger["refused"], json!({}));
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(figures["recipients"], 230);
    assert_eq!(figures["pending"], 0);
    let number = |name: &str| figures[name].as_u64().unwrap();
    assert_eq!(number("sent") + number("failed"), 230);
    assert_eq!(figures["delivered"], ledger["statuses"]["delivered"]);
    assert_eq!(figures["read"], ledger["statuses"]["read"]);
    assert_eq!(figures["failed"], ledger["statuses"]["failed"]);
    t.finish().await;
}

#[tokio::test]
async fn messages_leave_at_the_number_s_speed_and_never_above_it() {
    let t = TestApp::with(simulator::Settings {
        answer_latency_ms: 1200,
        ..Default::default()
    })
    .await;
    let (owner, campaign, _) = t.prepared(1_000).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(ledger["accepted"], 1_000);
    assert_eq!(
        ledger["refused"],
        json!({}),
        "the simulator counts arrivals in a sliding second"
    );
    let rate = ledger["rate_per_second"].as_f64().unwrap();
    assert!((78.0..=80.0).contains(&rate), "{rate} messages a second");
    t.finish().await;
}

#[tokio::test]
async fn who_is_in_several_groups_gets_one_message() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let (a, b, c) = (
        t.group(&owner, "A").await,
        t.group(&owner, "B").await,
        t.group(&owner, "C").await,
    );
    for n in 0..40 {
        let groups = [(&a, 2), (&b, 3), (&c, 1)]
            .into_iter()
            .filter(|(_, by)| n % by == 0)
            .map(|(group, _)| group.as_str());
        t.contact(&owner, n, &groups.collect::<Vec<_>>()).await;
    }
    let campaign = t.draft(&owner, &channel, &[&a, &b, &c, &a]).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(40), &json!(0))
    );
    t.finish().await;
}

#[tokio::test]
async fn who_cannot_or_must_not_be_sent_to_is_excluded_with_the_reason() {
    let t = TestApp::new().await;
    let (owner, campaign, group) = t.prepared(3).await;
    let without = json!({"phone": "+6281299999999", "groups": [group]});
    owner.post(&t, "/v1/contacts", without).await.expect(201);
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    let opted_out = contacts["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|contact| contact["name"] == "Person 1")
        .unwrap();
    let path = format!("/v1/contacts/{}", text(&opted_out["id"]));
    owner
        .patch(&t, &path, json!({"consent": "opted_out"}))
        .await
        .expect(200);
    t.start(&owner, &campaign).await;
    t.drain().await;
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["recipients"], &figures["excluded"]),
        (&json!(4), &json!(2))
    );
    let excluded = owner
        .get(
            &t,
            &format!("/v1/campaigns/{campaign}/recipients?status=excluded"),
        )
        .await
        .expect(200);
    let mut reasons: Vec<_> = excluded["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| text(&item["reason"]))
        .collect();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            "A variable has no value for this contact and no fallback.",
            "The contact has opted out of messages."
        ]
    );
    assert_eq!(t.ledger().await["accepted"], 2);
    t.finish().await;
}

#[tokio::test]
async fn an_opt_out_after_the_planning_still_counts() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(5).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    let contacts = owner.get(&t, "/v1/contacts").await.expect(200);
    let path = format!("/v1/contacts/{}", text(&contacts["items"][0]["id"]));
    owner
        .patch(&t, &path, json!({"consent": "opted_out"}))
        .await
        .expect(200);
    t.drain().await;
    assert_eq!(t.ledger().await["accepted"], 4);
    assert_eq!(t.figures(&owner, &campaign).await["excluded"], 1);
    t.finish().await;
}

#[tokio::test]
async fn every_task_delivered_twice_and_late_again_sends_nothing_twice() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(250).await;
    t.start(&owner, &campaign).await;
    let workspace: WorkspaceId = owner.workspace.parse().unwrap();
    let id: CampaignId = campaign.parse().unwrap();
    let epoch = 1;
    let plan = CampaignPlan {
        workspace: workspace.clone(),
        campaign: id.clone(),
        epoch,
    };
    let dispatch = CampaignDispatch {
        workspace: workspace.clone(),
        campaign: id.clone(),
        epoch,
    };
    let sends: Vec<_> = (0..3)
        .map(|chunk| CampaignSend {
            workspace: workspace.clone(),
            campaign: id.clone(),
            epoch,
            chunk,
            step: 0,
        })
        .collect();
    t.app.enqueue(&plan, Duration::ZERO).await.unwrap();
    t.app
        .enqueue(&dispatch, Duration::from_secs(1))
        .await
        .unwrap();
    t.app
        .enqueue_all(&sends, Duration::from_secs(2))
        .await
        .unwrap();
    t.drain().await;
    t.app.enqueue(&plan, Duration::ZERO).await.unwrap();
    t.app.enqueue(&dispatch, Duration::ZERO).await.unwrap();
    t.app.enqueue_all(&sends, Duration::ZERO).await.unwrap();
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(250), &json!(0))
    );
    assert_eq!(t.figures(&owner, &campaign).await["recipients"], 250);
    assert_eq!(
        t.campaign(&owner, &campaign).await["state"],
        State::Completed.as_str()
    );
    t.finish().await;
}

#[tokio::test]
async fn a_slow_store_delays_a_single_message_and_does_not_forget_it() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let (owner, campaign, _) = t.prepared(1).await;
    store.write_millis.store(12, Ordering::Relaxed);
    let began = t.app.now();
    t.start(&owner, &campaign).await;
    t.go_on_until_sent(1).await;
    let took = t.app.now().duration_since(began);
    assert!(took < SignedDuration::from_secs(2), "{took:?}");
    store.write_millis.store(0, Ordering::Relaxed);
    t.drain().await;
    assert_eq!(t.figures(&owner, &campaign).await["unknown"], 0);
    t.finish().await;
}

#[tokio::test]
async fn a_pacer_that_cannot_be_reached_makes_nobody_unknown() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let (owner, campaign, _) = t.prepared(60).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    let sender = t.begin_one(QueueName::CampaignSend).await;
    t.go_on_until_sent(5).await;
    *store.broken.lock().unwrap() = Some("#PACER#");
    t.go_on_until(async || sender.is_finished()).await;
    let sent = t.ledger().await["accepted"].as_u64().unwrap();
    assert!((5..60).contains(&sent), "{sent} were sent before it broke");
    *store.broken.lock().unwrap() = None;
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(60), &json!(0))
    );
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["unknown"], &figures["pending"]),
        (&json!(0), &json!(0))
    );
    t.finish().await;
}

#[tokio::test]
async fn outcomes_that_cannot_be_written_stop_the_launching_and_nobody_gets_two() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let (owner, campaign, _) = t.prepared(100).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    *store.broken.lock().unwrap() = Some("OUTCOME#");
    let sender = t.begin_one(QueueName::CampaignSend).await;
    t.go_on_until(async || sender.is_finished()).await;
    let sent = t.ledger().await["accepted"].as_u64().unwrap();
    assert!(sent < 100, "all were sent though nothing was recorded");
    *store.broken.lock().unwrap() = None;
    t.drain().await;
    assert_eq!(t.ledger().await["recipients_with_more_than_one"], 0);
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(figures["pending"], 0);
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    t.finish().await;
}

#[tokio::test]
async fn a_chunk_delivered_again_while_it_is_sent_waits_for_its_sender() {
    let t = TestApp::quiet_with(simulator::Settings {
        answer_latency_ms: 1200,
        ..Default::default()
    })
    .await;
    let (owner, campaign, _) = t.prepared(100).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    let sender = t.begin_one(QueueName::CampaignSend).await;
    t.go_on_until(async || t.ledger().await["accepted"].as_u64() >= Some(30))
        .await;
    let again = CampaignSend {
        workspace: owner.workspace.parse().unwrap(),
        campaign: campaign.parse().unwrap(),
        epoch: 1,
        chunk: 0,
        step: 0,
    };
    t.app.enqueue(&again, Duration::ZERO).await.unwrap();
    t.drain().await;
    sender.await.unwrap();
    assert_eq!(t.ledger().await["accepted"], 100);
    let figures = t.figures(&owner, &campaign).await;
    assert_eq!(
        (&figures["sent"], &figures["unknown"]),
        (&json!(100), &json!(0))
    );
    t.finish().await;
}

#[tokio::test]
async fn a_sender_that_is_killed_leaves_nobody_with_two_messages_and_nobody_forgotten() {
    let t = TestApp::with(simulator::Settings {
        answer_latency_ms: 1200,
        ..Default::default()
    })
    .await;
    let (owner, campaign, _) = t.prepared(100).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    let sender = t.begin_one(QueueName::CampaignSend).await;
    t.go_on_until(async || t.ledger().await["accepted"].as_u64() >= Some(30))
        .await;
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(ledger["recipients_with_more_than_one"], 0);
    let figures = t.figures(&owner, &campaign).await;
    let number = |name: &str| figures[name].as_u64().unwrap();
    assert_eq!(number("pending"), 0);
    // The simulator told about everyone it accepted; only who was marked and never launched is unknown.
    assert_eq!(
        number("sent") + number("failed"),
        ledger["accepted"].as_u64().unwrap()
    );
    assert_eq!(number("sent") + number("failed") + number("unknown"), 100);
    assert!((1..40).contains(&number("unknown")), "{figures}");
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    t.finish().await;
}

#[tokio::test]
async fn the_list_of_recipients_shows_each_message_as_the_person_sees_it() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(2).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let recipients = owner
        .get(&t, &format!("/v1/campaigns/{campaign}/recipients"))
        .await
        .expect(200);
    let first = &recipients["items"][0];
    assert!(
        first["message"]["body"]
            .as_str()
            .unwrap()
            .contains("Person"),
        "{first}"
    );
    assert!(first["wamid"].as_str().unwrap().starts_with("wamid."));
    t.finish().await;
}

#[tokio::test]
async fn the_tick_takes_up_a_campaign_whose_task_was_lost_at_any_stage() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(120).await;
    t.start(&owner, &campaign).await;
    t.lose(QueueName::CampaignPlan).await;
    t.tick().await;
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "preparing");
    t.advance(SignedDuration::from_secs(61));
    t.tick().await;
    t.run_once(QueueName::CampaignPlan).await;
    t.lose(QueueName::CampaignDispatch).await;
    t.advance(SignedDuration::from_secs(61));
    t.tick().await;
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    let ledger = t.ledger().await;
    assert_eq!(
        (
            &ledger["accepted"],
            &ledger["recipients_with_more_than_one"]
        ),
        (&json!(120), &json!(0))
    );
    // A campaign that has ended is looked after no more.
    t.advance(SignedDuration::from_secs(600));
    t.tick().await;
    t.finish().await;
}

#[tokio::test]
async fn a_campaign_for_an_empty_group_completes_at_once() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "Nobody").await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let campaign = t.campaign(&owner, &campaign).await;
    assert_eq!(
        (&campaign["state"], &campaign["statistics"]["recipients"]),
        (&json!("completed"), &json!(0))
    );
    t.finish().await;
}
