//! Who gets a campaign: groups, single contacts and filters, and the failures of an earlier one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use app::store::Write;
use app::task::QueueName;
use domain::id::{CampaignId, ContactId, GroupId, WorkspaceId};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::Store;
use crate::support::journey::{phone, text, variables};
use crate::support::meta::said;
use crate::support::{Caller, TestApp};

/// A workspace with a connected number.
async fn connected(t: &TestApp) -> (Caller, String) {
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    (owner, channel)
}

/// A contact with a city, in these groups.
async fn resident(t: &TestApp, owner: &Caller, n: u32, city: &str, groups: &[&str]) -> String {
    let body = json!({"phone": phone(n), "name": format!("Person {n}"), "groups": groups,
        "attributes": {"company": "Toko", "city": city}});
    text(&owner.post(t, "/v1/contacts", body).await.expect(201)["id"])
}

/// Sends a campaign to an audience to its end, and answers the numbers that got it, in order.
async fn sent_to(t: &TestApp, owner: &Caller, campaign: &str) -> Vec<String> {
    t.start(owner, campaign).await;
    t.drain().await;
    assert_eq!(t.campaign(owner, campaign).await["state"], "completed");
    let mut numbers: Vec<_> = recipients(t, owner, campaign)
        .await
        .into_iter()
        .filter(|recipient| recipient["status"] != "excluded")
        .map(|recipient| text(&recipient["phone"]))
        .collect();
    numbers.sort_unstable();
    numbers
}

async fn recipients(t: &TestApp, owner: &Caller, campaign: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/campaigns/{campaign}/recipients?limit=100{cursor}");
        let page = owner.get(t, &path).await.expect(200);
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// How many were excluded, by the reason in words.
async fn exclusions(t: &TestApp, owner: &Caller, campaign: &str) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for recipient in recipients(t, owner, campaign).await {
        if recipient["status"] == "excluded" {
            *reasons.entry(text(&recipient["reason"])).or_default() += 1;
        }
    }
    reasons
}

fn phones(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    let mut phones: Vec<_> = numbers.into_iter().map(phone).collect();
    phones.sort_unstable();
    phones
}

#[tokio::test]
async fn groups_and_single_contacts_together_are_met_once_each() {
    let t = TestApp::new().await;
    let (owner, channel) = connected(&t).await;
    let (a, b) = (t.group(&owner, "A").await, t.group(&owner, "B").await);
    let mut ids = Vec::new();
    for n in 0..30 {
        let groups: &[&str] = match n {
            0..10 => &[&a],
            10..15 => &[&a, &b],
            15..20 => &[&b],
            _ => &[],
        };
        ids.push(resident(&t, &owner, n, "Bandung", groups).await);
    }
    // Somebody of a group, somebody of both, and two of none.
    let single = [&ids[3], &ids[12], &ids[22], &ids[25], &ids[25]];
    let audience = json!({"groups": [a, b], "contacts": single});
    let campaign = t.draft_for(&owner, &channel, audience).await;
    assert_eq!(
        sent_to(&t, &owner, &campaign).await,
        phones((0..20).chain([22, 25]))
    );
    assert_eq!(t.ledger().await["recipients_with_more_than_one"], 0);
    t.finish().await;
}

#[tokio::test]
async fn a_filter_narrows_what_is_named_and_alone_goes_through_all_contacts() {
    let t = TestApp::new().await;
    let (owner, channel) = connected(&t).await;
    let group = t.group(&owner, "A").await;
    let mut ids = Vec::new();
    for n in 0..24 {
        let city = if n % 3 == 0 { "Bandung" } else { "Jakarta" };
        let groups: &[&str] = if n < 12 { &[&group] } else { &[] };
        ids.push(resident(&t, &owner, n, city, groups).await);
    }
    let bandung = json!([{"attribute": "city", "is": "bandung"}]);
    let audience = json!({"groups": [group], "contacts": [ids[15], ids[16]], "filter": bandung});
    let campaign = t.draft_for(&owner, &channel, audience.clone()).await;
    assert_eq!(
        t.campaign(&owner, &campaign).await["audience"],
        audience,
        "what was given reads back"
    );
    assert_eq!(
        sent_to(&t, &owner, &campaign).await,
        phones([0, 3, 6, 9, 15])
    );
    let campaign = t
        .draft_for(&owner, &channel, json!({"filter": bandung}))
        .await;
    assert_eq!(
        sent_to(&t, &owner, &campaign).await,
        phones((0..24).filter(|n| n % 3 == 0))
    );
    // Whom a filter leaves out is not of the audience, so nobody is reported as excluded.
    assert_eq!(
        t.campaign(&owner, &campaign).await["statistics"]["recipients"],
        8
    );
    let nobody = json!({"filter": [{"field": "name", "contains": "nobody"}]});
    let campaign = t.draft_for(&owner, &channel, nobody).await;
    assert_eq!(sent_to(&t, &owner, &campaign).await, Vec::<String>::new());
    t.finish().await;
}

