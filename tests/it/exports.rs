//! The results of a campaign as CSV: whole, exact, and harmless to whoever opens them.

use std::collections::{BTreeMap, HashMap, HashSet};

use app::store::Write;
use app::task::{CampaignExport, QueueName};
use domain::id::{CampaignId, ContactId, WorkspaceId};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::journey::{phone, text};
use crate::support::{Caller, TestApp};

type Row = HashMap<String, String>;

/// Exports a campaign to the end and fetches every file.
async fn exported(t: &TestApp, owner: &Caller, campaign: &str) -> Vec<Vec<Row>> {
    let path = format!("/v1/campaigns/{campaign}/export");
    let begun = owner.post(t, &path, Value::Null).await.expect(202);
    assert_eq!(
        (&begun["state"], &begun["files"]),
        (&json!("running"), &json!([]))
    );
    t.drain().await;
    fetched(t, owner, campaign).await
}

async fn fetched(t: &TestApp, owner: &Caller, campaign: &str) -> Vec<Vec<Row>> {
    let path = format!("/v1/campaigns/{campaign}/export");
    let export = owner.get(t, &path).await.expect(200);
    assert_eq!(export["state"], "completed");
    let mut files = Vec::new();
    for file in export["files"].as_array().unwrap() {
        let url = text(&file["url"]);
        let link = url.strip_prefix(&t.app.config.public_url).unwrap();
        let answer = Caller::anonymous().get(t, link).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
        files.push(reader.deserialize().map(Result::unwrap).collect());
    }
    let rows: usize = files.iter().map(Vec::len).sum();
    assert_eq!(export["rows"], rows);
    files
}

/// How many rows have each status.
fn by_status(rows: &[Row]) -> BTreeMap<&str, i64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row["status"].as_str()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn an_export_has_every_recipient_and_equals_the_figures() {
    let timing = simulator::Timing {
        fail_share: 0.1,
        ..Default::default()
    };
    let t = TestApp::with(simulator::Settings {
        answer_latency_ms: 0,
        timing,
        ..Default::default()
    })
    .await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    for n in 0..230 {
        t.contact(&owner, n, &[&group]).await;
    }
    let odd = json!({"phone": phone(500), "name": "=HYPERLINK(\"http://x\")", "groups": [group],
        "attributes": {"company": "@SUM(A1)", "city": "Kota, \"Lama\""}});
    owner.post(&t, "/v1/contacts", odd).await.expect(201);
    for n in 501..504 {
        let nameless = json!({"phone": phone(n), "groups": [group]});
        owner.post(&t, "/v1/contacts", nameless).await.expect(201);
    }
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let files = exported(&t, &owner, &campaign).await;
    let [rows] = files.as_slice() else {
        panic!("one file is enough")
    };
    let figures = t.figures(&owner, &campaign).await;
    let figure = |name: &str| figures[name].as_i64().unwrap();
    let counts = by_status(rows);
    let count = |status: &str| counts.get(status).copied().unwrap_or_default();
    assert_eq!(rows.len() as i64, figure("recipients"));
    assert_eq!(count("failed"), figure("failed"));
    assert!(count("failed") > 0);
    assert_eq!(count("excluded"), 3);
    assert_eq!(count("read"), figure("read"));
    assert_eq!(count("read") + count("delivered"), figure("delivered"));
    assert_eq!(
        count("accepted") + count("delivered") + count("read"),
        figure("sent")
    );
    let phones: HashSet<_> = rows.iter().map(|row| row["phone"].as_str()).collect();
    assert_eq!(phones.len(), rows.len(), "each recipient is there once");
    for row in rows {
        for cell in row.values() {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{row:?}"
            );
        }
        let failed = row["status"] == "failed";
        let excluded = row["status"] == "excluded";
        assert_eq!(row["code"] == "131026", failed, "{row:?}");
        assert_eq!(row["excluded"] == "missing_value", excluded, "{row:?}");
        assert_eq!(row["reason"].is_empty(), !failed && !excluded, "{row:?}");
        assert_eq!(row["wamid"].is_empty(), excluded, "{row:?}");
        assert!(row["at"].parse::<jiff::Timestamp>().is_ok(), "{row:?}");
    }
    let digits = |n| phone(n).trim_start_matches('+').to_owned();
    let row = |n| rows.iter().find(|row| row["phone"] == digits(n)).unwrap();
    assert_eq!(row(500)["name"], "'=HYPERLINK(\"http://x\")");
    assert_eq!(row(500)["body.2"], "'@SUM(A1)");
    assert_eq!(row(500)["body.3"], "Kota, \"Lama\"");
    assert_eq!(row(7)["name"], "Person 7");
    assert_eq!(row(7)["body.1"], "Person");
    assert_eq!(row(501)["body.1"], "");
    t.finish().await;
}

