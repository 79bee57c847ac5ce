//! What becomes of an accepted message: a pure function of the seed, the recipient and how many
//! messages they had before, so that a run repeats whatever the order of arrival.

use serde::{Deserialize, Serialize};

use crate::chance::{Draws, between};
use crate::faults::Then;
use crate::people::Habit;
use crate::settings::Settings;

/// The code of a message that was held for its template's quality and dropped.
const DROPPED: u32 = 132_015;

/// A step in the life of a message that its sender is told about, or at last the person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Sent,
    Delivered,
    Read,
    Failed,
    /// Not a status: the person has written back.
    Replied,
    /// A voice note was listened to.
    Played,
}

impl Step {
    /// The steps that are told as statuses, in the order of a message's life.
    pub(crate) const STATUSES: [Step; 5] = [
        Step::Sent,
        Step::Delivered,
        Step::Read,
        Step::Played,
        Step::Failed,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Sent => "sent",
            Step::Delivered => "delivered",
            Step::Read => "read",
            Step::Played => "played",
            Step::Failed => "failed",
            Step::Replied => "replied",
        }
    }

    /// Its place in a message's mask of steps.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What decides the fate of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cause {
    Chance,
    /// A limit, an account in trouble or a rule. Without a delay it takes the usual one.
    Failure {
        code: u32,
        delay_ms: Option<u64>,
    },
    /// Nobody is ever told anything.
    Silence,
    /// Its template's quality is looked at first.
    Held {
        then: Then,
        after_ms: u64,
    },
}

/// The message whose fate is asked for.
pub(crate) struct Subject<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) recipient: &'a str,
    /// How many messages they had before.
    pub(crate) nth: u32,
    pub(crate) is_template: bool,
    /// Of a reaction nothing is told but that it was sent.
    pub(crate) is_reaction: bool,
    pub(crate) is_voice: bool,
    pub(crate) reads: Habit,
    pub(crate) plays: Habit,
    pub(crate) arrived_ms: i64,
    pub(crate) answered_ms: i64,
}

/// The steps ahead of one message, at absolute instants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Due instants by [`Step`].
    due_ms: [Option<i64>; 4],
    #[serde(default)]
    played_ms: Option<i64>,
    pub(crate) fail_code: u32,
    #[serde(default)]
    pub(crate) reply: Option<Reply>,
}

/// The answer of the person.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) at_ms: i64,
    pub(crate) stop: bool,
}

impl Plan {
    pub(crate) fn due(&self, step: Step) -> Option<i64> {
        match step {
            Step::Played => self.played_ms,
            _ => self.due_ms.get(step as usize).copied().flatten(),
        }
    }

    /// The statuses ahead.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (Step, i64)> + '_ {
        Step::STATUSES
            .into_iter()
            .filter_map(|step| Some((step, self.due(step)?)))
    }

    fn set(&mut self, step: Step, at_ms: i64) {
        match step {
            Step::Played => self.played_ms = Some(at_ms),
            _ => {
                if let Some(due) = self.due_ms.get_mut(step as usize) {
                    *due = Some(at_ms);
                }
            }
        }
    }

    /// Has a step happen now, and with it every earlier one that is still ahead; says which. `None` when
    /// the message never gets there.
    pub(crate) fn reach(&mut self, step: Step, now_ms: i64) -> Option<Vec<Step>> {
        self.due(Step::Sent).or(self.due(Step::Delivered))?;
        if self.due(Step::Failed).is_some() {
            return None;
        }
        let life = [Step::Sent, Step::Delivered, Step::Read, Step::Played];
        let mut reached = Vec::new();
        for earlier in life.into_iter().take_while(|earlier| *earlier != step) {
            // A delivery that is never told is passed over; what was never read is read now.
            let due = self.due(earlier);
            let unread = earlier == Step::Read && due.is_none();
            if unread || due.is_some_and(|due| due > now_ms) {
                reached.push(earlier);
            }
        }
        if self.due(step).is_none_or(|due| due > now_ms) {
            reached.push(step);
        }
        for step in &reached {
            self.set(*step, now_ms);
        }
        Some(reached)
    }
}

