//! What the platform and the simulator count, and what follows from how the counts change.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::api::count;

/// The statistics of a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    pub recipients: u64,
    pub pending: u64,
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub failed: u64,
    pub excluded: u64,
    pub unknown: u64,
}

impl Figures {
    /// # Errors
    /// A figure is missing.
    pub fn of(campaign: &Value) -> anyhow::Result<Self> {
        let statistics = campaign.get("statistics");
        let statistics = statistics.context("the campaign has no statistics")?;
        Ok(Self {
            recipients: count(statistics, "recipients")?,
            pending: count(statistics, "pending")?,
            sent: count(statistics, "sent")?,
            delivered: count(statistics, "delivered")?,
            read: count(statistics, "read")?,
            failed: count(statistics, "failed")?,
            excluded: count(statistics, "excluded")?,
            unknown: count(statistics, "unknown")?,
        })
    }

    /// Recipients that nothing more will be sent to.
    pub fn done(&self) -> u64 {
        self.recipients.saturating_sub(self.pending)
    }

    /// Recipients something was sent to, whatever became of it.
    pub fn attempted(&self) -> u64 {
        self.sent + self.failed + self.unknown
    }
}

/// What the simulator counted since the campaign began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrivals {
    pub accepted: u64,
    pub with_more_than_one: u64,
    pub refused: BTreeMap<String, u64>,
    /// From the first to the last arrival.
    pub rate_per_second: f64,
    /// Statuses the platform has confirmed.
    pub delivered: u64,
    pub read: u64,
    pub failed: u64,
    /// Webhooks the platform has not confirmed yet.
    pub waiting: u64,
    /// By the simulator's clock; `None` when nothing arrived.
    pub last_ms: Option<i64>,
}

impl Arrivals {
    /// # Errors
    /// A count is missing.
    pub fn of(report: &Value) -> anyhow::Result<Self> {
        let refused = report.get("refused").and_then(Value::as_object);
        let refused = refused.context("the simulator does not say what it refused")?;
        let statuses = report
            .get("statuses")
            .context("the simulator has no statuses")?;
        let webhooks = report
            .get("webhooks")
            .context("the simulator has no webhooks")?;
        let rate = report.get("rate_per_second").and_then(Value::as_f64);
        Ok(Self {
            accepted: count(report, "accepted")?,
            with_more_than_one: count(report, "recipients_with_more_than_one")?,
            refused: refused
                .iter()
                .map(|(code, count)| (code.clone(), count.as_u64().unwrap_or(0)))
                .collect(),
            rate_per_second: rate.context("the simulator has no rate")?,
            delivered: count(statuses, "delivered")?,
            read: count(statuses, "read")?,
            failed: count(statuses, "failed")?,
            waiting: count(webhooks, "waiting")?,
            last_ms: report.get("last_arrival_ms").and_then(Value::as_i64),
        })
    }

    /// Leaves out what was refused before the campaign began. An instant cannot separate that: the
    /// campaign begins at the last arrival, and refusals may have followed it.
    pub fn without(mut self, before: &Self) -> Self {
        for (code, count) in &before.refused {
            if let Some(refused) = self.refused.get_mut(code) {
                *refused = refused.saturating_sub(*count);
            }
        }
        self.refused.retain(|_, count| *count > 0);
        self
    }
}

/// The rate of the last few seconds.
#[derive(Default)]
pub struct Pace(VecDeque<(Duration, u64)>);

const PACE_OVER: Duration = Duration::from_secs(5);

impl Pace {
    /// Enters a count and returns the rate per second; zero until there are two counts.
    pub fn enter(&mut self, now: Duration, count: u64) -> f64 {
        self.0.push_back((now, count));
        // The oldest that stays is the youngest that is old enough.
        while self
            .0
            .get(1)
            .is_some_and(|(at, _)| now.saturating_sub(*at) >= PACE_OVER)
        {
            self.0.pop_front();
        }
        let Some((since, first)) = self.0.front() else {
            return 0.0;
        };
        let passed = now.saturating_sub(*since).as_secs_f64();
        if passed > 0.0 {
            count.saturating_sub(*first) as f64 / passed
        } else {
            0.0
        }
    }
}

