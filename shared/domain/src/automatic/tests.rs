use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::automatic::Weekly;
use crate::chat::Content;

const NOW: i64 = 1_795_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn answer(name: &str, trigger: Value) -> Answer {
    Answer {
        id: AnswerId::derived(&[name]),
        name: name.to_owned(),
        active: true,
        trigger: serde_json::from_value(trigger).unwrap(),
        channels: BTreeSet::new(),
        content: Content::Text {
            text: name.to_owned(),
        },
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn keyword(name: &str, word: &str) -> Answer {
    let trigger =
        json!({"type": "keyword", "match": "contains", "keywords": [word], "period_minutes": 0});
    answer(name, trigger)
}

fn away() -> Answer {
    answer("away", json!({"type": "away"}))
}

fn welcome(silence_days: Option<u32>) -> Answer {
    answer(
        "welcome",
        json!({"type": "welcome", "silence_days": silence_days}),
    )
}

/// A business that is always closed, and what it was asked.
struct Asked {
    answers: Vec<Answer>,
    channel: ChannelId,
    content: InboundContent,
    given: BTreeMap<AnswerId, Timestamp>,
    recent: Vec<Timestamp>,
    whole: bool,
}

impl Asked {
    fn new(answers: &[Answer], text: &str) -> Self {
        Self {
            answers: answers.to_vec(),
            channel: ChannelId::derived(&["1"]),
            content: InboundContent::Text {
                body: text.to_owned(),
            },
            given: BTreeMap::new(),
            recent: Vec::new(),
            whole: true,
        }
    }

    fn given(mut self, answer: &Answer, second: i64) -> Self {
        self.given.insert(answer.id.clone(), at(second));
        self.recent.push(at(second));
        self
    }

    fn after(&self, lines: &[Line<'_>]) -> Option<&str> {
        let heard = Heard {
            channel: &self.channel,
            content: &self.content,
            at: at(NOW),
        };
        let closed = Hours {
            weekly: Weekly::default(),
            holidays: BTreeSet::new(),
        };
        let before = Before::of(heard, lines.iter().copied(), self.whole);
        let candidates = candidates(&self.answers, &closed, &TimeZone::UTC, heard);
        let chosen = choose(&candidates, heard, &before, &self.given, &self.recent);
        chosen.map(|answer| answer.name.as_str())
    }
}

fn wrote(second: i64) -> Line<'static> {
    Line::Heard {
        at: at(second),
        pressed: false,
    }
}

fn team(second: i64) -> Line<'static> {
    Line::Team { at: at(second) }
}

#[test]
fn a_rule_goes_before_the_welcome_and_the_welcome_before_the_note() {
    let all = [
        away(),
        welcome(None),
        keyword("second", "price"),
        keyword("third", "price list"),
    ];
    assert_eq!(Asked::new(&all, "Price list?").after(&[]), Some("second"));
    assert_eq!(Asked::new(&all, "Hello").after(&[]), Some("welcome"));
    let earlier = [wrote(NOW - 60)];
    assert_eq!(Asked::new(&all, "Hello").after(&earlier), Some("away"));
    assert_eq!(Asked::new(&all[1..], "Hello").after(&earlier), None);
}

#[test]
fn an_answer_that_is_off_or_for_another_number_is_not_given() {
    let mut off = keyword("off", "price");
    off.active = false;
    let mut elsewhere = keyword("elsewhere", "price");
    elsewhere.channels = [ChannelId::derived(&["2"])].into();
    let mut here = keyword("here", "price");
    here.channels = [ChannelId::derived(&["1"])].into();
    let all = [off, elsewhere, here];
    assert_eq!(Asked::new(&all, "price").after(&[]), Some("here"));
}

#[test]
fn within_its_period_nobody_gets_an_answer_twice() {
    let earlier = [wrote(NOW - 1)];
    let half_a_day = 12 * 3600;
    let asked = |second: i64| Asked::new(&[away()], "Hi").given(&away(), second);
    assert_eq!(asked(NOW - half_a_day + 1).after(&earlier), None);
    assert_eq!(asked(NOW - half_a_day).after(&earlier), Some("away"));
    // A message from before, told late, is not answered either.
    assert_eq!(asked(NOW + 5).after(&earlier), None);
}

#[test]
fn a_welcome_is_for_the_first_message_and_after_a_silence_if_so_set() {
    let once = Asked::new(&[welcome(None)], "Hi");
    assert_eq!(once.after(&[wrote(NOW - 400 * 86400)]), None);
    assert_eq!(once.after(&[team(NOW - 60)]), Some("welcome"));
    let again = Asked::new(&[welcome(Some(30))], "Hi");
    assert_eq!(again.after(&[wrote(NOW - 29 * 86400)]), None);
    assert_eq!(again.after(&[wrote(NOW - 30 * 86400)]), Some("welcome"));
    // Two first messages that are told in the wrong order are welcomed once.
    let both = Asked::new(&[welcome(None)], "Hi").given(&welcome(None), NOW + 1);
    assert_eq!(both.after(&[]), None);
    // A thread too long to be read whole began some time ago.
    let long = Asked {
        whole: false,
        ..Asked::new(&[welcome(None)], "Hi")
    };
    assert_eq!(long.after(&[team(NOW - 60)]), None);
}

#[test]
fn nobody_is_said_to_be_away_who_wrote_a_moment_ago() {
    let asked = Asked::new(&[away()], "Hi");
    assert_eq!(asked.after(&[team(NOW - 60), wrote(NOW - 90)]), None);
    assert_eq!(asked.after(&[team(NOW - 900)]), Some("away"));
}

#[test]
fn three_answers_in_a_run_are_enough_until_somebody_shows_to_be_human() {
    let rule = keyword("rule", "price");
    let mut asked = Asked::new(std::slice::from_ref(&rule), "price");
    asked.recent = vec![at(NOW - 30), at(NOW - 20), at(NOW - 10)];
    let run: Vec<_> = (0..4).map(|n| wrote(NOW - 10 * n)).collect();
    assert_eq!(asked.after(&run), None);
    // A member writes, the person pauses, or presses a button.
    assert_eq!(asked.after(&[team(NOW - 5), wrote(NOW - 10)]), Some("rule"));
    let paused = Asked {
        recent: vec![at(NOW - 720), at(NOW - 710), at(NOW - 700)],
        ..Asked::new(std::slice::from_ref(&rule), "price")
    };
    assert_eq!(paused.after(&[wrote(NOW - 601)]), Some("rule"));
    assert_eq!(paused.after(&[wrote(NOW - 600), wrote(NOW - 700)]), None);
    let press = Line::Heard {
        at: at(NOW - 15),
        pressed: true,
    };
    assert_eq!(asked.after(&[press, wrote(NOW - 20)]), Some("rule"));
    let pressed = Asked {
        content: InboundContent::Button {
            text: "Price".into(),
            payload: "p".into(),
        },
        ..asked
    };
    assert_eq!(pressed.after(&run), Some("rule"));
}

#[test]
fn what_we_said_by_ourselves_is_no_question() {
    let rule = keyword("rule", "price");
    let ours = "Our price list: https://shop.example/prices";
    let said = [Line::Automatic { words: ours }];
    let asked = |text: &str| Asked::new(std::slice::from_ref(&rule), text);
    let echo = format!("You wrote: \"{}\"", ours.to_uppercase());
    assert_eq!(asked(ours).after(&said), None);
    assert_eq!(asked(&echo).after(&said), None);
    assert_eq!(asked("the price?").after(&said), Some("rule"));
    // A short word is said by chance.
    let short = [Line::Automatic { words: "OK" }];
    assert_eq!(asked("ok, the price?").after(&short), Some("rule"));
    assert_eq!(
        asked("price").after(&[Line::Automatic { words: "" }]),
        Some("rule")
    );
}

#[test]
fn reactions_notices_and_what_cannot_be_read_get_no_answer() {
    for content in [
        InboundContent::Reaction {
            to_wamid: "1".into(),
            emoji: Some("👍".into()),
        },
        InboundContent::Revoke {
            of_wamid: "1".into(),
        },
        InboundContent::Unsupported {
            kind: None,
            errors: Vec::new(),
        },
        InboundContent::Other {
            kind: "poll".into(),
            value: Value::Null,
        },
    ] {
        let asked = Asked {
            content,
            ..Asked::new(&[away(), welcome(None)], "")
        };
        assert_eq!(asked.after(&[]), None, "{:?}", asked.content);
    }
}

proptest! {
    /// Two machines that answer each other at once, whatever is matched: ours says three things.
    #[test]
    fn a_loop_ends_after_three_answers(pauses in proptest::collection::vec(0_i64..=600, 4..60)) {
        let answers = [keyword("rule", "price"), away(), welcome(None)];
        let (mut now, mut lines, mut given, mut recent) = (NOW, Vec::new(), BTreeMap::new(), Vec::new());
        let mut said = 0;
        let channel = ChannelId::derived(&["1"]);
        let closed = Hours { weekly: Weekly::default(), holidays: BTreeSet::new() };
        for (n, pause) in pauses.iter().enumerate() {
            now += pause;
            let content = InboundContent::Text { body: format!("price {n}") };
            let heard = Heard { channel: &channel, content: &content, at: at(now) };
            // As much of the thread as is read.
            let page = lines.iter().rev().copied().take(30);
            let before = Before::of(heard, page, lines.len() <= 30);
            let candidates = candidates(&answers, &closed, &TimeZone::UTC, heard);
            lines.push(wrote(now));
            if let Some(answer) = choose(&candidates, heard, &before, &given, &recent) {
                given.insert(answer.id.clone(), at(now));
                recent.push(at(now));
                let keep = recent.len().saturating_sub(REMEMBERED);
                recent.drain(..keep);
                lines.push(Line::Automatic { words: "ours" });
                said += 1;
            }
        }
        prop_assert_eq!(said, 3);
    }
}
