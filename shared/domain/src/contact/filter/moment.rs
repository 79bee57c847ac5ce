//! A day or an instant, as filters compare them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A whole day in UTC, or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    Day(Date),
    Instant(Timestamp),
}

/// The text is neither a day nor an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day or an instant")]
pub struct NotAMoment;

/// How long a day is when it is written: `2026-11-25`.
const DAY_LENGTH: usize = 10;

impl Moment {
    /// Two instants are compared exactly; where one is a whole day, the days are compared, so
    /// nothing on a day is before or after it.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Instant(one), Self::Instant(other)) => one < other,
            (Self::Day(_), _) | (_, Self::Day(_)) => self.day() < other.day(),
        }
    }

    fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Instant(instant) => instant.to_zoned(TimeZone::UTC).date(),
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let text = text.trim();
        if text.len() == DAY_LENGTH {
            return text.parse().map(Self::Day).map_err(|_| NotAMoment);
        }
        text.parse().map(Self::Instant).map_err(|_| NotAMoment)
    }
}

impl TryFrom<String> for Moment {
    type Error = NotAMoment;

    fn try_from(text: String) -> Result<Self, NotAMoment> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Day(day) => day.to_string(),
            Moment::Instant(instant) => instant.to_string(),
        }
    }
}
