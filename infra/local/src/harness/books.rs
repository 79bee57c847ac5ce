//! What an instance says it asked of database, queues and functions (`GET /_local/report`).

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::time::sleep;

use super::api::{Api, count};
use super::check::Check;

/// A second delivery may come half a minute after the first.
const REST_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Whether every queue comes to rest with nothing parked.
///
/// # Errors
/// The instance does not report.
pub async fn at_rest(api: &Api) -> anyhow::Result<Check> {
    let began = Instant::now();
    loop {
        let report = api.get("/_local/report").await?;
        let queues = report.get("queues").and_then(Value::as_object);
        let (mut waiting, mut dead) = (0, 0);
        for queue in queues.context("the report has no queues")?.values() {
            waiting += count(queue, "waiting")?;
            dead += count(queue, "dead")?;
        }
        if waiting == 0 || began.elapsed() > REST_WITHIN {
            return Ok(Check {
                claim: "every queue is empty, and nothing was parked",
                holds: waiting + dead == 0,
                figures: format!("{waiting} wait, {dead} parked"),
            });
        }
        sleep(LOOK_EVERY).await;
    }
}
