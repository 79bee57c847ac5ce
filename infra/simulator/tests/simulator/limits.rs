//! The limits: throughput with what comes in, pairs, portfolios and service windows.

use serde_json::{Value, json};
use simulator::{Channel, Settings, Tier, universe};

use crate::world::{ManualTime, World, code, hello, settings, text};

const HOUR_US: i64 = 3_600_000_000;

async fn hears(world: &World, from: &str) {
    world
        .control("POST", "inbound", json!({"from": from, "text": "Hi"}))
        .await;
}

/// The codes of the messages that failed, by recipient.
fn failures(world: &World) -> Vec<(String, u64)> {
    let mut failed: Vec<_> = world
        .statuses()
        .iter()
        .filter(|(_, status)| status["status"] == "failed")
        .map(|(_, status)| {
            let code = status["errors"][0]["code"].as_u64().unwrap();
            (status["recipient_id"].as_str().unwrap().to_owned(), code)
        })
        .collect();
    failed.sort();
    failed
}

fn never_failing() -> Settings {
    let mut settings = settings();
    settings.timing.fail_share = 0.0;
    settings
}

#[tokio::test]
async fn what_comes_in_leaves_less_room_for_what_goes_out() {
    for (limit, level) in [(20, "STANDARD"), (80, "STANDARD"), (1000, "HIGH")] {
        let mut settings = settings();
        settings.limits.insert(universe::NUMBER.into(), limit);
        let world = World::new(settings).await;
        for person in 0..5 {
            hears(&world, &format!("62813{person:07}")).await;
        }
        let mut refused = 0;
        for person in 0..limit {
            let answer = world.send(text(&format!("62812{person:07}"), "hi")).await;
            refused += u32::from(code(&answer) == 130_429);
        }
        assert_eq!(refused, 5, "of {limit} messages beside five that came in");
        let spare = text("628120000001", "hi");
        let other = world.send_from(universe::SPARE_NUMBER, spare).await;
        assert_eq!(other.0, 200, "another number has its own throughput");
        world.time.advance_us(1_000_000);
        assert_eq!(world.send(text("628120000001", "hi")).await.0, 200);
        let report = world.report().await;
        assert_eq!(report["inbound"], 5);
        let number = &report["numbers"][universe::NUMBER];
        assert_eq!(number["peak_per_second"], limit);
        assert_eq!(number["peak_outbound_per_second"], limit - 5);
        let path = format!("/v26.0/{}?fields=throughput", universe::NUMBER);
        let node = world.call("GET", &path, None).await.1;
        assert_eq!(node["throughput"]["level"], level);
    }
}

#[tokio::test]
async fn a_person_gets_forty_five_messages_at_once_and_then_silence() {
    let world = World::new(settings()).await;
    for _ in 0..45 {
        assert_eq!(world.send(text("628120000001", "hi")).await.0, 200);
    }
    let refused = world.send(text("628120000001", "hi")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (400, 131_056));
    assert_eq!(world.send(text("628120000002", "hi")).await.0, 200);
    let spare = text("628120000001", "hi");
    let other = world.send_from(universe::SPARE_NUMBER, spare).await;
    assert_eq!(other.0, 200, "from another number");
    world.time.advance_us(45 * 6_000_000 - 1);
    assert_eq!(code(&world.send(text("628120000001", "hi")).await), 131_056);
    world.time.advance_us(1);
    assert_eq!(world.send(text("628120000001", "hi")).await.0, 200);
}

#[tokio::test]
async fn the_pair_limit_can_be_switched_off() {
    let mut settings = settings();
    settings.pair_limiter = false;
    let world = World::new(settings).await;
    for _ in 0..60 {
        assert_eq!(world.send(text("628120000001", "hi")).await.0, 200);
    }
}