/// Decides the steps of a message.
pub(crate) fn plan(of: &Subject<'_>, cause: Cause) -> Plan {
    let timing = &of.settings.timing;
    let mut draws = Draws::new(of.settings.seed, of.nth, &[of.recipient]);
    let fails = draws.draw();
    let mut failed_ms = draws.between(timing.failed_ms);
    let start_ms = match cause {
        Cause::Held { after_ms, .. } => of.answered_ms + between((after_ms, after_ms), 0.0),
        _ => of.answered_ms,
    };
    let code = match cause {
        Cause::Silence => return Plan::default(),
        Cause::Failure { code, delay_ms } => {
            failed_ms = delay_ms.map_or(failed_ms, |delay| between((delay, delay), 0.0));
            Some(code)
        }
        Cause::Held {
            then: Then::Drop, ..
        } => {
            failed_ms = 0;
            Some(DROPPED)
        }
        _ if fails < timing.fail_share => Some(timing.fail_code),
        _ => None,
    };
    let mut plan = match code {
        Some(code) => failure(of, code, start_ms + failed_ms),
        None => success(of, &mut draws, start_ms),
    };
    let mut delay = Draws::new(of.settings.seed, of.nth, &["late:", of.recipient]);
    if delay.hits(of.settings.disorder.late_share) {
        let late = delay.between(of.settings.disorder.late_ms);
        plan.due_ms
            .iter_mut()
            .chain([&mut plan.played_ms])
            .flatten()
            .for_each(|due| *due += late);
    }
    plan
}

fn failure(of: &Subject<'_>, code: u32, at_ms: i64) -> Plan {
    let mut plan = Plan {
        fail_code: code,
        ..Plan::default()
    };
    plan.set(Step::Failed, at_ms);
    let mut draws = Draws::new(of.settings.seed, of.nth, &["sent first:", of.recipient]);
    if draws.hits(of.settings.timing.fail_after_sent_share) {
        plan.set(Step::Sent, of.answered_ms.midpoint(at_ms));
    }
    plan
}

fn success(of: &Subject<'_>, draws: &mut Draws, start_ms: i64) -> Plan {
    let (timing, disorder) = (&of.settings.timing, &of.settings.disorder);
    let mut plan = Plan::default();
    let mut sent = start_ms + draws.between(timing.sent_ms);
    let mut delivered = sent + draws.between(timing.delivered_ms);
    let reads = draws.draw();
    let read = draws.between(timing.read_ms);
    let skipped = draws.hits(disorder.skip_delivered_share);
    let early = draws.hits(disorder.early_share);
    // What is held has not left before it is released.
    if early && start_ms == of.answered_ms && of.arrived_ms < of.answered_ms {
        sent = of.arrived_ms;
        delivered = of.arrived_ms.midpoint(of.answered_ms);
    }
    plan.set(Step::Sent, sent);
    if of.is_reaction {
        return plan;
    }
    if !skipped {
        plan.set(Step::Delivered, delivered);
    }
    if of.reads.or(reads < timing.read_share) {
        plan.set(Step::Read, delivered + read);
        if of.is_voice {
            let mut draws = Draws::new(of.settings.seed, of.nth, &["plays:", of.recipient]);
            let by_chance = draws.hits(timing.played_share);
            let played = delivered + read + draws.between(timing.read_ms);
            if of.plays.or(by_chance) {
                plan.set(Step::Played, played);
            }
        }
    }
    if of.is_template {
        plan.reply = reply(of, delivered);
    }
    plan
}

