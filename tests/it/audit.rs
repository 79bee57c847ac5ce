//! The audit log: who did what, and who may read it.

use domain::workspace::Permission;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn what_people_and_keys_do_is_listed_newest_first() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t
        .key_with(&owner, &[Permission::ReadAudit, Permission::WriteWorkspace])
        .await;
    t.advance(SignedDuration::from_secs(1));
    owner
        .patch(&t, "/v1/workspace", json!({"name": "Acme Two"}))
        .await
        .expect(200);
    t.advance(SignedDuration::from_secs(1));
    key.patch(&t, "/v1/workspace", json!({"time_zone": "Asia/Jakarta"}))
        .await
        .expect(200);
    let newest = key.get(&t, "/v1/audit?limit=1").await.expect(200);
    assert_eq!(newest["items"][0]["action"], "workspace.updated");
    assert_eq!(newest["items"][0]["target"], owner.workspace);
    assert_eq!(newest["items"][0]["by"]["kind"], "api_key");
    let cursor = newest["next"].as_str().unwrap();
    let before = owner
        .get(&t, &format!("/v1/audit?limit=1&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(before["items"][0]["by"]["kind"], "user");
    assert_eq!(before["items"][0]["by"]["name"], "acme");
    t.finish().await;
}

#[tokio::test]
async fn the_log_is_read_with_its_own_permission_and_only_at_home() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    owner
        .patch(&t, "/v1/workspace", json!({"name": "Secret plans"}))
        .await
        .expect(200);
    let key = t.key_with(&owner, &[Permission::WriteWorkspace]).await;
    key.get(&t, "/v1/audit").await.expect(403);
    let stranger = t.owner("stranger").await;
    let theirs = stranger.get(&t, "/v1/audit").await.expect(200);
    let targets = theirs["items"].as_array().unwrap().iter();
    let mut targets = targets.map(|entry| entry["target"].as_str().unwrap());
    assert!(targets.all(|target| target != owner.workspace));
    stranger
        .with("x-workspace", &owner.workspace)
        .get(&t, "/v1/audit")
        .await
        .expect(404);
    t.finish().await;
}

#[tokio::test]
async fn a_refused_change_leaves_no_entry() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let before = owner.get(&t, "/v1/audit").await.expect(200);
    owner
        .patch(&t, "/v1/workspace", json!({"time_zone": "Mars/Olympus"}))
        .await
        .expect(422);
    assert_eq!(owner.get(&t, "/v1/audit").await.expect(200), before);
    t.finish().await;
}

#[tokio::test]
async fn each_turn_that_a_person_gives_a_campaign_is_entered_once() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(2).await;
    let path = format!("/v1/campaigns/{campaign}");
    let at = json!({"at": t.clock_in("UTC", 3600)});
    owner
        .post(&t, &format!("{path}/schedule"), at)
        .await
        .expect(200);
    t.advance(SignedDuration::from_secs(1));
    owner
        .delete(&t, &format!("{path}/schedule"))
        .await
        .expect(200);
    for turn in ["start", "pause", "resume", "cancel"] {
        t.advance(SignedDuration::from_secs(1));
        let answer = owner.post(&t, &format!("{path}/{turn}"), Value::Null).await;
        assert!(answer.status.is_success(), "{turn}: {}", answer.status);
    }
    // Refused, and so not entered.
    owner
        .post(&t, &format!("{path}/start"), Value::Null)
        .await
        .expect(409);
    let log = owner.get(&t, "/v1/audit").await.expect(200);
    let entries = log["items"].as_array().unwrap().iter();
    let mut actions: Vec<_> = entries
        .filter(|entry| entry["target"] == campaign.as_str())
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    actions.reverse();
    let turns = [
        "campaign.scheduled",
        "campaign.unscheduled",
        "campaign.started",
        "campaign.paused",
        "campaign.resumed",
        "campaign.cancelled",
    ];
    assert_eq!(actions, turns);
    t.drain().await;
    t.finish().await;
}
