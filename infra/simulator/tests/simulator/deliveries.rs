//! Webhooks: signed, complete, repeated until they are heard, and not lost by a restart.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use simulator::{Channel, Settings, signature, universe};

use crate::world::{ManualTime, START_MS, World, settings, text, value};

fn with_data(message: Value, data: &str) -> Value {
    let mut message = message;
    message["biz_opaque_callback_data"] = json!(data);
    message
}

#[tokio::test]
async fn the_signature_is_over_the_bytes_that_arrive() {
    let world = World::with_callback(settings()).await;
    let data = "t1:a/b \u{1f389} é";
    world
        .send(with_data(text("+6281200000001", "hi"), data))
        .await;
    let inbound =
        json!({"from": "6281200000002", "name": "Zoë \u{1f600}", "text": "Hello \u{1f44b}/"});
    let (status, _) = world.call("POST", "/_control/inbound", Some(inbound)).await;
    assert_eq!(status, 200);
    world.drain().await;
    let told = world.told();
    assert!(told.len() >= 2);
    for told in &told {
        assert_eq!(
            told.signature,
            Some(signature("simulated-app-secret", &told.body))
        );
        assert!(told.body.is_ascii());
    }
    let inbound = value(&told[0]);
    assert_eq!(
        inbound["metadata"],
        json!({"display_phone_number": "15550100001", "phone_number_id": universe::NUMBER})
    );
    assert_eq!(
        inbound["contacts"],
        json!([{"profile": {"name": "Zoë \u{1f600}"}, "wa_id": "6281200000002"}])
    );
    assert_eq!(inbound["messages"][0]["text"]["body"], "Hello \u{1f44b}/");
    assert_eq!(
        inbound["messages"][0]["timestamp"],
        (START_MS / 1000).to_string()
    );
    assert!(
        world
            .statuses()
            .iter()
            .all(|(_, status)| status["biz_opaque_callback_data"] == data)
    );
}

#[tokio::test]
async fn every_accepted_message_reaches_its_last_status_within_fifteen_seconds() {
    let mut settings = Settings {
        outside_window: Channel::Off,
        ..Settings::default()
    };
    settings.limits.insert(universe::NUMBER.into(), 1000);
    settings.timing.fail_share = 0.1;
    let world = World::with_callback(settings).await;
    let people: Vec<_> = (0..300).map(|person| format!("62812{person:07}")).collect();
    let sends = people
        .iter()
        .map(|to| world.send(text(&format!("+{to}"), "hi")));
    let (answers, ()) = tokio::join!(futures::future::join_all(sends), async {
        tokio::task::yield_now().await;
        world.drain().await;
    });
    assert!(answers.iter().all(|(status, _)| *status == 200));

    let mut seen: HashMap<String, BTreeMap<String, i64>> = HashMap::new();
    for (at_ms, status) in world.statuses() {
        // The answer is 1.2 seconds after the request, and nothing is told before it.
        assert!(
            (START_MS + 1200..=START_MS + 15_000).contains(&at_ms),
            "{at_ms}"
        );
        let stamp: i64 = status["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(stamp * 1000 <= at_ms && at_ms - stamp * 1000 < 1300);
        let name = status["status"].as_str().unwrap();
        assert_eq!(
            status.get("pricing").is_some(),
            matches!(name, "sent" | "delivered")
        );
        assert_eq!(status.get("errors").is_some(), name == "failed");
        let steps = seen
            .entry(status["recipient_id"].as_str().unwrap().into())
            .or_default();
        assert!(steps.insert(name.into(), at_ms).is_none(), "told twice");
    }
    assert_eq!(seen.len(), people.len());
    for steps in seen.values() {
        let names: Vec<_> = steps.keys().map(String::as_str).collect();
        assert!(
            matches!(
                names[..],
                ["failed"] | ["delivered", "sent"] | ["delivered", "read", "sent"]
            ),
            "{names:?}"
        );
    }
    let batches = world.told();
    assert!(
        batches
            .iter()
            .all(|told| value(told)["statuses"].as_array().unwrap().len() <= 50)
    );
    assert!(batches.len() < world.statuses().len());
    let report = world.report().await;
    let statuses = &report["statuses"];
    assert_eq!(statuses["sent"], statuses["delivered"]);
    assert_eq!(
        statuses["sent"].as_u64().unwrap() + statuses["failed"].as_u64().unwrap(),
        300
    );
    assert_eq!(report["webhooks"]["waiting"], 0);
}

#[tokio::test]
async fn a_webhook_that_was_not_heard_is_repeated_byte_for_byte() {
    let mut settings = settings();
    settings.timing.fail_share = 1.0;
    let world = World::with_callback(settings).await;
    world
        .callback
        .answers
        .lock()
        .unwrap()
        .extend([500, 503, 302]);
    world.send(text("+6281200000001", "hi")).await;
    world.drain().await;
    let told = world.told();
    assert_eq!(told.len(), 4);
    assert!(
        told.iter()
            .all(|again| again.body == told[0].body && again.signature == told[0].signature)
    );
    let waits: Vec<_> = told
        .windows(2)
        .map(|pair| pair[1].at_ms - pair[0].at_ms)
        .collect();
    assert_eq!(waits, [0, 10_000, 30_000]);
    let failed = value(&told[3]);
    assert!(failed.get("contacts").is_none());
    assert_eq!(failed["statuses"][0]["errors"][0]["code"], 131_026);
    assert_eq!(
        world.report().await["webhooks"],
        json!({"posts": 4, "retries": 3, "duplicates": 0, "waiting": 0, "undelivered": 0})
    );
}

#[tokio::test]
async fn a_callback_that_does_not_answer_in_time_is_told_again() {
    let world = World::with_callback(settings()).await;
    let silence = crate::world::NEVER;
    world.callback.answers.lock().unwrap().push_back(silence);
    let said = json!({"from": "6281200000001", "text": "Hi"});
    world.control("POST", "inbound", said).await;
    while world.told().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    world.time.advance_us(9_999_000);
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(world.told().len(), 1);
    world.time.advance_us(1000);
    world.drain().await;
    let told = world.told();
    assert_eq!(told.len(), 2, "at once after ten seconds");
    assert_eq!(told[0].body, told[1].body);
    assert_eq!(world.report().await["webhooks"]["retries"], 1);
}

#[tokio::test]
async fn an_inbound_message_may_be_told_twice_as_well() {
    let mut settings = settings();
    settings.disorder.duplicate_share = 1.0;
    let world = World::with_callback(settings).await;
    let said = json!({"from": "6281200000001", "text": "Hi"});
    world.control("POST", "inbound", said).await;
    world.drain().await;
    let told = world.told();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].body, told[1].body);
    assert_eq!(world.report().await["inbound"], 1, "it was written once");
}