#[tokio::test]
async fn a_campaign_that_is_under_way_shows_who_is_pending() {
    let mut t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    for n in 0..3 {
        t.contact(&owner, n, &[&group]).await;
    }
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    let path = format!("/v1/campaigns/{campaign}/export");
    let refused = owner.post(&t, &path, Value::Null).await.expect(409);
    assert_eq!(refused["code"], "wrong_state");
    owner.get(&t, &path).await.expect(404);
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    owner.post(&t, &path, Value::Null).await.expect(202);
    t.run_once(QueueName::CampaignExport).await;
    let files = fetched(&t, &owner, &campaign).await;
    assert_eq!(by_status(&files[0]), BTreeMap::from([("pending", 3)]));
    // The next export begins anew, from what is known by then; the week after it is gone.
    t.drain().await;
    let files = exported(&t, &owner, &campaign).await;
    assert_eq!(by_status(&files[0]).get("pending"), None);
    t.advance(SignedDuration::from_hours(7 * 24));
    owner.get(&t, &path).await.expect(404);
    t.allow_leftovers();
}

#[tokio::test]
async fn who_may_not_read_contacts_may_not_export_them() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let key = t
        .key_with(&owner, &[domain::workspace::Permission::ReadCampaigns])
        .await;
    let path = format!("/v1/campaigns/{campaign}/export");
    key.post(&t, &path, Value::Null).await.expect(403);
    key.get(&t, &path).await.expect(403);
    // Nobody was in the group, which is a file with a header and no more.
    let files = exported(&t, &owner, &campaign).await;
    assert_eq!(files, [Vec::new()]);
    t.finish().await;
}

#[tokio::test]
async fn a_large_export_is_several_files_however_often_a_step_is_repeated() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let group = t.group(&owner, "A").await;
    t.contact(&owner, 0, &[&group]).await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    // Another 2,100 chunks, in each of which somebody has an outcome.
    let workspace: WorkspaceId = owner.workspace.parse().unwrap();
    let id: CampaignId = campaign.parse().unwrap();
    let scope = t.app.store.workspace(&workspace);
    for chunk in 1..=2_100 {
        let outcome = json!({"status": "accepted", "contact": ContactId::fresh(), "chunk": chunk,
            "index": 0, "wamid": format!("wamid.{chunk}"), "at": t.app.now()});
        let write = Write::put(scope.outcome(&id, chunk, 0), &outcome).unwrap();
        assert!(t.app.store.write(write).await.unwrap().yes());
    }
    let write = Write::update(scope.progress(&id))
        .set("chunks", &2_101)
        .unwrap();
    assert!(t.app.store.write(write).await.unwrap().yes());
    let path = format!("/v1/campaigns/{campaign}/export");
    owner.post(&t, &path, Value::Null).await.expect(202);
    let task = CampaignExport {
        workspace: workspace.clone(),
        campaign: id.clone(),
        number: 1,
    };
    // A sender that dies in the middle of a step leaves nothing half done.
    t.begin_one(QueueName::CampaignExport).await.abort();
    for _ in 0..4 {
        t.app
            .enqueue(&task, std::time::Duration::ZERO)
            .await
            .unwrap();
        t.run_once(QueueName::CampaignExport).await;
    }
    t.drain().await;
    let files = fetched(&t, &owner, &campaign).await;
    let sizes: Vec<_> = files.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1_000, 1_000, 101]);
    let messages: HashSet<_> = files.iter().flatten().map(|row| &row["wamid"]).collect();
    assert_eq!(messages.len(), 2_101, "each recipient is there once");
    t.finish().await;
}
