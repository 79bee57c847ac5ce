//! What an instance says it asked of database, queues and functions (`GET /_local/report`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use super::api::Api;
use super::check::Check;

/// A second delivery may come half a minute after the first.
const REST_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Every count of a report under the path that leads to it.
#[derive(Clone, Debug, Default)]
pub struct Books(BTreeMap<Vec<String>, f64>);

impl Books {
    /// # Errors
    /// The instance does not report.
    pub async fn read(api: &Api) -> anyhow::Result<Self> {
        let mut books = Self::default();
        books.enter(&mut Vec::new(), &api.get("/_local/report").await?);
        Ok(books)
    }

    fn enter(&mut self, path: &mut Vec<String>, value: &Value) {
        if let Some(count) = value.as_f64() {
            self.0.insert(path.clone(), count);
        }
        for (name, value) in value.as_object().into_iter().flatten() {
            path.push(name.clone());
            self.enter(path, value);
            path.pop();
        }
    }

    /// What was added since an earlier look. Sizes, which nothing is added to, stay.
    #[must_use]
    pub fn since(mut self, before: &Self) -> Self {
        for (path, count) in &mut self.0 {
            let size = path.last().is_some_and(|name| name == "memory_mb");
            if let Some(before) = before.0.get(path).filter(|_| !size) {
                *count -= before;
            }
        }
        self
    }

    pub fn entries(&self) -> impl Iterator<Item = (Vec<&str>, f64)> {
        let entries = self.0.iter();
        entries.map(|(path, count)| (path.iter().map(String::as_str).collect(), *count))
    }

    /// Zero when there is nothing at this path.
    #[must_use]
    pub fn count(&self, path: &[&str]) -> f64 {
        let entry = self.0.iter().find(|(entry, _)| entry.as_slice() == path);
        entry.map_or(0.0, |(_, count)| *count)
    }

    /// Messages that are in some queue.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.of_queues("waiting")
    }

    fn of_queues(&self, what: &str) -> u64 {
        let counts = self
            .entries()
            .filter(|(path, _)| matches!(path.as_slice(), ["queues", _, name] if *name == what));
        counts.map(|(_, count)| count as u64).sum()
    }
}

/// Whether every queue comes to rest with nothing parked.
///
/// # Errors
/// The instance does not report.
pub async fn at_rest(api: &Api) -> anyhow::Result<Check> {
    let began = Instant::now();
    loop {
        let books = Books::read(api).await?;
        let (waiting, dead) = (books.waiting(), books.of_queues("dead"));
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
