//! What people do: they write, press buttons, quote, and answer campaigns.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulator::universe;

use crate::world::{ManualTime, World, hello, settings, text, value};

/// The messages the callback was told of, with the instants they came.
fn heard(world: &World) -> Vec<(i64, Value)> {
    let told = world.told();
    let heard = told.iter().flat_map(|told| {
        let messages = value(told)["messages"].as_array().cloned();
        let at_ms = told.at_ms;
        messages
            .unwrap_or_default()
            .into_iter()
            .map(move |message| (at_ms, message))
    });
    heard.collect()
}

#[tokio::test]
async fn a_person_presses_a_button_or_quotes_a_message() {
    let world = World::with_callback(settings()).await;
    let (_, answer) = world.send(hello("6281200000001")).await;
    let wamid = answer["messages"][0]["id"].clone();
    let from = "+62 812-0000-0001";
    let pressed =
        json!({"from": from, "context": wamid, "button": {"text": "Stop", "payload": "STOP:42"}});
    world.control("POST", "inbound", pressed).await;
    let plain = json!({"from": from, "context": wamid, "button": {"text": "Keep"}});
    world.control("POST", "inbound", plain).await;
    let quoted = json!({"from": from, "context": wamid, "text": "Yes"});
    let id = world.control("POST", "inbound", quoted).await["id"].clone();
    world.rest().await;
    let heard = heard(&world);
    let context = json!({"from": "15550100001", "id": wamid});
    assert_eq!(heard[0].1["type"], "button");
    assert_eq!(
        heard[0].1["button"],
        json!({"text": "Stop", "payload": "STOP:42"})
    );
    assert_eq!(heard[0].1["context"], context);
    assert_eq!(
        heard[1].1["button"],
        json!({"text": "Keep", "payload": "Keep"})
    );
    assert_eq!(heard[2].1["text"], json!({"body": "Yes"}));
    assert_eq!(heard[2].1["context"], context);
    assert_eq!(heard[2].1["id"], id);

    let lost = json!({"from": from, "button": {"text": "Stop"}});
    assert_eq!(
        world.call("POST", "/_control/inbound", Some(lost)).await.0,
        400
    );
    let nothing = json!({"from": from});
    assert_eq!(
        world
            .call("POST", "/_control/inbound", Some(nothing))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_share_of_people_answers_a_campaign_and_some_say_stop() {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings.replies.share = 0.3;
    settings.replies.stop_share = 0.5;
    settings.limits.insert(universe::NUMBER.into(), 1000);
    let world = World::with_callback(settings).await;
    for person in 0..200 {
        world.send(hello(&format!("62812{person:07}"))).await;
    }
    world.send(text("6281300000000", "not a campaign")).await;
    world.drain().await;
    let replies = heard(&world);
    assert!(
        (40..80).contains(&replies.len()),
        "{} of 200",
        replies.len()
    );
    let stops = replies
        .iter()
        .filter(|(_, reply)| reply["text"]["body"] == "STOP")
        .count();
    assert!((15..45).contains(&stops), "{stops} stops");
    let delivered: BTreeMap<_, _> = world
        .statuses()
        .into_iter()
        .filter(|(_, status)| status["status"] == "delivered")
        .map(|(_, status)| (status["recipient_id"].clone().to_string(), status))
        .collect();
    for (at_ms, reply) in &replies {
        let status = &delivered[&reply["from"].to_string()];
        let stamp: i64 = status["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(at_ms - stamp * 1000 >= 500, "after the delivery");
    }
    let report = world.report().await;
    assert_eq!(report["inbound"], replies.len());
    assert_eq!(
        report["numbers"][universe::NUMBER]["inbound"],
        replies.len()
    );
}

#[tokio::test]
async fn answers_use_throughput_at_the_instant_they_come() {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings.timing.sent_ms = (100, 100);
    settings.timing.delivered_ms = (100, 100);
    settings.replies.share = 1.0;
    settings.replies.after_ms = (800, 800);
    settings.limits.insert(universe::NUMBER.into(), 10);
    // Nobody is told of anything: people answer all the same.
    let world = World::new(settings).await;
    for person in 0..10 {
        assert_eq!(world.send(hello(&format!("62812{person:07}"))).await.0, 200);
    }
    world.time.advance_us(1_000_000);
    world.rest().await;
    let refused = world.send(hello("6281300000000")).await;
    assert_eq!(
        crate::world::code(&refused),
        130_429,
        "ten have just answered"
    );
    world.time.advance_us(1_000_000);
    assert_eq!(world.send(hello("6281300000000")).await.0, 200);
}

#[tokio::test]
async fn whoever_was_going_to_answer_still_does_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings.replies.share = 1.0;
    settings.replies.after_ms = (60_000, 60_000);
    settings.data = Some(folder.path().join("simulator.db"));
    settings.webhook_url = "here".into();
    let time = ManualTime::new();
    let first = World::at(time.clone(), settings.clone()).await;
    first.send(hello("6281200000001")).await;
    first.rest().await;
    first.simulator.stop().await;
    let second = World::at(time, settings).await;
    second.drain().await;
    assert_eq!(heard(&second).len(), 1);
    second.time.advance_us(600_000_000);
    second.drain().await;
    assert_eq!(heard(&second).len(), 1, "once");
}

#[tokio::test]
async fn who_got_what_is_listed_page_by_page() {
    let world = World::new(settings()).await;
    for person in 0..25 {
        let mut message = hello(&format!("62812{person:07}"));
        message["biz_opaque_callback_data"] = json!(format!("m{person}"));
        world.send(message).await;
        world.time.advance_us(100_000);
    }
    let (mut from, mut seen) = (Some(0), Vec::new());
    while let Some(first) = from {
        let path = format!("/_control/messages?from={first}&limit=10");
        let (_, page) = world.call("GET", &path, None).await;
        seen.extend(page["data"].as_array().unwrap().iter().cloned());
        from = page["next"].as_u64();
    }
    assert_eq!(seen.len(), 25);
    for (person, line) in seen.iter().enumerate() {
        assert_eq!(line["to"], format!("62812{person:07}"));
        assert_eq!(line["biz_opaque_callback_data"], format!("m{person}"));
        assert_eq!(line["status"], "accepted");
        assert!(line["id"].as_str().unwrap().starts_with("wamid."));
        assert!(line["arrived_us"].is_i64());
    }
    let (_, newest) = world.call("GET", "/_control/messages?limit=1", None).await;
    assert_eq!(newest["data"][0]["entry"], 24);
    assert_eq!(newest["next"], Value::Null);
}
