//! Whether one workspace's large campaign slows another's small one.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::bail;
use local::harness::api::text;
use local::harness::campaign::Campaign;
use local::harness::{Access, Api, Check, Screen, tenant};
use serde_json::{Value, json};
use simulator::universe;
use tokio::time::sleep;

use crate::cost::rounded;
use crate::settings::Settings;
use crate::{Found, Stage};

const LARGE: u32 = 50_000;
const SMALL: u32 = 100;
/// The large one comes from a number at this limit, the small one from a number at 80.
const LIMIT: u32 = 1_000;
/// Each side is timed so often, and the middle one counts.
const TIMES: usize = 3;
const LONGER_MOST: f64 = 1.5;

const LOOK_EVERY: Duration = Duration::from_millis(25);
const WITHIN: Duration = Duration::from_secs(120);

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let world = simulator::Settings {
        limits: HashMap::from([(universe::NUMBER.to_owned(), LIMIT)]),
        ..simulator::Settings::default()
    };
    let stage = Stage::set(settings, world).await?;
    let outcome = drive(screen, &stage, settings.scaled(LARGE)).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(screen: &Screen, stage: &Stage, large: u32) -> anyhow::Result<Found> {
    let access = tenant::another(&stage.access, &stage.world).await?;
    let api = Api::new(&access)?;
    Campaign::import(&api, screen, (0, SMALL)).await?;
    Campaign::import(&stage.api, screen, (0, large)).await?;

    let alone = middle(&api, &access).await?;
    let campaign = Campaign::draft(&stage.api, &stage.access, large).await?;
    campaign.start(&stage.api).await?;
    let under_way = async || {
        let report = stage.world.control.report(&campaign.number, 0).await?;
        anyhow::Ok(report.get("accepted").and_then(Value::as_u64).unwrap_or(0))
    };
    while under_way().await? < u64::from(LIMIT.min(large / 10)) {
        sleep(LOOK_EVERY).await;
    }
    let beside = middle(&api, &access).await?;
    let sent = under_way().await?;

    let longer = beside / alone.max(0.001);
    let table = format!(
        "  {:<36}{alone:>12.2}\n  {:<36}{beside:>12.2}\n",
        "alone, s", "beside the large one, s"
    );
    let checks = vec![
        Check {
            claim: "the small campaign takes at most 1.5 times as long",
            holds: longer <= LONGER_MOST,
            figures: format!("{longer:.2} times"),
        },
        Check {
            claim: "the large one was still being sent",
            holds: sent < u64::from(large),
            figures: format!("{sent} of {large}"),
        },
    ];
    Ok(Found {
        table,
        json: json!({"alone_seconds": rounded(alone), "beside_seconds": rounded(beside)}),
        checks,
    })
}

/// The middle of several times from the start of a small campaign to its completion, in seconds.
async fn middle(api: &Api, access: &Access) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let campaign = Campaign::draft(api, access, SMALL).await?;
        let began = Instant::now();
        campaign.start(api).await?;
        while text(&api.get(&campaign.path()).await?, "state")? != "completed" {
            if began.elapsed() > WITHIN {
                bail!("the small campaign is not completed after {WITHIN:?}");
            }
            sleep(LOOK_EVERY).await;
        }
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_unstable_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}