#[tokio::test]
async fn an_audience_names_every_field_that_does_not_fit() {
    let t = TestApp::new().await;
    let (owner, channel) = connected(&t).await;
    let template = t.template(&owner, "order_update").await;
    let group = t.group(&owner, "A").await;
    let fields = async |audience: Value| {
        let body = json!({"name": "x", "channel": channel, "template": template, "audience": audience, "variables": variables()});
        let problem = owner.post(&t, "/v1/campaigns", body).await.expect(422);
        let errors = problem["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| text(&error["field"]))
            .collect::<Vec<_>>()
    };
    let (no_group, no_contact) = (GroupId::fresh().to_string(), ContactId::fresh().to_string());
    assert_eq!(
        fields(json!({"groups": [group, no_group], "contacts": [no_contact]})).await,
        ["audience.groups.1", "audience.contacts.0"]
    );
    assert_eq!(
        fields(json!({"filter": [{"field": "name", "is": "x"}, {"field": "town", "is": "x"}]}))
            .await,
        ["audience.filter.1.field"]
    );
    assert_eq!(
        fields(json!({"campaign": CampaignId::fresh(), "outcome": "failed"})).await,
        ["audience.campaign"]
    );
    // What has the wrong shape is named by the reader.
    assert_eq!(
        fields(json!({"groups": ["customers"]})).await,
        ["audience.groups.0"]
    );
    assert_eq!(
        fields(json!({"filter": [{"field": "name", "equals": "x"}]})).await,
        ["audience.filter.0.equals"]
    );
    assert_eq!(fields(json!({"group": [group]})).await, ["audience.group"]);
    t.finish().await;
}

#[tokio::test]
async fn what_belongs_to_another_workspace_is_no_audience() {
    let t = TestApp::new().await;
    let (owner, channel) = connected(&t).await;
    let group = t.group(&owner, "A").await;
    let contact = resident(&t, &owner, 1, "Bandung", &[&group]).await;
    let campaign = t.draft(&owner, &channel, &[&group]).await;
    let stranger = t.owner("stranger").await;
    for (audience, field) in [
        (json!({"groups": [group]}), "audience.groups.0"),
        (json!({"contacts": [contact]}), "audience.contacts.0"),
        (
            json!({"campaign": campaign, "outcome": "failed"}),
            "audience.campaign",
        ),
    ] {
        let body = json!({"name": "x", "channel": channel, "template": "1", "audience": audience});
        let problem = stranger.post(&t, "/v1/campaigns", body).await.expect(422);
        let errors = problem["errors"].to_string();
        assert!(errors.contains(field), "{errors}");
    }
    t.finish().await;
}

#[tokio::test]
async fn whoever_is_left_out_is_a_row_with_its_reason() {
    let t = TestApp::new().await;
    let (owner, channel) = connected(&t).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(resident(&t, &owner, n, "Bandung", &[]).await);
    }
    let campaign = t
        .draft_for(&owner, &channel, json!({"contacts": ids}))
        .await;
    // After the draft one is deleted, one opts out, and one has a number that was valid once.
    let path = |id: &str| format!("/v1/contacts/{id}");
    owner.delete(&t, &path(&ids[0])).await.expect(204);
    owner
        .patch(&t, &path(&ids[1]), json!({"consent": "opted_out"}))
        .await
        .expect(200);
    let workspace: WorkspaceId = owner.workspace.parse().unwrap();
    let key = t
        .app
        .store
        .workspace(&workspace)
        .contact(&ids[2].parse().unwrap());
    let stale = Write::update(key).set("phone", "+62811").unwrap();
    assert!(t.app.store.write(stale).await.unwrap().yes());
    assert_eq!(sent_to(&t, &owner, &campaign).await, phones([3, 4]));
    let reasons = exclusions(&t, &owner, &campaign).await;
    assert_eq!(
        reasons.into_iter().collect::<Vec<_>>(),
        [
            ("The contact has opted out of messages.".to_owned(), 1),
            ("The contact was deleted.".to_owned(), 1),
            (
                "The contact's phone number is not a valid one.".to_owned(),
                1
            ),
        ]
    );
    t.finish().await;
}

