//! When a business is open: hours of the week on the clocks of its time zone, and days on which it is closed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::contact::InvalidField;

/// The most intervals of one day.
const INTERVALS_MAX: usize = 10;

/// The most days of the calendar on which a business is closed.
const HOLIDAYS_MAX: usize = 400;

/// How many minutes a day of a clock has, whatever the day of the sun.
const DAY: u16 = 24 * 60;

/// When a business is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    pub weekly: Weekly,
    /// Closed from midnight to midnight, whatever the day of the week.
    #[serde(default)]
    pub holidays: BTreeSet<Date>,
}

/// The open intervals of each day of the week; a day without any is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weekly {
    pub monday: Vec<Interval>,
    pub tuesday: Vec<Interval>,
    pub wednesday: Vec<Interval>,
    pub thursday: Vec<Interval>,
    pub friday: Vec<Interval>,
    pub saturday: Vec<Interval>,
    pub sunday: Vec<Interval>,
}

/// Open from the first minute to before the last. What goes on past midnight is two intervals of two days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    pub from: Clock,
    pub to: Clock,
}

/// What a clock shows: `09:30`. As an end also `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Clock(u16);

/// The text is no time of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a time of the day as 09:30, and the end of a day as 24:00")]
pub struct InvalidClock;

impl TryFrom<String> for Clock {
    type Error = InvalidClock;