/// Decides when a completed campaign has nothing more to expect.
pub struct Settling {
    since: Option<Duration>,
    seen: Option<(Figures, Arrivals)>,
    changed: Duration,
    /// How long a message may still be told of after the last one was sent.
    life: Duration,
    /// Never gives up while the simulator has something to tell.
    patient: bool,
}

/// A message is read at most this long after it was sent, by the simulator's usual settings, so that
/// before it nothing is final.
pub const LIFE: Duration = Duration::from_secs(15);
const STILL: Duration = Duration::from_secs(2);
/// After this long without a change the two sides will not agree any more. The checks say how.
const STUCK: Duration = Duration::from_secs(30);

impl Default for Settling {
    fn default() -> Self {
        Self {
            since: None,
            seen: None,
            changed: Duration::ZERO,
            life: LIFE,
            patient: false,
        }
    }
}

impl Settling {
    /// For an instance that is unreachable at times: the simulator tells it again, after minutes too.
    #[must_use]
    pub fn patient(life: Duration) -> Self {
        Self {
            life,
            patient: true,
            ..Self::default()
        }
    }

    /// Enters what both sides count now, and says whether that is final.
    pub fn enter(&mut self, now: Duration, figures: Figures, arrivals: &Arrivals) -> bool {
        let began = *self.since.get_or_insert(now);
        let told = arrivals.waiting == 0
            && arrivals.delivered + arrivals.failed == arrivals.accepted
            && (figures.delivered, figures.read) == (arrivals.delivered, arrivals.read);
        let same = self
            .seen
            .as_ref()
            .is_some_and(|(old, seen)| *old == figures && seen == arrivals);
        if !same {
            self.changed = now;
            self.seen = Some((figures, arrivals.clone()));
        }
        let still = now.saturating_sub(self.changed);
        let old = now.saturating_sub(began) >= self.life;
        let stuck = still >= STUCK && !(self.patient && arrivals.waiting > 0);
        (told && old && still >= STILL) || stuck
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_pace_is_that_of_the_last_seconds() {
        let mut pace = Pace::default();
        assert!(pace.enter(at(0), 0).abs() < 1e-9);
        for step in 1..=40 {
            let rate = pace.enter(at(step * 500), step * 40);
            assert!((rate - 80.0).abs() < 1e-9, "{rate}");
        }
        for step in 41..=50 {
            pace.enter(at(step * 500), 1600);
        }
        assert!(pace.enter(at(25_500), 1600).abs() < 1e-9);
    }

    #[test]
    fn refusals_from_before_are_left_out() {
        let report = |refused: Value| {
            let report = json!({
                "accepted": 2, "recipients": 2, "recipients_with_more_than_one": 0, "refused": refused,
                "first_arrival_ms": 1, "last_arrival_ms": 2, "rate_per_second": 80.0,
                "statuses": {"sent": 2, "delivered": 1, "read": 1, "failed": 0},
                "webhooks": {"posts": 1, "retries": 0, "waiting": 0},
            });
            Arrivals::of(&report).unwrap()
        };
        let before = report(json!({"130429": 3, "100": 1}));
        let after = report(json!({"130429": 3, "100": 2})).without(&before);
        assert_eq!(after.refused, BTreeMap::from([("100".to_owned(), 1)]));
    }

    #[test]
    fn it_settles_when_both_sides_agree_and_nothing_moves() {
        let figures = Figures {
            recipients: 3,
            sent: 2,
            delivered: 2,
            read: 1,
            failed: 1,
            ..Figures::default()
        };
        let arrivals = Arrivals {
            accepted: 3,
            delivered: 2,
            read: 1,
            failed: 1,
            ..Arrivals::default()
        };
        let behind = Figures { read: 0, ..figures };
        let mut settling = Settling::default();
        assert!(!settling.enter(at(0), behind, &arrivals));
        assert!(!settling.enter(at(14_000), figures, &arrivals));
        assert!(!settling.enter(at(15_500), figures, &arrivals));
        assert!(settling.enter(at(16_000), figures, &arrivals));

        let mut stuck = Settling::default();
        assert!(!stuck.enter(at(0), behind, &arrivals));
        assert!(!stuck.enter(at(20_000), behind, &arrivals));
        assert!(stuck.enter(at(30_000), behind, &arrivals));
    }
}