/// A campaign whose every message failed with this code, and the number's owner.
async fn all_failed(t: &TestApp, contacts: u32) -> (Caller, String, String) {
    let (owner, channel) = connected(t).await;
    for n in 0..contacts {
        resident(t, &owner, n, "Bandung", &[]).await;
    }
    let everybody = json!({"filter": [{"field": "phone", "exists": true}]});
    let campaign = t.draft_for(&owner, &channel, everybody).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let figures = &t.campaign(&owner, &campaign).await["statistics"];
    assert_eq!(figures["failed"], contacts);
    (owner, channel, campaign)
}

fn failing(code: u32) -> simulator::Settings {
    let timing = simulator::Timing {
        fail_share: 1.0,
        fail_code: code,
        ..Default::default()
    };
    simulator::Settings {
        answer_latency_ms: 0,
        timing,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_failure_that_can_pass_is_tried_again_and_another_is_not() {
    for (code, again) in [(131_000, true), (131_026, false)] {
        let t = TestApp::with(failing(code)).await;
        let (owner, channel, failed) = all_failed(&t, 3).await;
        let retry = format!("/v1/campaigns/{failed}/retry");
        let draft = owner.post(&t, &retry, Value::Null).await.expect(201);
        assert_eq!(draft["name"], "A campaign (retry)");
        assert_eq!(draft["state"], "draft");
        assert_eq!(draft["channel"], channel);
        assert_eq!(draft["variables"], variables());
        let campaign = text(&draft["id"]);
        let preflight = format!("/v1/campaigns/{campaign}/preflight");
        let preflight = owner.post(&t, &preflight, Value::Null).await.expect(200);
        assert_eq!(preflight["messages"], if again { 3 } else { 0 });
        // A draft has no recipients that could be tried again.
        let retry = format!("/v1/campaigns/{campaign}/retry");
        let refused = owner.post(&t, &retry, Value::Null).await.expect(409);
        assert_eq!(refused["code"], "wrong_state");
        t.start(&owner, &campaign).await;
        t.drain().await;
        let figures = &t.campaign(&owner, &campaign).await["statistics"];
        let tried = if again { 3 } else { 0 };
        assert_eq!(
            (&figures["recipients"], &figures["excluded"]),
            (&json!(3), &json!(3 - tried)),
            "{code}"
        );
        assert_eq!(t.ledger().await["accepted"], 3 + tried);
        let reasons = exclusions(&t, &owner, &campaign).await;
        if !again {
            let reason = "The message failed for a reason that sending it again does not change.";
            assert_eq!(reasons, BTreeMap::from([(reason.to_owned(), 3)]));
        }
        t.finish().await;
    }
}

#[tokio::test]
async fn who_gets_many_marketing_messages_is_left_alone_for_a_day() {
    let t = TestApp::with(failing(131_049)).await;
    let (owner, channel, failed) = all_failed(&t, 2).await;
    let audience = json!({"campaign": failed, "outcome": "failed"});
    let early = t.draft_for(&owner, &channel, audience.clone()).await;
    t.advance(SignedDuration::from_hours(23));
    t.start(&owner, &early).await;
    t.drain().await;
    assert_eq!(
        t.campaign(&owner, &early).await["statistics"]["excluded"],
        2
    );
    assert_eq!(t.ledger().await["accepted"], 2);
    t.advance(SignedDuration::from_hours(2));
    let later = t.draft_for(&owner, &channel, audience).await;
    t.start(&owner, &later).await;
    t.drain().await;
    assert_eq!(
        t.campaign(&owner, &later).await["statistics"]["excluded"],
        0
    );
    assert_eq!(t.ledger().await["accepted"], 4);
    t.finish().await;
}

#[tokio::test]
async fn every_kind_of_audience_is_planned_once_however_often_a_step_is_repeated() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let (owner, channel) = connected(&t).await;
    let mut file = "name,phone,company,city,groups\n".to_owned();
    for n in 0..350 {
        file.push_str(&format!("Person {n},{},Toko,Bandung,All\n", phone(n)));
    }
    t.import(&owner, file.as_bytes(), json!({})).await;
    let group = text(&owner.get(&t, "/v1/groups").await.expect(200)["items"][0]["id"]);
    let page = owner.get(&t, "/v1/contacts?limit=100").await.expect(200);
    let contacts: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| text(&c["id"]))
        .collect();
    let everybody = json!({"filter": [{"attribute": "city", "is": "Bandung"}]});
    for (audience, expected) in [
        (json!({"groups": [group], "contacts": contacts}), 350),
        (json!({"contacts": contacts}), 100),
        (everybody, 350),
    ] {
        let campaign = t.draft_for(&owner, &channel, audience).await;
        t.start(&owner, &campaign).await;
        // Each write takes nine seconds, so a step plans three chunks and hands over.
        store.write_millis.store(9_000, Ordering::Relaxed);
        let mut steps = 0;
        while t.campaign(&owner, &campaign).await["state"] == "preparing" {
            // Every step is delivered again once it was done.
            repeat(&t, &owner, &campaign).await;
            t.run_once(QueueName::CampaignPlan).await;
            steps += 1;
            assert!(steps < 20, "planning does not end");
        }
        store.write_millis.store(0, Ordering::Relaxed);
        repeat(&t, &owner, &campaign).await;
        t.drain().await;
        let figures = &t.campaign(&owner, &campaign).await["statistics"];
        assert_eq!(figures["recipients"], expected);
        let recipients = recipients(&t, &owner, &campaign).await;
        let distinct: std::collections::HashSet<_> =
            recipients.iter().map(|r| text(&r["contact"])).collect();
        assert_eq!((recipients.len(), distinct.len()), (expected, expected));
    }
    t.finish().await;
}

