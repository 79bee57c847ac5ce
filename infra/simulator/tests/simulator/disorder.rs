//! What webhooks suffer on their way: told twice, overtaken, skipped, early, late, badly signed.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use simulator::{Settings, signature};

use crate::world::{START_MS, World, hello, settings, value};

async fn send_to_many(world: &World, count: usize) {
    for person in 0..count {
        let answer = world.send(hello(&format!("62812{person:07}"))).await;
        assert_eq!(answer.0, 200);
        world.time.advance_us(20_000);
    }
}

fn calm() -> Settings {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings.timing.read_share = 1.0;
    settings.webhooks.batch = 1;
    settings
}

/// The names of the statuses in the order they came, by message.
fn by_message(world: &World) -> HashMap<String, Vec<String>> {
    let mut messages: HashMap<String, Vec<String>> = HashMap::new();
    for (_, status) in world.statuses() {
        let name = status["status"].as_str().unwrap().to_owned();
        let id = status["id"].as_str().unwrap().to_owned();
        messages.entry(id).or_default().push(name);
    }
    messages
}

#[tokio::test]
async fn a_share_of_statuses_is_told_twice_word_for_word() {
    let mut settings = calm();
    settings.disorder.duplicate_share = 0.2;
    let world = World::with_callback(settings).await;
    send_to_many(&world, 100).await;
    world.drain().await;
    let mut told: HashMap<String, u32> = HashMap::new();
    for (_, status) in world.statuses() {
        *told.entry(status.to_string()).or_default() += 1;
    }
    assert_eq!(told.len(), 300);
    let twice = told.values().filter(|count| **count == 2).count();
    assert!((35..85).contains(&twice), "{twice} of 300");
    assert!(told.values().all(|count| *count <= 2));
    let report = world.report().await;
    assert_eq!(report["statuses"]["delivered"], 100);
    assert_eq!(report["webhooks"]["duplicates"], twice);
    assert_eq!(report["webhooks"]["posts"], 300 + twice);
}

#[tokio::test]
async fn a_share_of_statuses_is_overtaken_and_keeps_its_timestamp() {
    let mut settings = calm();
    settings.disorder.shuffle_share = 0.3;
    let world = World::with_callback(settings).await;
    send_to_many(&world, 100).await;
    world.drain().await;
    let order = ["sent", "delivered", "read"];
    let messages = by_message(&world);
    let in_order = messages.values().filter(|names| **names == order).count();
    assert!(in_order < 90, "{in_order} of 100 in order");
    assert!(messages.values().all(|names| names.len() == 3));
    let late = world
        .statuses()
        .iter()
        .filter(|(at_ms, status)| {
            let stamp: i64 = status["timestamp"].as_str().unwrap().parse().unwrap();
            at_ms - stamp * 1000 >= 2000
        })
        .count();
    assert!(late > 30, "{late} of 300 were held back");
}

#[tokio::test]
async fn a_read_may_come_without_its_delivery() {
    let mut settings = calm();
    settings.disorder.skip_delivered_share = 0.5;
    let world = World::with_callback(settings).await;
    send_to_many(&world, 100).await;
    world.drain().await;
    let skipped = by_message(&world)
        .values()
        .filter(|names| **names == ["sent", "read"])
        .count();
    assert!((35..65).contains(&skipped), "{skipped} of 100");
    // Every message has its price twice: when it was sent, and when it is known to be there.
    let priced = world
        .statuses()
        .iter()
        .filter(|(_, status)| status.get("pricing").is_some())
        .count();
    assert_eq!(priced, 200);
}

#[tokio::test]
async fn a_status_may_come_before_the_answer_of_its_send() {
    let mut settings = calm();
    settings.disorder.early_share = 1.0;
    settings.answer_latency_ms = 1200;
    let world = World::with_callback(settings).await;
    let mut send = std::pin::pin!(world.send(hello("6281200000001")));
    assert!(futures::poll!(send.as_mut()).is_pending());
    world.rest().await;
    world.time.advance_us(700_000);
    world.rest().await;
    let names = by_message(&world);
    assert_eq!(names.values().next().unwrap(), &["sent", "delivered"]);
    assert!(futures::poll!(send.as_mut()).is_pending());
    world.time.advance_us(500_000);
    let (_, answer) = send.await;
    assert!(names.contains_key(answer["messages"][0]["id"].as_str().unwrap()));
}

