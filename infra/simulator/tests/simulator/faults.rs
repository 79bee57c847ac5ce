//! Rules and magic recipients: every effect, and who hears what of it.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Settings, universe};
use tokio::net::TcpListener;

use crate::world::{START_MS, World, code, hello, settings, text};

/// A client of the simulator over a real connection.
struct Wire {
    url: String,
    client: reqwest::Client,
}

impl Wire {
    async fn to(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap();
        tokio::spawn(world.simulator.serve(listener));
        Self {
            url: format!("http://{host}/v26.0/{}/messages", universe::NUMBER),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    async fn send(&self, message: &Value) -> reqwest::Result<(u16, String)> {
        let request = self
            .client
            .post(&self.url)
            .bearer_auth("simulated-token")
            .json(message);
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}

#[tokio::test]
async fn a_rule_refuses_what_it_matches_with_the_code_and_status_it_names() {
    let world = World::new(settings()).await;
    let effect = json!({"error": {"code": 130429, "http": 429}});
    let id = world.rule(json!({"recipient_suffix": "01"}), effect).await;
    let usual = json!({"error": {"code": 131016}});
    world.rule(json!({"template": "hello_world"}), usual).await;
    let refused = world.send(text("6281200000001", "hi")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (429, 130_429));
    let refused = world.send(hello("6281200000002")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (500, 131_016));
    assert_eq!(world.send(text("6281200000002", "hi")).await.0, 200);
    let listed = world.call("GET", "/_control/rules", None).await.1;
    assert_eq!(listed["data"][0]["applied"], 1);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);

    world
        .call("DELETE", &format!("/_control/rules/{id}"), None)
        .await;
    assert_eq!(world.send(text("6281200000001", "hi")).await.0, 200);
    world.call("DELETE", "/_control/rules", None).await;
    assert_eq!(world.send(hello("6281200000002")).await.0, 200);
    let gone = world
        .call("DELETE", &format!("/_control/rules/{id}"), None)
        .await;
    assert_eq!(gone.0, 400);
    let report = world.report().await;
    assert_eq!(report["refused"], json!({"130429": 1, "131016": 1}));
}

#[tokio::test]
async fn what_a_rule_refuses_uses_up_no_throughput() {
    let mut settings = settings();
    settings.limits.insert(universe::NUMBER.into(), 1);
    let world = World::new(settings).await;
    let effect = json!({"error": {"code": 131000}});
    world.rule(json!({"times": 3}), effect).await;
    for _ in 0..3 {
        assert_eq!(
            code(&world.send(text("6281200000001", "hi")).await),
            131_000
        );
    }
    assert_eq!(world.send(text("6281200000001", "hi")).await.0, 200);
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused() {
    let world = World::new(settings()).await;
    let cases = [
        json!({"effect": {"explode": {}}}),
        json!({"match": {"colour": "red"}, "effect": {"silent": {}}}),
        json!({"match": {"probability": 2.0}, "effect": {"silent": {}}}),
        json!({"match": {"nth": 0}, "effect": {"silent": {}}}),
        json!({"match": {"recipient": "+62"}, "effect": {"silent": {}}}),
        json!({"effect": {"error": {"code": 1, "http": 200}}}),
        json!({"match": {}}),
    ];
    for case in cases {
        let (status, answer) = world
            .call("POST", "/_control/rules", Some(case.clone()))
            .await;
        assert_eq!(status, 400, "{case}");
        assert!(answer["error"].is_string());
    }
}

#[tokio::test]
async fn a_message_fails_later_with_the_code_and_at_the_instant_of_its_rule() {
    let world = World::with_callback(settings()).await;
    let effect = json!({"failed": {"code": 131049, "delay_ms": 7000}});
    world
        .rule(json!({"recipient": "6281200000001"}), effect)
        .await;
    assert_eq!(world.send(hello("6281200000001")).await.0, 200);
    world.drain().await;
    let statuses = world.statuses();
    let (at_ms, status) = &statuses[0];
    assert_eq!(statuses.len(), 1);
    assert_eq!(status["errors"][0]["code"], 131_049);
    assert_eq!(*at_ms, START_MS + 7250, "the delay and the gathering");
}

#[tokio::test]
async fn a_silent_message_is_in_the_ledger_and_nobody_hears_of_it() {
    let world = World::with_callback(settings()).await;
    world.rule(json!({}), json!({"silent": {}})).await;
    world.send(hello("6281200000001")).await;
    world.drain().await;
    assert!(world.told().is_empty());
    let report = world.report().await;
    assert_eq!(report["accepted"], 1);
    assert_eq!(report["latest"], json!({"accepted": 1}));
}

#[tokio::test]
async fn a_held_message_is_released_or_dropped() {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    let world = World::with_callback(settings).await;
    for (suffix, then) in [("1", "release"), ("2", "drop")] {
        let held = json!({"held": {"then": then, "after_ms": 60_000}});
        world.rule(json!({"recipient_suffix": suffix}), held).await;
    }
    for to in ["6281200000001", "6281200000002"] {
        let (_, answer) = world.send(hello(to)).await;
        let status = &answer["messages"][0]["message_status"];
        assert_eq!(status, "held_for_quality_assessment");
    }
    world.drain().await;
    let statuses = world.statuses();
    assert!(
        statuses
            .iter()
            .all(|(at_ms, _)| *at_ms >= START_MS + 60_000)
    );
    let failed: Vec<_> = statuses
        .iter()
        .filter(|(_, status)| status["status"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].1["recipient_id"], "6281200000002");
    assert_eq!(failed[0].1["errors"][0]["code"], 132_015);
}

#[tokio::test]
async fn an_error_page_is_not_json_and_says_nothing_of_what_was_accepted() {
    let world = World::new(settings()).await;
    let wire = Wire::to(&world).await;
    for (accepted, count) in [(false, 0), (true, 1)] {
        let effect = json!({"html_500": {"accepted": accepted}});
        world.rule(json!({"times": 1}), effect).await;
        let (status, body) = wire.send(&hello("6281200000001")).await.unwrap();
        assert_eq!(status, 500);
        assert!(body.starts_with("<!DOCTYPE html>"), "{body}");
        assert_eq!(world.report().await["accepted"], count);
    }
    assert_eq!(world.report().await["refused"], json!({"html_500": 1}));
}

#[tokio::test]
async fn a_cut_connection_leaves_the_client_in_doubt() {
    let world = World::new(settings()).await;
    let wire = Wire::to(&world).await;
    for (accepted, count) in [(false, 0), (true, 1)] {
        let effect = json!({"reset": {"accepted": accepted}});
        world.rule(json!({"times": 1}), effect).await;
        let error = wire.send(&hello("6281200000001")).await.unwrap_err();
        assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
        assert_eq!(world.report().await["accepted"], count);
    }
    assert_eq!(wire.send(&hello("6281200000001")).await.unwrap().0, 200);
    assert_eq!(world.report().await["refused"], json!({"reset": 1}));
}

#[tokio::test]
async fn a_call_without_an_answer_waits_and_is_cut_off() {
    let world = World::new(settings()).await;
    let wire = Wire::to(&world).await;
    for (accepted, count) in [(false, 0), (true, 1)] {
        let effect = json!({"timeout": {"accepted": accepted}});
        world.rule(json!({"times": 1}), effect).await;
        let message = hello("6281200000001");
        let mut call = std::pin::pin!(wire.send(&message));
        // The call is at rest: it waits for an instant that only the clock brings.
        loop {
            assert!(futures::poll!(call.as_mut()).is_pending());
            if world.simulator.activity().requests_waiting == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(world.simulator.activity().requests_running, 0);
        assert_eq!(world.report().await["accepted"], count);
        world.time.advance_us(60_000_000);
        assert!(call.await.is_err());
    }
}

#[tokio::test]
async fn a_simulator_stops_although_a_call_has_no_answer() {
    let world = World::new(settings()).await;
    let wire = Wire::to(&world).await;
    let effect = json!({"timeout": {"accepted": true}});
    world.rule(json!({}), effect).await;
    let call = tokio::spawn(async move { wire.send(&hello("6281200000001")).await.is_err() });
    while world.simulator.activity().requests_waiting == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.simulator.stop().await;
    assert!(call.await.unwrap());
}

#[tokio::test]
async fn half_an_answer_cannot_be_read() {
    let world = World::new(settings()).await;
    let wire = Wire::to(&world).await;
    for (accepted, count) in [(false, 0), (true, 1)] {
        let effect = json!({"truncated": {"accepted": accepted}});
        world.rule(json!({"times": 1}), effect).await;
        let (status, body) = wire.send(&hello("6281200000001")).await.unwrap();
        assert_eq!(status, 200);
        assert!(body.starts_with('{'));
        assert!(serde_json::from_str::<Value>(&body).is_err());
        assert_eq!(world.report().await["accepted"], count);
    }
}

#[tokio::test]
async fn a_slow_answer_comes_whole_in_the_end() {
    let world = World::new(settings()).await;
    let wire = Wire::to(&world).await;
    world
        .rule(json!({}), json!({"slow_body": {"ms": 5000}}))
        .await;
    let call = tokio::spawn(async move { wire.send(&hello("6281200000001")).await });
    while world.simulator.activity().requests_waiting == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.rest().await;
    assert!(!call.is_finished());
    world.time.advance_us(5_000_000);
    let (status, body) = call.await.unwrap().unwrap();
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &answer["messaging_product"]),
        (200, &json!("whatsapp"))
    );
    assert_eq!(world.simulator.activity().requests_waiting, 0);
}

#[tokio::test]
async fn the_last_digits_of_a_recipient_choose_a_scenario_where_that_is_on() {
    let refused = "6281200009913";
    let world = World::new(settings()).await;
    assert_eq!(world.send(hello(refused)).await.0, 200);

    let world = World::new(Settings {
        magic_recipients: true,
        ..settings()
    })
    .await;
    let answer = world.send(hello(refused)).await;
    assert_eq!((answer.0.as_u16(), code(&answer)), (500, 131_000));
    assert_eq!(world.send(hello("6281200009900")).await.0, 200);
    let (_, scenarios) = world.call("GET", "/_control/scenarios", None).await;
    assert_eq!(scenarios["on"], true);
    let lines = scenarios["data"].as_array().unwrap();
    let mut digits: Vec<_> = lines.iter().map(|line| line["digits"].as_str()).collect();
    digits.dedup();
    assert_eq!(digits.len(), lines.len());
    assert!(
        digits
            .iter()
            .all(|digits| digits.unwrap().starts_with("99"))
    );
}

#[tokio::test]
async fn a_run_with_the_same_seed_meets_the_same_faults() {
    let mut runs = Vec::new();
    for (seed, reversed) in [(1, false), (1, true), (2, false)] {
        let mut settings = settings();
        settings.seed = seed;
        let world = World::with_callback(settings).await;
        let refuse = json!({"error": {"code": 131000}});
        world.rule(json!({"probability": 0.2}), refuse).await;
        let fail = json!({"failed": {"code": 131049}});
        world.rule(json!({"probability": 0.2}), fail).await;
        let mut people: Vec<_> = (0..60).map(|person| format!("62812{person:07}")).collect();
        if reversed {
            people.reverse();
        }
        let mut outcomes = Vec::new();
        for to in people {
            outcomes.push((to.clone(), code(&world.send(hello(&to)).await)));
        }
        world.drain().await;
        outcomes.extend(world.statuses().iter().map(|(_, status)| {
            let to = status["recipient_id"].as_str().unwrap().to_owned();
            (to, status["errors"][0]["code"].as_u64().unwrap_or(0))
        }));
        outcomes.sort();
        runs.push(outcomes);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