/// Queues the planning of a campaign once more.
async fn repeat(t: &TestApp, owner: &Caller, campaign: &str) {
    let task = app::task::CampaignPlan {
        workspace: owner.workspace.parse().unwrap(),
        campaign: campaign.parse().unwrap(),
        epoch: 1,
    };
    t.app
        .enqueue(&task, std::time::Duration::ZERO)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_filter_that_finds_nobody_for_long_hands_over_in_time() {
    let store = Arc::new(Store::default());
    let t = TestApp::with_store(&store).await;
    let (owner, channel) = connected(&t).await;
    for n in 0..40 {
        resident(&t, &owner, n, "Jakarta", &[]).await;
    }
    let nobody = json!({"filter": [{"attribute": "city", "is": "Bandung"}]});
    let campaign = t.draft_for(&owner, &channel, nobody).await;
    t.start(&owner, &campaign).await;
    store.read_millis.store(4_000, Ordering::Relaxed);
    t.run_once(QueueName::CampaignPlan).await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "preparing");
    let stats = t.queue.stats(QueueName::CampaignPlan).await.unwrap();
    assert_eq!(stats.ready, 1, "the step handed over");
    let mut steps = 0;
    while t.campaign(&owner, &campaign).await["state"] == "preparing" {
        t.run_once(QueueName::CampaignPlan).await;
        steps += 1;
        assert!(
            (1..20).contains(&steps),
            "each step goes on where the last one ended"
        );
    }
    store.read_millis.store(0, Ordering::Relaxed);
    t.drain().await;
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    t.finish().await;
}

#[tokio::test]
async fn a_follow_up_goes_to_those_who_replied_and_still_want_messages() {
    let t = TestApp::quiet().await;
    let (owner, channel) = connected(&t).await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(resident(&t, &owner, n, "Bandung", &[]).await);
    }
    let campaign = t
        .draft_for(&owner, &channel, json!({"contacts": ids}))
        .await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    t.advance(SignedDuration::from_mins(5));
    let at = t.app.now().as_second();
    let replies = [
        said(&phone(1), "wamid.r1", at, "Yes, please"),
        said(&phone(4), "wamid.r2", at, "How much?"),
        said(&phone(4), "wamid.r3", at, "Hello?"),
        said(&phone(5), "wamid.r4", at, "stop"),
    ];
    t.hears(&replies).await;
    let path = format!("/v1/campaigns/{campaign}/follow-up");
    let same = owner.post(&t, &path, Value::Null).await.expect(201);
    assert_eq!(same["name"], "A campaign (follow-up)");
    assert_eq!(
        same["audience"],
        json!({"campaign": campaign, "outcome": "replied"})
    );
    assert_eq!(
        sent_to(&t, &owner, &text(&same["id"])).await,
        phones([1, 4])
    );
    let reasons = exclusions(&t, &owner, &text(&same["id"])).await;
    let opted_out = "The contact has opted out of messages.".to_owned();
    assert_eq!(reasons, BTreeMap::from([(opted_out, 1)]));

    // Another template takes variables of its own.
    let template = t.template(&owner, "welcome_named").await;
    let body = json!({"name": "Welcome", "template": template});
    let problem = owner.post(&t, &path, body.clone()).await.expect(422);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let mut body = body;
    body["variables"] = json!({"body.first_name": {"from": "text", "value": "friend"},
        "body.city": {"from": "attribute", "key": "city"}});
    let other = owner.post(&t, &path, body).await.expect(201);
    assert_eq!(
        (&other["name"], &other["template"]["name"]),
        (&json!("Welcome"), &json!("welcome_named"))
    );
    t.finish().await;
}
