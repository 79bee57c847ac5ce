//! A file of 100,000 contacts, and what reading it takes of time and memory.

use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;
use local::harness::screen::grouped;
use local::harness::{Check, Screen, import, people};
use serde_json::json;
use tokio::time::sleep;

use crate::cost::rounded;
use crate::sending::world;
use crate::settings::Settings;
use crate::{Found, Stage};

const ROWS: u32 = 100_000;
const WITHIN: Duration = Duration::from_secs(60);
const RISE_MOST_MB: f64 = 150.0;
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let rows = settings.scaled(ROWS);
    let stage = Stage::set(settings, world(80)).await?;
    let outcome = drive(screen, &stage, rows).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(screen: &Screen, stage: &Stage, rows: u32) -> anyhow::Result<Found> {
    let process = stage.instance.process();
    let before = resident_mb(process)?;
    let mut highest = before;
    let began = Instant::now();
    let importing = import::run(&stage.api, screen, "people.csv", people::file(0, rows));
    tokio::pin!(importing);
    let imported = loop {
        tokio::select! {
            imported = &mut importing => break imported?,
            () = sleep(LOOK_EVERY) => highest = highest.max(resident_mb(process)?),
        }
    };
    let took = began.elapsed();
    let rise = highest - before;
    let seconds = took.as_secs_f64();
    let mut table = String::new();
    for (name, figure) in [
        ("rows", f64::from(rows)),
        ("seconds, with the upload", seconds),
        ("rows a second", f64::from(rows) / seconds),
        ("memory before, MB", before),
        ("at most, MB", highest),
    ] {
        // Writing to a text cannot fail.
        let _ = writeln!(table, "  {name:<36}{figure:>12.1}");
    }
    let checks = vec![
        Check {
            claim: "every row became a contact",
            holds: imported.accepted == u64::from(rows),
            figures: format!("{} of {}", grouped(imported.accepted), grouped(rows.into())),
        },
        Check {
            claim: "it took less than 60 s",
            holds: took < WITHIN,
            figures: format!("{seconds:.1} s"),
        },
        Check {
            claim: "memory rose by less than 150 MB",
            holds: rise < RISE_MOST_MB,
            figures: format!("{rise:.1} MB"),
        },
    ];
    Ok(Found {
        table,
        json: json!({
            "rows": rows,
            "seconds": rounded(seconds),
            "memory_mb": {"before": rounded(before), "most": rounded(highest)},
        }),
        checks,
    })
}

/// How much memory a process has in use.
fn resident_mb(process: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    let kilobytes = kilobytes.with_context(|| format!("{path} does not tell the memory in use"))?;
    Ok(kilobytes / 1024.0)
}
