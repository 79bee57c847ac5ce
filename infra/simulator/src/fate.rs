//! What becomes of an accepted message: a pure function of the seed, the recipient and how many
//! messages they had before, so that a run repeats whatever the order of arrival.
//!
//! Asynchronous faults belong here: another fate is another answer of [`plan`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::settings::Timing;

/// A step in the life of a message that its sender is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Sent,
    Delivered,
    Read,
    Failed,
}

impl Step {
    pub(crate) const ALL: [Step; 4] = [Step::Sent, Step::Delivered, Step::Read, Step::Failed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Sent => "sent",
            Step::Delivered => "delivered",
            Step::Read => "read",
            Step::Failed => "failed",
        }
    }

    /// Its place in a message's mask of steps.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The steps ahead of one message, at absolute instants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Due instants by [`Step`].
    due_ms: [Option<i64>; 4],
    pub(crate) fail_code: u32,
}

impl Plan {
    pub(crate) fn due(&self, step: Step) -> Option<i64> {
        self.due_ms[step as usize]
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = (Step, i64)> + '_ {
        Step::ALL
            .into_iter()
            .filter_map(|step| Some((step, self.due(step)?)))
    }
}

/// Decides the steps of the `nth` message to `recipient`, counted from `answered_ms`.
pub(crate) fn plan(
    seed: u64,
    recipient: &str,
    nth: u32,
    timing: &Timing,
    answered_ms: i64,
) -> Plan {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(nth.to_be_bytes());
    hash.update(recipient.as_bytes());
    let drawn = hash.finalize();
    // Six independent numbers in [0, 1), four bytes each.
    let mut draws = drawn.chunks_exact(4).map(|bytes| {
        let value = bytes
            .iter()
            .fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        f64::from(value) / (f64::from(u32::MAX) + 1.0)
    });
    let mut draw = || draws.next().unwrap_or(0.0);

    let (fails, failed, sent, delivered, reads, read) =
        (draw(), draw(), draw(), draw(), draw(), draw());
    let mut plan = Plan {
        fail_code: timing.fail_code,
        ..Plan::default()
    };
    if fails < timing.fail_share {
        plan.due_ms[Step::Failed as usize] = Some(answered_ms + between(timing.failed_ms, failed));
        return plan;
    }
    let sent = answered_ms + between(timing.sent_ms, sent);
    let delivered = sent + between(timing.delivered_ms, delivered);
    plan.due_ms[Step::Sent as usize] = Some(sent);
    plan.due_ms[Step::Delivered as usize] = Some(delivered);
    if reads < timing.read_share {
        plan.due_ms[Step::Read as usize] = Some(delivered + between(timing.read_ms, read));
    }
    plan
}

fn between((shortest, longest): (u64, u64), draw: f64) -> i64 {
    let span = longest.saturating_sub(shortest) as f64;
    i64::try_from(shortest).unwrap_or(i64::MAX / 4) + (span * draw) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_always_meets_the_same_fate() {
        let timing = Timing::default();
        let first = plan(7, "6281200000001", 0, &timing, 1000);
        assert_eq!(first, plan(7, "6281200000001", 0, &timing, 1000));
        assert_ne!(first, plan(8, "6281200000001", 0, &timing, 1000));
        assert_ne!(first, plan(7, "6281200000001", 1, &timing, 1000));
        assert_ne!(first, plan(7, "6281200000002", 0, &timing, 1000));
    }

    #[test]
    fn shares_and_delays_are_those_of_the_settings() {
        let timing = Timing::default();
        let (mut failed, mut read) = (0, 0);
        for person in 0..10_000 {
            let plan = plan(1, &format!("62812{person:07}"), 0, &timing, 0);
            if let Some(at) = plan.due(Step::Failed) {
                assert!((200..8000).contains(&at));
                assert_eq!(plan.steps().count(), 1);
                failed += 1;
                continue;
            }
            let sent = plan.due(Step::Sent).unwrap();
            let delivered = plan.due(Step::Delivered).unwrap();
            assert!((50..800).contains(&sent));
            assert!((300..4000).contains(&(delivered - sent)));
            if let Some(at) = plan.due(Step::Read) {
                assert!((1000..8000).contains(&(at - delivered)));
                read += 1;
            }
        }
        assert!((150..250).contains(&failed), "{failed} of 10000 failed");
        assert!((6600..7100).contains(&read), "{read} of 10000 were read");
    }
}
