//! A business portfolio: the owner of WhatsApp accounts at Meta, whose numbers share one budget of new
//! people in 24 hours (Meta: messaging limits).

use jiff::{SignedDuration, Timestamp};

/// How many new people a portfolio may write to in any 24 hours, by Meta's word for its tier. `None`
/// when there is no limit, or none that is known.
#[must_use]
pub fn people_a_day(tier: &str) -> Option<u64> {
    match tier {
        "TIER_50" => Some(50),
        "TIER_250" => Some(250),
        "TIER_1K" => Some(1_000),
        "TIER_2K" => Some(2_000),
        "TIER_10K" => Some(10_000),
        "TIER_100K" => Some(100_000),
        _ => None,
    }
}

/// An hour of the budget, counted since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i64);

impl Hour {
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.as_second().div_euclid(3600))
    }

    /// The oldest hour of which a part lies within the 24 hours before an instant.
    #[must_use]
    pub fn oldest(now: Timestamp) -> Self {
        Self(Self::of(now).0 - 24)
    }

    /// When nothing of this hour lies within the past 24 hours any more.
    #[must_use]
    pub fn expires(self) -> Timestamp {
        let end = Timestamp::from_second((self.0 + 1) * 3600).unwrap_or(Timestamp::MAX);
        end.saturating_add(SignedDuration::from_hours(24))
            .unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_counts_until_its_last_minute_is_a_day_old() {
        let sent: Timestamp = "2026-11-25T09:59:59Z".parse().unwrap();
        let hour = Hour::of(sent);
        assert_eq!(hour.expires().to_string(), "2026-11-26T10:00:00Z");
        let before: Timestamp = "2026-11-26T09:59:59Z".parse().unwrap();
        assert!(Hour::oldest(before) <= hour);
        assert!(Hour::oldest(hour.expires()) > hour);
    }

    #[test]
    fn only_known_tiers_limit() {
        assert_eq!(people_a_day("TIER_2K"), Some(2_000));
        assert_eq!(people_a_day("TIER_UNLIMITED"), None);
        assert_eq!(people_a_day("UNTIERED"), None);
    }
}
