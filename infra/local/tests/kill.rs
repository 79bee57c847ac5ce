//! `kill -9` of the whole product while a campaign runs, with the simulated WhatsApp in the process of
//! the test. `make chaos` does the same with thousands of people.

use std::path::Path;
use std::time::Duration;

use local::harness::campaign::{Campaign, Patience};
use local::harness::witness::Witness;
use local::harness::{Api, Check, Instance, Launch, Screen, World, books, kills};
use simulator::{Settings, Timing};

const PEOPLE: u32 = 200;
const KILLS: u32 = 5;
const SEED: u64 = 7;

const PATIENCE: Patience = Patience {
    life: Duration::from_secs(4),
    most: Duration::from_secs(150),
};

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_is_killed_again_and_again_sends_to_everybody_once() {
    let world = World::start(Settings {
        seed: SEED,
        answer_latency_ms: 200,
        timing: Timing {
            sent_ms: (20, 200),
            delivered_ms: (100, 1_000),
            read_ms: (100, 1_000),
            ..Timing::default()
        },
        ..Settings::default()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::of(
        Path::new(env!("CARGO_BIN_EXE_blazz")),
        "kill",
        folder.path(),
    )
    .with("BLAZZ_GRAPH_TIMEOUT", "1")
    .with("BLAZZ_REPORT", "1");
    let mut instance = Instance::start(world.of(launch)).unwrap();
    let outcome = send_while_killing(&world, &mut instance).await;
    let checks = outcome.unwrap_or_else(|error| panic!("{error:#}\n{}", instance.last_words()));
    let broken: Vec<_> = checks.iter().filter(|check| !check.holds).collect();
    assert!(broken.is_empty(), "{broken:#?}\n{}", instance.last_words());
    instance.stop().await;
    world.stop().await.unwrap();
}

async fn send_while_killing(world: &World, instance: &mut Instance) -> anyhow::Result<Vec<Check>> {
    let screen = Screen::open();
    let access = instance.ready().await?;
    let api = Api::new(&access)?;
    Campaign::import(&api, &screen, (0, PEOPLE)).await?;
    let campaign = Campaign::draft(&api, &access, PEOPLE).await?;
    campaign.start(&api).await?;
    let how = (KILLS, SEED);
    kills::run(instance, &api, &world.control, &campaign, &screen, how).await?;
    let ended = campaign
        .watch(&api, &world.control, &screen, &PATIENCE)
        .await?;
    let rest = books::at_rest(&api).await?;
    let witness = Witness::hear(&api, &world.control, &campaign, ended).await?;
    let mut checks = witness.checks();
    checks.push(rest);
    Ok(checks)
}
