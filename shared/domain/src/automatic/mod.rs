//! Answers that a workspace gives by itself, and which of them a message gets.
//!
//! The order is set: rules by keyword, then the welcome, then the note that nobody is there; among those
//! of one kind their order in the list. The first that fits is given, and a message gets one at most.

mod choice;
mod hours;
mod keyword;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::chat::Content;
use crate::contact::InvalidField;
use crate::fold;
use crate::id::{AnswerId, ChannelId};

pub use choice::{Before, Heard, Line, MAX_AGE, REMEMBERED, candidates, choose, pressed};
pub use hours::{Clock, Hours, Interval, InvalidClock, Weekly};
pub use keyword::Match;

const NAME_MAX: usize = 80;
const KEYWORDS_MAX: usize = 50;
const KEYWORD_MAX: usize = 100;

/// 31 days.
const PERIOD_MAX: u32 = 31 * 24 * 60;
const SILENCE_MAX: u32 = 365;

/// An answer and when it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub id: AnswerId,
    pub name: String,
    pub active: bool,
    pub trigger: Trigger,
    /// Only there; empty: wherever people write to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<ChannelId>,
    pub content: Content,
    pub created_at: Timestamp,
}

/// What an answer is given to. A period is the time in which a person gets it at most once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    Keyword {
        #[serde(rename = "match")]
        how: Match,
        keywords: Vec<String>,
        #[serde(default = "a_minute")]
        period_minutes: u32,
    },
    /// The first message of a person to a number.
    Welcome {
        /// Also the first after so many days of silence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silence_days: Option<u32>,
    },
    /// A message outside the business hours.
    Away {
        #[serde(default = "half_a_day")]
        period_minutes: u32,
    },
}

fn a_minute() -> u32 {
    1
}

fn half_a_day() -> u32 {
    12 * 60
}

impl Trigger {
    /// The place of its kind in the order.
    fn rank(&self) -> u8 {
        match self {
            Self::Keyword { .. } => 0,
            Self::Welcome { .. } => 1,
            Self::Away { .. } => 2,
        }
    }

    /// How long a person who got the answer does not get it again; `None`: for ever.
    fn period(&self) -> Option<SignedDuration> {
        let minutes = match self {
            Self::Keyword { period_minutes, .. } | Self::Away { period_minutes } => *period_minutes,
            Self::Welcome { silence_days } => (*silence_days)? * 24 * 60,
        };
        Some(SignedDuration::from_mins(minutes.into()))
    }

    fn check(&self, faults: &mut Vec<InvalidField>) {
        let mut fault = |field: &str, message: String| {
            faults.push(InvalidField::new(format!("trigger.{field}"), message));
        };
        match self {
            Self::Keyword {
                keywords,
                period_minutes,
                ..
            } => {
                if keywords.is_empty() || keywords.len() > KEYWORDS_MAX {
                    fault(
                        "keywords",
                        format!("1 to {KEYWORDS_MAX} keywords are allowed"),
                    );
                }
                for (place, keyword) in keywords.iter().enumerate() {
                    let field = format!("keywords[{place}]");
                    if keyword.chars().count() > KEYWORD_MAX {
                        fault(
                            &field,
                            format!("at most {KEYWORD_MAX} characters are allowed"),
                        );
                    } else if fold::words(keyword).is_empty() {
                        fault(&field, "a keyword needs a letter or a digit".to_owned());
                    }
                }
                if *period_minutes > PERIOD_MAX {
                    fault("period_minutes", format!("0 to {PERIOD_MAX} minutes"));
                }
            }
            Self::Welcome { silence_days } => {
                if silence_days.is_some_and(|days| !(1..=SILENCE_MAX).contains(&days)) {
                    fault("silence_days", format!("1 to {SILENCE_MAX} days"));
                }
            }
            // Without a period, everybody who writes at night would be told with every message.
            Self::Away { period_minutes } => {
                if !(1..=PERIOD_MAX).contains(period_minutes) {
                    fault("period_minutes", format!("1 to {PERIOD_MAX} minutes"));
                }
            }
        }
    }
}

impl Answer {
    /// Whether it can be given, as far as it can be told without the file that it shows.
    ///
    /// # Errors
    /// Every field that is not acceptable.
    pub fn check(&self) -> Result<(), Vec<InvalidField>> {
        let mut faults = Vec::new();
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
            let message = format!("an answer has a name of 1 to {NAME_MAX} characters on one line");
            faults.push(InvalidField::new("name", message));
        }
        self.trigger.check(&mut faults);
        match &self.content {
            Content::Reaction { .. } | Content::Template(_) => {
                let message = "an automatic answer is neither a reaction nor a template";
                faults.push(InvalidField::new("content.type", message));
            }
            content => faults.extend(content.check().err().unwrap_or_default()),
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(trigger: Value, content: Value) -> Vec<String> {
        let answer = Answer {
            id: AnswerId::fresh(),
            name: "Prices".into(),
            active: true,
            trigger: serde_json::from_value(trigger).unwrap(),
            channels: BTreeSet::new(),
            content: serde_json::from_value(content).unwrap(),
            created_at: Timestamp::UNIX_EPOCH,
        };
        let faults = answer.check().err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn every_fault_is_named_by_its_field() {
        let text = json!({"type": "text", "text": "Hello"});
        let keyword =
            |keywords: Value| json!({"type": "keyword", "match": "exact", "keywords": keywords});
        assert!(faults(keyword(json!(["price"])), text.clone()).is_empty());
        assert_eq!(
            faults(keyword(json!([])), text.clone()),
            ["trigger.keywords"]
        );
        let wrong = keyword(json!(["ok", " ? ", "x".repeat(101)]));
        assert_eq!(
            faults(wrong, text.clone()),
            ["trigger.keywords[1]", "trigger.keywords[2]"]
        );
        let welcome = json!({"type": "welcome", "silence_days": 0});
        assert_eq!(faults(welcome, text.clone()), ["trigger.silence_days"]);
        let away = json!({"type": "away", "period_minutes": 0});
        assert_eq!(faults(away, text), ["trigger.period_minutes"]);
        let away = json!({"type": "away"});
        let long = json!({"type": "text", "text": "x".repeat(4097)});
        assert_eq!(faults(away.clone(), long), ["content.text"]);
        let template = json!({"type": "template", "template": "6"});
        assert_eq!(faults(away, template), ["content.type"]);
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for trigger in [
            json!({"type": "away", "hours": 3}),
            json!({"type": "regex", "keywords": ["a"]}),
            json!({"type": "keyword", "match": "like", "keywords": ["a"]}),
        ] {
            assert!(serde_json::from_value::<Trigger>(trigger).is_err());
        }
    }
}
