//! One campaign at the number's limit: its rate, its refusals, and what a message costs.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::bail;
use local::harness::api::count;
use local::harness::books::Books;
use local::harness::campaign::{Campaign, Ended, Patience};
use local::harness::figures::{LIFE, Pace};
use local::harness::screen::grouped;
use local::harness::{Check, Screen};
use serde_json::{Value, json};
use simulator::{Replies, universe};
use tokio::time::sleep;

use crate::cost::{Cost, rounded};
use crate::settings::Settings;
use crate::{Found, Stage};

/// The share of the limit that must be reached.
const GOAL: [(u32, f64); 2] = [(80, 78.4), (1_000, 900.0)];

/// How far the cost of a message may lie from that of another size.
const FLAT: f64 = 0.10;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// When nothing has moved for so long, whoever has no message yet will not get one.
const STILL_MOST: Duration = Duration::from_secs(60);

/// Write units that a message may cost from plan to read.
const WRITE_UNITS_MOST: f64 = 8.0;

/// SQS requests that a message may cost on its way out, and on the way back.
const REQUESTS_OUT: f64 = 0.5;
const REQUESTS_BACK: f64 = 4.0;

/// What came of one campaign.
struct Run {
    people: u32,
    ended: Ended,
    /// From the last message to the last status that was worked on. Most of it is what people take to
    /// read.
    lag: Duration,
    cost: Cost,
}

/// A number with this limit.
pub(crate) fn world(limit: u32) -> simulator::Settings {
    simulator::Settings {
        limits: HashMap::from([(universe::NUMBER.to_owned(), limit)]),
        ..simulator::Settings::default()
    }
}

pub(crate) fn patience(people: u32, limit: u32) -> Patience {
    Patience {
        life: LIFE,
        most: Duration::from_secs(300 + u64::from(people / limit) * 5),
    }
}

pub(crate) async fn rate(
    screen: &Screen,
    settings: &Settings,
    limit: u32,
    people: u32,
) -> anyhow::Result<Found> {
    let people = settings.scaled(people);
    let run = one(screen, settings, world(limit), (people, limit)).await?;
    let mut checks = run.checks(limit);
    checks.push(Check {
        claim: "a message costs at most 8 write units",
        holds: run.cost.write_units() <= WRITE_UNITS_MOST,
        figures: format!("{:.2}", run.cost.write_units()),
    });
    Ok(Found {
        table: run.table(),
        json: run.json(),
        checks,
    })
}

/// With people who answer: what they write counts against the number's limit as well.
pub(crate) async fn replies(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let (people, limit) = (settings.scaled(5_000), 80);
    let world = simulator::Settings {
        replies: Replies {
            share: 0.1,
            ..Replies::default()
        },
        ..world(limit)
    };
    let run = one(screen, settings, world, (people, limit)).await?;
    let checks = run.checks(limit).into_iter();
    Ok(Found {
        table: run.table(),
        json: run.json(),
        // Every answer takes a slot of the number, so the rate is not that of the limit.
        checks: checks.filter(|check| check.claim != AT_THE_LIMIT).collect(),
    })
}

/// The same campaign to ever more people. What one message costs must not grow with them.
pub(crate) async fn growth(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let limit = 1_000;
    let mut runs = Vec::new();
    for people in [1_000, 10_000, 100_000].map(|size| settings.scaled(size)) {
        runs.push(one(screen, settings, world(limit), (people, limit)).await?);
    }
    let mut table = format!(
        "  {:>10}{:>10}{:>14}{:>14}{:>12}{:>12}\n",
        "people", "a second", "write units", "read units", "SQS out", "SQS back"
    );
    for run in &runs {
        // Writing to a text cannot fail.
        let _ = writeln!(
            table,
            "  {:>10}{:>10.1}{:>14.3}{:>14.3}{:>12.3}{:>12.3}",
            grouped(run.people.into()),
            run.ended.arrivals.rate_per_second,
            run.cost.write_units(),
            run.cost.read_units(),
            run.cost.requests_out(),
            run.cost.requests_back()
        );
    }
    let flat = |claim, of: fn(&Cost) -> f64| {
        let costs: Vec<f64> = runs.iter().map(|run| of(&run.cost)).collect();
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let most = costs.iter().copied().fold(0.0, f64::max);
        // Both ends lie within the tolerance of the middle between them.
        let middle = f64::midpoint(least, most);
        Check {
            claim,
            holds: most - middle <= middle * FLAT,
            figures: format!("{least:.3} to {most:.3}"),
        }
    };
    let checks = vec![
        flat(
            "the write units of a message do not grow",
            Cost::write_units,
        ),
        flat("the read units of a message do not grow", Cost::read_units),
        // A campaign's first and last steps ask the queues as often for a few people as for many.
        flat("what a message costs does not grow", Cost::per_million),
        Check {
            claim: "the SQS requests of a message stay in their budget",
            holds: runs.iter().all(|run| {
                run.cost.requests_out() <= REQUESTS_OUT && run.cost.requests_back() <= REQUESTS_BACK
            }),
            figures: format!("at most {REQUESTS_OUT} out and {REQUESTS_BACK} back"),
        },
    ];
    Ok(Found {
        table,
        json: json!(runs.iter().map(Run::json).collect::<Vec<_>>()),
        checks,
    })
}

