//! Which answer a message gets, told from the settings, the message and what was said before it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Answer, Hours, Trigger};
use crate::event::InboundContent;
use crate::fold;
use crate::id::{AnswerId, ChannelId};

/// A message that comes later than this is for a person to answer: who wrote it expects no machine any more.
pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(10);

/// How many answers in one run a chat gets. Two machines that answer each other say no more than this.
const BUDGET: usize = 3;

/// How many of the last answers must be remembered for that.
pub const REMEMBERED: usize = BUDGET;

/// Whoever writes nothing for this time begins a new run.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// Nobody is away who wrote a moment ago.
const PRESENCE: SignedDuration = SignedDuration::from_mins(15);

/// A text of ours that is repeated within a longer one is an echo only if nobody says it by chance.
const ECHO_MIN: usize = 20;

/// A message that may be answered.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    pub channel: &'a ChannelId,
    pub content: &'a InboundContent,
    pub at: Timestamp,
}

/// Something that was said in the chat before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// The person wrote, or pressed a button.
    Heard { at: Timestamp, pressed: bool },
    /// Somebody of the team wrote.
    Team { at: Timestamp },
    /// The workspace by itself, with these words.
    Automatic { words: &'a str },
}

/// What was before a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// When the person wrote last.
    heard_at: Option<Timestamp>,
    team_at: Option<Timestamp>,
    /// Since when nobody but the person and machines said anything, and the person without a pause.
    run_since: Timestamp,
    /// The person says what the workspace said by itself.
    echo: bool,
}

impl Before {
    /// What the lines before a message tell, the newest first. `whole`: there are no others.
    pub fn of<'a>(
        heard: Heard<'_>,
        lines: impl IntoIterator<Item = Line<'a>>,
        whole: bool,
    ) -> Self {
        let said = fold::words(heard.content.words());
        let (mut heard_at, mut team_at, mut run_since, mut echo) = (None, None, None, false);
        let mut next = heard.at;
        for line in lines {
            match line {
                Line::Heard { at, pressed } => {
                    heard_at = heard_at.or(Some(at));
                    if next.duration_since(at) > PAUSE {
                        run_since = run_since.or(Some(next));
                    }
                    if pressed {
                        run_since = run_since.or(Some(at));
                    }
                    next = at;
                }
                Line::Team { at } => {
                    team_at = team_at.or(Some(at));
                    run_since = run_since.or(Some(at));
                }
                Line::Automatic { words } => echo |= is_echo(&said, &fold::words(words)),
            }
        }
        Self {
            // Among so many lines the person said nothing, but they may have before.
            heard_at: heard_at.or((!whole).then_some(next)),
            team_at,
            run_since: run_since.unwrap_or(Timestamp::MIN),
            echo,
        }
    }
}

fn is_echo(said: &str, ours: &str) -> bool {
    !ours.is_empty() && (said == ours || ours.len() >= ECHO_MIN && said.contains(ours))
}

/// The answers that a message may get by what it says and when, in their order. For nearly all messages
/// there are none.
#[must_use]
pub fn candidates<'a>(
    answers: &'a [Answer],
    hours: &Hours,
    zone: &TimeZone,
    heard: Heard<'_>,
) -> Vec<&'a Answer> {
    if !answerable(heard.content) {
        return Vec::new();
    }
    let fits = |answer: &&Answer| {
        let here = answer.channels.is_empty() || answer.channels.contains(heard.channel);
        answer.active
            && here
            && match &answer.trigger {
                Trigger::Keyword { how, keywords, .. } => keywords
                    .iter()
                    .any(|keyword| how.is_said(keyword, heard.content)),
                Trigger::Welcome { .. } => true,
                Trigger::Away { .. } => !hours.is_open(heard.at, zone),
            }
    };
    let mut fitting: Vec<&Answer> = answers.iter().filter(fits).collect();
    fitting.sort_by_key(|answer| answer.trigger.rank());
    fitting
}

/// The answer that a message gets. `given` is when the chat got an answer last, and `recent` when it got
/// the last [`REMEMBERED`] of whatever kind.
#[must_use]
pub fn choose<'a>(
    candidates: &[&'a Answer],
    heard: Heard<'_>,
    before: &Before,
    given: &BTreeMap<AnswerId, Timestamp>,
    recent: &[Timestamp],
) -> Option<&'a Answer> {
    let in_run = recent.iter().filter(|at| **at >= before.run_since).count();
    // Who presses a button is no machine.
    if before.echo || in_run >= BUDGET && !pressed(heard.content) {
        return None;
    }
    candidates.iter().copied().find(|answer| {
        let over = match (given.get(&answer.id), answer.trigger.period()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(at), Some(period)) => heard.at.duration_since(*at) >= period,
        };
        over && fits(&answer.trigger, heard.at, before)
    })
}

fn fits(trigger: &Trigger, at: Timestamp, before: &Before) -> bool {
    let longer_ago = |since: Option<Timestamp>, time: SignedDuration| {
        since.is_none_or(|since| at.duration_since(since) >= time)
    };
    match trigger {
        Trigger::Keyword { .. } => true,
        Trigger::Welcome { .. } => match trigger.period() {
            Some(silence) => longer_ago(before.heard_at, silence),
            None => before.heard_at.is_none(),
        },
        Trigger::Away { .. } => longer_ago(before.team_at, PRESENCE),
    }
}

/// Whether a person pressed something that the workspace offered.
#[must_use]
pub fn pressed(content: &InboundContent) -> bool {
    matches!(
        content,
        InboundContent::Button { .. } | InboundContent::Choice { .. }
    )
}

/// Whether the person says something to the business. Reactions, notices and what cannot be read do not.
fn answerable(content: &InboundContent) -> bool {
    match content {
        InboundContent::Text { .. }
        | InboundContent::Button { .. }
        | InboundContent::Choice { .. }
        | InboundContent::Form { .. }
        | InboundContent::Media(_)
        | InboundContent::Location(_)
        | InboundContent::Contacts(_)
        | InboundContent::Order { .. } => true,
        InboundContent::Reaction { .. }
        | InboundContent::System { .. }
        | InboundContent::Edit { .. }
        | InboundContent::Revoke { .. }
        | InboundContent::Unsupported { .. }
        | InboundContent::Other { .. } => false,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