#[tokio::test]
async fn a_free_message_fails_unless_the_person_wrote_within_a_day() {
    let mut settings = never_failing();
    settings.outside_window = Channel::Async;
    let world = World::with_callback(settings).await;
    hears(&world, "628120000001").await;
    world.send(text("628120000001", "inside")).await;
    world.send(text("628120000002", "outside")).await;
    world.send(hello("628120000003")).await;
    let spare = text("628120000001", "of another number");
    world.send_from(universe::SPARE_NUMBER, spare).await;
    world.drain().await;
    assert_eq!(
        failures(&world),
        [
            ("628120000001".into(), 131_047),
            ("628120000002".into(), 131_047)
        ]
    );
    world.time.advance_us(25 * HOUR_US);
    world
        .send(text("628120000001", "the window has closed"))
        .await;
    world.drain().await;
    assert_eq!(failures(&world).len(), 3);
    assert_eq!(world.report().await["refused"], json!({}));

    let sync = json!({"outside_window": "sync"});
    world.control("PATCH", "settings", sync).await;
    let refused = world.send(text("628120000002", "outside")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (400, 131_047));
}

#[tokio::test]
async fn a_portfolio_reaches_as_many_people_a_day_as_its_tier_allows() {
    let mut settings = never_failing();
    settings
        .tiers
        .insert(universe::PORTFOLIO.into(), Tier::Of250);
    settings.limits.insert(universe::NUMBER.into(), 1000);
    let world = World::with_callback(settings).await;
    let fields = "whatsapp_business_manager_messaging_limit";
    for id in [universe::NUMBER, universe::WABA] {
        let path = format!("/v26.0/{id}?fields={fields}");
        let (_, node) = world.call("GET", &path, None).await;
        assert_eq!(node[fields], "TIER_250");
    }
    hears(&world, "6281299999999").await;
    world.send(hello("6281299999999")).await;
    for person in 0..249 {
        world.send(hello(&format!("62812{person:07}"))).await;
    }
    // The numbers of a portfolio share its limit, and somebody who counts already is no more.
    let last = hello("628120000249");
    world.send_from(universe::SECOND_NUMBER, last.clone()).await;
    assert_eq!(
        code(&world.send_from(universe::SECOND_NUMBER, last).await),
        132_001
    );
    world
        .send_from(universe::SPARE_NUMBER, hello("628120000249"))
        .await;
    world.send(hello("628120000000")).await;
    world.send(hello("628120000250")).await;
    world.drain().await;
    assert_eq!(failures(&world), [("628120000250".into(), 131_048)]);
    assert_eq!(
        world.report().await["portfolios"][universe::PORTFOLIO],
        json!({"tier": "TIER_250", "people": 250})
    );

    world
        .control("PATCH", "settings", json!({"over_tier": "sync"}))
        .await;
    let refused = world.send(hello("628120000250")).await;
    assert_eq!((refused.0.as_u16(), code(&refused)), (400, 131_048));
    world.time.advance_us(24 * HOUR_US);
    assert_eq!(
        world.send(hello("628120000250")).await.0,
        200,
        "a day later"
    );
    let tiers: Value = json!({"tiers": {universe::PORTFOLIO: "TIER_2K"}});
    let now = world.control("PATCH", "settings", tiers).await;
    assert_eq!(now["tiers"][universe::PORTFOLIO], "TIER_2K");
}

#[tokio::test]
async fn limits_remember_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = never_failing();
    settings.outside_window = Channel::Sync;
    settings.over_tier = Channel::Sync;
    settings
        .tiers
        .insert(universe::PORTFOLIO.into(), Tier::Of250);
    settings.limits.insert(universe::NUMBER.into(), 1000);
    settings.data = Some(folder.path().join("simulator.db"));
    let time = ManualTime::new();
    let first = World::at(time.clone(), settings.clone()).await;
    hears(&first, "6281300000001").await;
    for person in 0..250 {
        first.send(hello(&format!("62812{person:07}"))).await;
    }
    for _ in 0..44 {
        first.send(hello("628120000001")).await;
    }
    first.simulator.stop().await;

    let second = World::at(time, settings).await;
    assert_eq!(second.report().await["inbound"], 1);
    assert_eq!(second.send(text("6281300000001", "hi")).await.0, 200);
    assert_eq!(code(&second.send(hello("628120000001")).await), 131_056);
    assert_eq!(code(&second.send(hello("628120000250")).await), 131_048);
}