async fn one(
    screen: &Screen,
    settings: &Settings,
    world: simulator::Settings,
    (people, limit): (u32, u32),
) -> anyhow::Result<Run> {
    let stage = Stage::set(settings, world).await?;
    Campaign::import(&stage.api, screen, (0, people)).await?;
    let campaign = Campaign::draft(&stage.api, &stage.access, people).await?;
    let before = Books::read(&stage.api).await?;
    campaign.start(&stage.api).await?;
    let patience = patience(people, limit);
    let quiet_ms = until_quiet(screen, &stage, &campaign, &patience).await?;
    let books = Books::read(&stage.api).await?.since(&before);
    let ended = campaign
        .watch(&stage.api, &stage.world.control, screen, &patience)
        .await?;
    stage.clear().await?;
    let lag_ms = ended.arrivals.last_ms.map_or(0, |last| quiet_ms - last);
    Ok(Run {
        people,
        ended,
        lag: Duration::from_millis(lag_ms.try_into().unwrap_or_default()),
        cost: Cost::of(&books, people.into()),
    })
}

/// Waits until everybody has the message, every status was told, and the queues are empty. It asks for
/// nothing that the instance would look up in its database, because that would be counted.
async fn until_quiet(
    screen: &Screen,
    stage: &Stage,
    campaign: &Campaign,
    patience: &Patience,
) -> anyhow::Result<i64> {
    let began = Instant::now();
    let (mut pace, mut still, mut seen) = (Pace::default(), Instant::now(), 0);
    let mut bar = screen.bar("arrived");
    while began.elapsed() < patience.most {
        let report = stage.world.control.report(&campaign.number, 0).await?;
        let accepted = count(&report, "accepted")?;
        let undelivered = report.pointer("/webhooks/undelivered");
        let undelivered = undelivered.and_then(Value::as_u64).unwrap_or(0);
        let waiting = Books::read(&stage.api).await?.waiting();
        if seen != accepted + undelivered {
            (still, seen) = (Instant::now(), accepted + undelivered);
        }
        let rate = format!("{:.1} a second", pace.enter(began.elapsed(), accepted));
        let rest = format!("{undelivered} statuses to come, {waiting} messages queued");
        bar.show(accepted, campaign.audience.into(), &rate, &rest);
        let all = accepted >= campaign.audience.into() || still.elapsed() > STILL_MOST;
        if all && undelivered + waiting == 0 {
            return Ok(stage.world.now_ms());
        }
        sleep(LOOK_EVERY).await;
    }
    bail!("the campaign is not over after {:?}", patience.most)
}

const AT_THE_LIMIT: &str = "the number was used to its limit";

impl Run {
    fn checks(&self, limit: u32) -> Vec<Check> {
        let goal = GOAL.iter().find(|(of, _)| *of == limit);
        let goal = goal.map_or(0.0, |(_, goal)| *goal);
        let Ended {
            figures, arrivals, ..
        } = &self.ended;
        let refused: u64 = arrivals.refused.values().sum();
        let people = u64::from(self.people);
        vec![
            Check {
                claim: AT_THE_LIMIT,
                holds: arrivals.rate_per_second >= goal,
                figures: format!("{:.1} a second of {goal}", arrivals.rate_per_second),
            },
            Check {
                claim: "nothing was refused",
                holds: refused == 0,
                figures: format!("{} were", grouped(refused)),
            },
            Check {
                claim: "everybody got one message",
                holds: arrivals.accepted == people
                    && arrivals.with_more_than_one == 0
                    && figures.sent + figures.failed == people,
                figures: format!("{} of {}", grouped(arrivals.accepted), grouped(people)),
            },
        ]
    }

    fn table(&self) -> String {
        let arrivals = &self.ended.arrivals;
        let mut table = String::new();
        // Writing to a text cannot fail.
        let _ = writeln!(
            table,
            "  {:<36}{:>12.1}",
            "a second", arrivals.rate_per_second
        );
        let _ = writeln!(
            table,
            "  {:<36}{:>12.1}",
            "last status after the last message, s",
            self.lag.as_secs_f64()
        );
        table.push_str(&self.cost.table());
        table
    }

    fn json(&self) -> Value {
        let Ended {
            figures, arrivals, ..
        } = &self.ended;
        json!({
            "people": self.people,
            "rate_per_second": rounded(arrivals.rate_per_second),
            "refused": arrivals.refused,
            "sent": figures.sent,
            "failed": figures.failed,
            "unknown": figures.unknown,
            "last_status_after_seconds": rounded(self.lag.as_secs_f64()),
            "each_message": self.cost.json(),
        })
    }
}