#[tokio::test]
async fn what_was_pending_is_delivered_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings.timing.read_share = 1.0;
    settings.data = Some(folder.path().join("simulator.db"));
    let time = ManualTime::new();

    let first = World::at(
        time.clone(),
        Settings {
            webhook_url: "here".into(),
            ..settings.clone()
        },
    )
    .await;
    first.callback.answers.lock().unwrap().extend([500; 4]);
    for person in 0..5 {
        first
            .send(text(&format!("+62812000000{person}"), "hi"))
            .await;
    }
    first.send(text("nobody", "hi")).await;
    first
        .call(
            "POST",
            "/_control/inbound",
            Some(json!({"from": "6281200000009", "text": "Hi"})),
        )
        .await;
    first.rest().await;
    time.advance_us(1_200_000);
    first.rest().await;
    // The inbound message and the first batch were tried twice each, and nobody heard them.
    let unheard = first.told();
    assert_eq!(unheard.len(), 4);
    let before = first.report().await;
    first.simulator.stop().await;

    let second = World::at(
        time,
        Settings {
            webhook_url: "here".into(),
            ..settings
        },
    )
    .await;
    assert_eq!(second.report().await["accepted"], before["accepted"]);
    assert_eq!(second.report().await["refused"], json!({"131009": 1}));
    second.drain().await;
    let bodies: Vec<_> = second.told().iter().map(|told| told.body.clone()).collect();
    assert!(unheard.iter().all(|told| bodies.contains(&told.body)));
    let statuses = second.statuses();
    assert_eq!(
        statuses.len(),
        15,
        "three steps of five messages, each once"
    );
    assert_eq!(
        second.report().await["statuses"],
        json!({"sent": 5, "delivered": 5, "read": 5, "played": 0, "failed": 0})
    );
    // The next message of a known recipient counts on.
    second.send(text("+628120000000", "hi")).await;
    assert_eq!(second.report().await["recipients_with_more_than_one"], 1);
}

#[tokio::test]
async fn a_callback_is_used_once_it_has_proved_itself() {
    let mut alone = settings();
    alone.webhooks.batch = 1;
    let world = World::new(alone).await;
    world.send(text("+6281200000001", "hi")).await;
    world.time.advance_us(20_000_000);
    world.rest().await;
    assert!(world.told().is_empty());
    assert!(world.simulator.activity().undelivered > 0);

    let wrong = json!({"callback_url": world.url, "verify_token": "wrong"});
    assert_eq!(
        world
            .call("POST", "/_control/subscribe", Some(wrong))
            .await
            .0,
        400
    );
    let right = json!({"callback_url": world.url, "verify_token": "right"});
    assert_eq!(
        world
            .call("POST", "/_control/subscribe", Some(right))
            .await
            .0,
        200
    );
    world.drain().await;
    let told = world.told();
    assert_eq!(
        told.len(),
        world.statuses().len(),
        "one status in each call"
    );
}

#[tokio::test]
async fn the_fate_of_a_message_does_not_depend_on_the_order_of_arrival() {
    let mut fates = Vec::new();
    for reversed in [false, true] {
        let world = World::with_callback(settings()).await;
        let mut people: Vec<_> = (0..40).map(|person| format!("62812{person:07}")).collect();
        if reversed {
            people.reverse();
        }
        for to in &people {
            world.send(text(&format!("+{to}"), "hi")).await;
        }
        world.drain().await;
        let told: BTreeMap<_, _> = world
            .statuses()
            .iter()
            .map(|(_, status)| {
                let step = (
                    status["recipient_id"].to_string(),
                    status["status"].to_string(),
                );
                (step, status["timestamp"].to_string())
            })
            .collect();
        fates.push(told);
    }
    assert_eq!(fates[0], fates[1]);
}

#[tokio::test]
async fn nothing_is_told_of_an_account_the_app_has_left() {
    let world = World::with_callback(settings()).await;
    let edge = format!("/v26.0/{}/subscribed_apps", universe::WABA);
    world.call("DELETE", &edge, None).await;
    world.send(text("+6281200000001", "hi")).await;
    world.drain().await;
    assert!(world.told().is_empty());
}