fn reply(of: &Subject<'_>, delivered_ms: i64) -> Option<Reply> {
    let replies = &of.settings.replies;
    let mut draws = Draws::new(of.settings.seed, of.nth, &["reply:", of.recipient]);
    draws.hits(replies.share).then(|| Reply {
        at_ms: delivered_ms + draws.between(replies.after_ms),
        stop: draws.hits(replies.stop_share),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Disorder, Replies, Timing};

    fn fate(settings: &Settings, recipient: &str, nth: u32, cause: Cause) -> Plan {
        let subject = Subject {
            settings,
            recipient,
            nth,
            is_template: true,
            is_reaction: false,
            is_voice: false,
            reads: Habit::ByChance,
            plays: Habit::ByChance,
            arrived_ms: 1000,
            answered_ms: 2200,
        };
        plan(&subject, cause)
    }

    fn settings(seed: u64) -> Settings {
        Settings {
            seed,
            ..Settings::default()
        }
    }

    fn people() -> impl Iterator<Item = String> {
        (0..10_000).map(|person| format!("62812{person:07}"))
    }

    #[test]
    fn the_same_message_always_meets_the_same_fate() {
        let of = |seed, recipient, nth| fate(&settings(seed), recipient, nth, Cause::Chance);
        let first = of(7, "6281200000001", 0);
        assert_eq!(first, of(7, "6281200000001", 0));
        assert_ne!(first, of(8, "6281200000001", 0));
        assert_ne!(first, of(7, "6281200000001", 1));
        assert_ne!(first, of(7, "6281200000002", 0));
    }

    #[test]
    fn shares_and_delays_are_those_of_the_settings() {
        let (mut failed, mut read) = (0, 0);
        for person in people() {
            let plan = fate(&settings(1), &person, 0, Cause::Chance);
            if let Some(at) = plan.due(Step::Failed) {
                assert!((2400..10_200).contains(&at));
                assert_eq!(plan.steps().count(), 1);
                failed += 1;
                continue;
            }
            let sent = plan.due(Step::Sent).unwrap();
            let delivered = plan.due(Step::Delivered).unwrap();
            assert!((2250..3000).contains(&sent));
            assert!((300..4000).contains(&(delivered - sent)));
            if let Some(at) = plan.due(Step::Read) {
                assert!((1000..8000).contains(&(at - delivered)));
                read += 1;
            }
            assert_eq!(plan.reply, None);
        }
        assert!((150..250).contains(&failed), "{failed} of 10000 failed");
        assert!((6600..7100).contains(&read), "{read} of 10000 were read");
    }

    #[test]
    fn a_share_of_people_answers_after_the_delivery_and_some_of_them_say_stop() {
        let settings = Settings {
            replies: Replies {
                share: 0.1,
                stop_share: 0.5,
                after_ms: (500, 1000),
            },
            ..settings(1)
        };
        let (mut replied, mut stopped) = (0, 0);
        for person in people() {
            let plan = fate(&settings, &person, 0, Cause::Chance);
            let Some(reply) = plan.reply else { continue };
            let delivered = plan.due(Step::Delivered).unwrap();
            assert!((500..1000).contains(&(reply.at_ms - delivered)));
            replied += 1;
            stopped += i32::from(reply.stop);
        }
        assert!((900..1100).contains(&replied), "{replied} of 10000 replied");
        assert!((400..600).contains(&stopped), "{stopped} said stop");
    }

    #[test]
    fn statuses_are_skipped_early_and_late_as_told() {
        let mut settings = Settings {
            timing: Timing {
                fail_share: 0.0,
                read_share: 1.0,
                ..Timing::default()
            },
            disorder: Disorder {
                skip_delivered_share: 1.0,
                early_share: 1.0,
                ..Disorder::default()
            },
            ..settings(1)
        };
        let plan = fate(&settings, "6281200000001", 0, Cause::Chance);
        assert_eq!(plan.due(Step::Sent), Some(1000), "as soon as it arrived");
        assert_eq!(plan.due(Step::Delivered), None);
        let early = plan.due(Step::Read).unwrap();
        settings.disorder.late_share = 1.0;
        settings.disorder.late_ms = (50_000, 50_000);
        let late = fate(&settings, "6281200000001", 0, Cause::Chance);
        assert_eq!(late.due(Step::Read), Some(early + 50_000));
    }

    #[test]
    fn what_is_held_is_released_later_or_dropped_with_its_template() {
        let held = |then| {
            let cause = Cause::Held {
                then,
                after_ms: 60_000,
            };
            let mut settings = settings(1);
            settings.timing.fail_share = 0.0;
            fate(&settings, "6281200000001", 0, cause)
        };
        let dropped = held(Then::Drop);
        assert_eq!(dropped.due(Step::Failed), Some(62_200));
        assert_eq!(dropped.fail_code, 132_015);
        assert!(held(Then::Release).due(Step::Sent).unwrap() >= 62_250);
    }
}