    fn try_from(text: String) -> Result<Self, InvalidClock> {
        let (hours, minutes) = text.split_once(':').ok_or(InvalidClock)?;
        let number = |digits: &str| match digits.as_bytes() {
            [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => {
                Ok(u16::from(a - b'0') * 10 + u16::from(b - b'0'))
            }
            _ => Err(InvalidClock),
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let minute = hours * 60 + minutes;
        match minutes < 60 && minute <= DAY {
            true => Ok(Self(minute)),
            false => Err(InvalidClock),
        }
    }
}

impl From<Clock> for String {
    fn from(Clock(minute): Clock) -> Self {
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }
}

impl Default for Hours {
    /// Never closed.
    fn default() -> Self {
        let all = || {
            vec![Interval {
                from: Clock(0),
                to: Clock(DAY),
            }]
        };
        Self {
            weekly: Weekly {
                monday: all(),
                tuesday: all(),
                wednesday: all(),
                thursday: all(),
                friday: all(),
                saturday: all(),
                sunday: all(),
            },
            holidays: BTreeSet::new(),
        }
    }
}

impl Hours {
    /// Whether the business is open at an instant. The clocks on its wall decide: an hour that they skip
    /// is in no interval, and one that they show twice is open both times.
    #[must_use]
    pub fn is_open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let there = at.to_zoned(zone.clone());
        if self.holidays.contains(&there.date()) {
            return false;
        }
        let minute = there.time().hour().unsigned_abs() as u16 * 60
            + there.time().minute().unsigned_abs() as u16;
        let intervals = self.weekly.of(there.weekday());
        intervals
            .iter()
            .any(|interval| (interval.from.0..interval.to.0).contains(&minute))
    }

    /// # Errors
    /// Every field that is not acceptable.
    pub fn check(&self) -> Result<(), Vec<InvalidField>> {
        let mut faults = Vec::new();
        for (day, intervals) in self.weekly.days() {
            let mut fault = |field: String, message: &str| {
                faults.push(InvalidField::new(field, message));
            };
            if intervals.len() > INTERVALS_MAX {
                let message = format!("at most {INTERVALS_MAX} intervals are allowed");
                fault(format!("weekly.{day}"), &message);
            }
            for (place, interval) in intervals.iter().enumerate() {
                let field = format!("weekly.{day}[{place}]");
                let earlier = intervals.iter().take(place);
                if interval.from >= interval.to {
                    let message = "an interval begins before it ends; past midnight it is two: until 24:00, and from 00:00 of the next day";
                    fault(field, message);
                } else if earlier.into_iter().any(|other| interval.overlaps(other)) {
                    fault(field, "this overlaps another interval of the day");
                }
            }
        }
        if self.holidays.len() > HOLIDAYS_MAX {
            let message = format!("at most {HOLIDAYS_MAX} days are allowed");
            faults.push(InvalidField::new("holidays", message));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

impl Interval {
    fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

impl Weekly {
    fn of(&self, day: Weekday) -> &[Interval] {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    fn days(&self) -> [(&'static str, &[Interval]); 7] {
        [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn hours(weekly: &serde_json::Value, holidays: &[&str]) -> Hours {
        serde_json::from_value(json!({"weekly": weekly, "holidays": holidays})).unwrap()
    }

    fn open(hours: &Hours, at: &str, zone: &str) -> bool {
        let at: Timestamp = at.parse().unwrap();
        hours.is_open(at, &TimeZone::get(zone).unwrap())
    }

    #[test]
    fn a_day_may_have_a_break_and_its_end_is_closed() {
        let hours = hours(
            &json!({"wednesday": [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "17:30"}]}),
            &[],
        );
        // Jakarta is seven hours ahead, without summer time.
        for (at, is_open) in [
            ("2026-11-25T01:59:59Z", false),
            ("2026-11-25T02:00:00Z", true),
            ("2026-11-25T05:00:00Z", false),
            ("2026-11-25T06:00:00Z", true),
            ("2026-11-25T10:29:59Z", true),
            ("2026-11-25T10:30:00Z", false),
            ("2026-11-26T02:00:00Z", false),
        ] {
            assert_eq!(open(&hours, at, "Asia/Jakarta"), is_open, "{at}");
        }
    }

    #[test]
    fn the_clocks_on_the_wall_decide_on_days_that_are_longer_or_shorter() {
        let night = json!([{"from": "02:00", "to": "03:00"}]);
        let hours = hours(&json!({"sunday": night}), &[]);
        // In Berlin, 02:00 to 03:00 does not exist on 29 March 2026 and comes twice on 25 October.
        for (at, is_open) in [
            ("2026-03-29T00:59:59Z", false),
            ("2026-03-29T01:00:00Z", false),
            ("2026-10-25T00:00:00Z", true),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T02:00:00Z", false),
        ] {
            assert_eq!(open(&hours, at, "Europe/Berlin"), is_open, "{at}");
        }
    }

    #[test]
    fn a_holiday_is_closed_from_midnight_to_midnight_where_the_business_is() {
        let hours = Hours {
            holidays: ["2026-12-25".parse().unwrap()].into(),
            ..Hours::default()
        };
        for (at, is_open) in [
            ("2026-12-24T16:59:59Z", true),
            ("2026-12-24T17:00:00Z", false),
            ("2026-12-25T16:59:59Z", false),
            ("2026-12-25T17:00:00Z", true),
        ] {
            assert_eq!(open(&hours, at, "Asia/Jakarta"), is_open, "{at}");
        }
    }

    #[test]
    fn intervals_that_overlap_or_end_before_they_begin_are_refused() {
        assert_eq!(Hours::default().check(), Ok(()));
        let touching = json!([{"from": "12:00", "to": "24:00"}, {"from": "00:00", "to": "12:00"}]);
        assert_eq!(hours(&json!({"monday": touching}), &[]).check(), Ok(()));
        let wrong = json!([{"from": "09:00", "to": "12:00"}, {"from": "11:59", "to": "13:00"}, {"from": "22:00", "to": "02:00"}]);
        let faults = hours(&json!({"friday": wrong}), &[]).check().unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["weekly.friday[1]", "weekly.friday[2]"]);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "9:00", "09:60", "24:01", "25:00", "0900", "+9:00", "é:00", "",
        ] {
            assert_eq!(
                Clock::try_from(text.to_owned()),
                Err(InvalidClock),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_clock_reads_back(minute in 0..=DAY) {
            let text = String::from(Clock(minute));
            prop_assert_eq!(Clock::try_from(text), Ok(Clock(minute)));
        }

        /// Whatever the zone: a business that never closes is open, and one without hours never is.
        #[test]
        fn always_and_never_hold_at_every_instant(second in 0_i64..4_000_000_000, zone in 0_usize..4) {
            let zone = ["Asia/Jakarta", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"][zone];
            let zone = TimeZone::get(zone).unwrap();
            let at = Timestamp::from_second(second).unwrap();
            prop_assert!(Hours::default().is_open(at, &zone));
            let never = Hours { weekly: Weekly::default(), holidays: BTreeSet::new() };
            prop_assert!(!never.is_open(at, &zone));
        }
    }
}