#[tokio::test]
async fn late_statuses_come_hours_later() {
    let mut settings = calm();
    settings.disorder.late_share = 1.0;
    settings.disorder.late_ms = (3_600_000, 7_200_000);
    let world = World::with_callback(settings).await;
    world.send(hello("6281200000001")).await;
    world.drain().await;
    let statuses = world.statuses();
    assert_eq!(statuses.len(), 3);
    assert!(
        statuses
            .iter()
            .all(|(at_ms, _)| *at_ms > START_MS + 3_600_000)
    );
}

#[tokio::test]
async fn a_failure_may_follow_what_was_sent() {
    let mut settings = calm();
    settings.timing.fail_share = 1.0;
    settings.timing.fail_after_sent_share = 1.0;
    let world = World::with_callback(settings).await;
    world.send(hello("6281200000001")).await;
    world.drain().await;
    let messages = by_message(&world);
    assert_eq!(messages.values().next().unwrap(), &["sent", "failed"]);
    assert_eq!(world.report().await["latest"], json!({"failed": 1}));
}

#[tokio::test]
async fn the_next_webhooks_are_signed_as_told() {
    let world = World::with_callback(calm()).await;
    let expected = |body: &[u8]| {
        [
            ("old", Some(signature("simulated-old-app-secret", body))),
            ("missing", None),
        ]
    };
    for (nth, kind) in ["old", "missing", "wrong"].into_iter().enumerate() {
        let odd = json!({"next": 1, "as": kind});
        world.control("POST", "signatures", odd).await;
        world.callback.answers.lock().unwrap().push_back(401);
        let said = json!({"from": "6281200000001", "text": format!("{nth}")});
        world.control("POST", "inbound", said).await;
        world.drain().await;
        let told = world.told();
        let (first, again) = (&told[told.len() - 2], &told[told.len() - 1]);
        let right = Some(signature("simulated-app-secret", &again.body));
        assert_eq!(first.body, again.body);
        assert_ne!(first.signature, right);
        assert_eq!(again.signature, right, "only the next one was signed so");
        for (known, signature) in expected(&first.body) {
            assert_eq!(first.signature == signature, known == kind);
        }
    }
}

#[tokio::test]
async fn a_webhook_is_given_up_after_a_week_of_growing_pauses() {
    let world = World::with_callback(calm()).await;
    let refusals = std::iter::repeat_n(500, 60);
    world.callback.answers.lock().unwrap().extend(refusals);
    let said = json!({"from": "6281200000001", "text": "Hi"});
    world.control("POST", "inbound", said).await;
    world.drain().await;
    let told = world.told();
    let waits: Vec<_> = told
        .windows(2)
        .map(|pair| (pair[1].at_ms - pair[0].at_ms) / 1000)
        .collect();
    assert_eq!(waits[..8], [0, 10, 30, 120, 600, 3600, 10_800, 21_600]);
    assert!(waits[8..].iter().all(|wait| *wait == 21_600));
    let week = 7 * 24 * 3_600_000;
    let lasted = told[told.len() - 1].at_ms - told[0].at_ms;
    assert!((week..week + 21_600_000).contains(&lasted), "{lasted}");
    assert!(told.len() < 60, "{}", told.len());
    assert_eq!(world.report().await["webhooks"]["waiting"], 0);
}

#[tokio::test]
async fn the_disorder_of_a_run_repeats_itself() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let mut settings = calm();
        settings.seed = seed;
        settings.disorder.duplicate_share = 0.2;
        settings.disorder.shuffle_share = 0.2;
        settings.disorder.skip_delivered_share = 0.2;
        let world = World::with_callback(settings).await;
        send_to_many(&world, 30).await;
        world.drain().await;
        let mut told: BTreeMap<i64, HashSet<String>> = BTreeMap::new();
        for call in world.told() {
            let statuses: Value = value(&call)["statuses"].clone();
            let at = told.entry(call.at_ms).or_default();
            at.insert(statuses.to_string());
        }
        runs.push(told);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
