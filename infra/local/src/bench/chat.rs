//! Agents write while a campaign uses the number to its limit.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::future::try_join_all;
use local::harness::api::text;
use local::harness::campaign::Campaign;
use local::harness::control::Arrival;
use local::harness::screen::grouped;
use local::harness::{Check, Screen};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cost::rounded;
use crate::sending::{patience, world};
use crate::settings::Settings;
use crate::{Found, Stage};

const LIMIT: u32 = 80;
const PEOPLE: u32 = 17_000;
/// Chats that are open, and the messages of one burst: one in each.
const CHATS: u32 = 50;
const BURSTS: u32 = 10;
/// So far apart that the chats take few of the campaign's slots.
const BETWEEN_BURSTS: Duration = Duration::from_secs(20);

const ARRIVED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

const P99_MOST_MS: i64 = 1_000;
const CAMPAIGN_LEAST: f64 = 75.0;

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let (people, bursts) = (settings.scaled(PEOPLE), settings.scaled(BURSTS));
    let stage = Stage::set(settings, world(LIMIT)).await?;
    let outcome = drive(screen, &stage, people, bursts).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(screen: &Screen, stage: &Stage, people: u32, bursts: u32) -> anyhow::Result<Found> {
    let (api, control) = (&stage.api, &stage.world.control);
    Campaign::import(api, screen, (0, people)).await?;
    let campaign = Campaign::draft(api, &stage.access, people).await?;
    let channel = stage.access.channel.as_deref();
    let channel = channel.context("the instance does not say which channel it has")?;
    let chats = try_join_all((0..CHATS).map(|chat| open(stage, channel, chat))).await?;
    campaign.start(api).await?;
    saturated(stage, &campaign).await?;

    let mut bar = screen.bar("chat");
    let mut answered = HashMap::new();
    let began = stage.world.now_ms();
    for burst in 0..bursts {
        let said = chats.iter().enumerate().map(|(chat, id)| async move {
            let words = format!("Burst {burst}, chat {chat}");
            let path = format!("/v1/chats/{id}/messages");
            api.post(&path, &json!({"text": words})).await?;
            anyhow::Ok((words, stage.world.now_ms()))
        });
        answered.extend(try_join_all(said).await?);
        bar.show(burst.into(), bursts.into(), "bursts", "");
        sleep(BETWEEN_BURSTS).await;
    }
    let ended = stage.world.now_ms();
    bar.end(&format!("{} chat messages were taken", answered.len()));

    let arrived = arrived(stage, answered.len()).await?;
    let prefix = format!("{}.", campaign.id);
    let of_campaign = |arrival: &&Arrival| {
        let data = arrival.callback_data.as_deref();
        data.is_some_and(|data| data.starts_with(&prefix))
    };
    let mut meanwhile: Vec<i64> = arrived
        .iter()
        .filter(of_campaign)
        .map(|arrival| arrival.at_ms)
        .filter(|at| (began..ended).contains(at))
        .collect();
    meanwhile.sort_unstable();
    let span = meanwhile
        .last()
        .zip(meanwhile.first())
        .map_or(0, |(last, first)| last - first);
    let rate = meanwhile.len() as f64 * 1e3 / span.max(1) as f64;

    let mut delays = Vec::new();
    for arrival in arrived.iter().filter(|arrival| arrival.kind == "text") {
        if let Some(at) = answered.get(&arrival.text) {
            delays.push(arrival.at_ms - at);
        }
    }
    delays.sort_unstable();
    let whole = campaign
        .watch(api, control, screen, &patience(people, LIMIT))
        .await?;
    let refused: u64 = whole.arrivals.refused.values().sum();
    let [middle, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&delays, share));
    let mut table = String::new();
    for (name, figure) in [
        ("from our 202 to arrival, p50 ms", middle as f64),
        ("p99 ms", p99 as f64),
        ("most ms", most as f64),
        ("the campaign meanwhile, a second", rate),
    ] {
        // Writing to a text cannot fail.
        let _ = writeln!(table, "  {name:<36}{figure:>12.1}");
    }
    let checks = vec![
        Check {
            claim: "every chat message arrived, once",
            holds: delays.len() == answered.len(),
            figures: format!("{} of {}", delays.len(), answered.len()),
        },
        Check {
            claim: "99 of 100 arrived within a second of our answer",
            holds: p99 < P99_MOST_MS,
            figures: format!("{p99} ms"),
        },
        Check {
            claim: "nothing was refused",
            holds: refused == 0,
            figures: format!("{} were", grouped(refused)),
        },
        Check {
            claim: "the campaign went on at 75 a second",
            holds: rate >= CAMPAIGN_LEAST,
            figures: format!("{rate:.1}"),
        },
    ];
    Ok(Found {
        table,
        json: json!({
            "messages": answered.len(),
            "arrived": delays.len(),
            "delay_ms": {"p50": middle, "p99": p99, "most": most},
            "campaign_rate_per_second": rounded(rate),
            "refused": whole.arrivals.refused,
        }),
        checks,
    })
}

/// A contact who has just written, so that an agent may answer, and the chat with them.
async fn open(stage: &Stage, channel: &str, person: u32) -> anyhow::Result<String> {
    let phone = format!("+62813{:08}", 10_000_000 + person);
    let contact = json!({"phone": phone, "name": format!("Writer {person}")});
    let contact = stage.api.post("/v1/contacts", &contact).await?;
    stage
        .world
        .control
        .write(&phone, "Is anybody there?")
        .await?;
    let chat = json!({"contact": text(&contact, "id")?, "channel": channel});
    let began = Instant::now();
    let chat = stage.api.post("/v1/chats", &chat).await?;
    let id = text(&chat, "id")?;
    // Until the webhook was processed, an answer would be refused.
    loop {
        let chat = stage.api.get(&format!("/v1/chats/{id}")).await?;
        if chat.get("window_open_until").is_some_and(Value::is_string) {
            return Ok(id);
        }
        if began.elapsed() > ARRIVED_WITHIN {
            bail!("the message of {phone} did not reach its chat: {chat}");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until the campaign has its full speed.
pub(crate) async fn saturated(stage: &Stage, campaign: &Campaign) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let report = stage.world.control.report(&campaign.number, 0).await?;
        if report.get("accepted").and_then(Value::as_u64) >= Some(u64::from(LIMIT)) {
            return Ok(());
        }
        if began.elapsed() > ARRIVED_WITHIN {
            bail!("the campaign does not begin: {report}");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// All arrivals, once so many of chats are among them or it is clear that they will not be.
async fn arrived(stage: &Stage, chats: usize) -> anyhow::Result<Vec<Arrival>> {
    let began = Instant::now();
    loop {
        let arrivals = stage.world.control.arrivals().await?;
        let texts = arrivals.iter().filter(|arrival| arrival.kind == "text");
        if texts.count() >= chats || began.elapsed() > ARRIVED_WITHIN {
            return Ok(arrivals);
        }
        sleep(LOOK_EVERY).await;
    }
}

fn quantile(sorted: &[i64], share: f64) -> i64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted
        .get(place.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}
