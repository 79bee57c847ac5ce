//! `kill -9` of the whole product while a campaign runs, with the simulated WhatsApp in the process of
//! the test, and while webhooks come in, with Meta's part played by the test. `make chaos` does the first
//! with thousands of people.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use local::harness::campaign::{Campaign, Patience};
use local::harness::witness::Witness;
use local::harness::{Access, Api, Check, Instance, Launch, Screen, World, books, kills};
use serde_json::{Value, json};
use simulator::{Settings, Timing, universe};
use tokio::time::sleep;

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

/// How many people write while the product is killed, each once.
const WRITERS: u32 = 240;
/// How many webhooks Meta keeps open at a time.
const OPEN: u32 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_come_in_while_the_product_is_killed_are_all_applied_once() {
    let world = World::start(Settings::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::of(
        Path::new(env!("CARGO_BIN_EXE_blazz")),
        "ingest",
        folder.path(),
    )
    .with("BLAZZ_REPORT", "1");
    let mut instance = Instance::start(world.of(launch)).unwrap();
    let outcome = take_in_while_killing(&mut instance).await;
    outcome.unwrap_or_else(|error| panic!("{error:#}\n{}", instance.last_words()));
    instance.stop().await;
    world.stop().await.unwrap();
}

async fn take_in_while_killing(instance: &mut Instance) -> anyhow::Result<()> {
    let access = instance.ready().await?;
    let writers = (0..OPEN).map(|first| {
        let url = access.url.clone();
        tokio::spawn(async move {
            let mut tries = 0;
            for person in (first..WRITERS).step_by(OPEN as usize) {
                tries += deliver(&url, person).await?;
            }
            anyhow::Ok(tries)
        })
    });
    let writers: Vec<_> = writers.collect();
    for pause in [60, 120, 200] {
        sleep(Duration::from_millis(pause)).await;
        instance.kill_and_restart()?;
        instance.ready().await?;
    }
    let mut tries = 0;
    for writer in join_all(writers).await {
        tries += writer??;
    }
    assert!(
        tries > WRITERS,
        "no webhook was ever told twice: {tries} tries"
    );
    let api = Api::new(&access)?;
    let rest = books::at_rest(&api).await?;
    assert!(rest.holds, "{rest:?}");
    let contacts = api.list("/v1/contacts").await?;
    assert_eq!(contacts.len(), WRITERS as usize);
    for contact in contacts {
        assert_eq!(messages(&api, &access, &contact).await?, 1, "{contact}");
    }
    Ok(())
}

/// Meta's part: the webhook is told again until it is answered with 200. Returns how often.
async fn deliver(url: &str, person: u32) -> anyhow::Result<u32> {
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": universe::WABA, "changes": [{
        "field": "messages", "value": {
            "metadata": {"display_phone_number": "15550100001", "phone_number_id": universe::NUMBER},
            "messages": [{"from": format!("62812{:08}", 20_000_000 + person), "id": format!("wamid.{person}"),
                "timestamp": "1795000000", "type": "text", "text": {"body": "Hello"}}]}}]}]})
    .to_string();
    let signature = whatsapp::signature::sign(&Settings::default().app_secret, body.as_bytes());
    let client = local::harness::api::client()?;
    let mut tries = 1;
    loop {
        let sent = client
            .post(format!("{url}/webhooks/whatsapp"))
            .header("x-hub-signature-256", &signature)
            .timeout(Duration::from_secs(5))
            .body(body.clone())
            .send()
            .await;
        if sent.is_ok_and(|answer| answer.status() == 200) {
            return Ok(tries);
        }
        tries += 1;
        sleep(Duration::from_millis(50)).await;
    }
}

/// How many messages are in a contact's chat with the demo number.
async fn messages(api: &Api, access: &Access, contact: &Value) -> anyhow::Result<usize> {
    let chat = json!({"contact": contact["id"], "channel": access.channel});
    let chat = api.post("/v1/chats", &chat).await?;
    let path = format!(
        "/v1/chats/{}/messages",
        chat["id"].as_str().unwrap_or_default()
    );
    Ok(api.list(&path).await?.len())
}
