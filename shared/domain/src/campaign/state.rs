//! The life of a campaign. Every change is a compare-and-set on the state it was decided on.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Draft,
    Scheduled,
    /// The audience is being frozen into chunks.
    Preparing,
    Sending,
    /// Asked to pause; some messages are still in flight.
    Pausing,
    Paused,
    Completed,
    Cancelled,
    /// It could not go on, and the campaign says why.
    Failed,
}

/// The campaign is not in a state that allows the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a campaign that is {} cannot be {change}", from.as_str())]
pub struct Refused {
    pub from: State,
    /// What was asked, as a participle: `started`.
    pub change: &'static str,
}

impl State {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Preparing => "preparing",
            Self::Sending => "sending",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// A time is set at which it starts by itself, or another time.
    ///
    /// # Errors
    /// The campaign was started before.
    pub fn schedule(self) -> Result<Self, Refused> {
        self.change(
            &[Self::Draft, Self::Scheduled],
            Self::Scheduled,
            "scheduled",
        )
    }

    /// It does not start by itself any more.
    ///
    /// # Errors
    /// The campaign is not scheduled.
    pub fn unschedule(self) -> Result<Self, Refused> {
        self.change(&[Self::Scheduled], Self::Draft, "unscheduled")
    }

    /// What it says and to whom may be changed; its state stays.
    ///
    /// # Errors
    /// The campaign was started before.
    pub fn edit(self) -> Result<Self, Refused> {
        self.change(&[Self::Draft, Self::Scheduled], self, "edited")
    }

    /// Freezing the audience may begin.
    ///
    /// # Errors
    /// The campaign was started before.
    pub fn start(self) -> Result<Self, Refused> {
        self.change(&[Self::Draft, Self::Scheduled], Self::Preparing, "started")
    }

    /// The audience is frozen.
    ///
    /// # Errors
    /// The campaign is not preparing any more.
    pub fn prepared(self) -> Result<Self, Refused> {
        self.change(&[Self::Preparing], Self::Sending, "prepared")
    }

    /// Nothing further is sent until it is resumed. While it sends, some messages are still in flight.
    ///
    /// # Errors
    /// The campaign is not under way.
    pub fn pause(self) -> Result<Self, Refused> {
        match self {
            Self::Preparing => Ok(Self::Paused),
            _ => self.change(&[Self::Sending], Self::Pausing, "paused"),
        }
    }

    /// Nothing is in flight any more.
    ///
    /// # Errors
    /// The campaign is not pausing.
    pub fn settle(self) -> Result<Self, Refused> {
        self.change(&[Self::Pausing], Self::Paused, "paused")
    }

    /// It goes on: with freezing the audience where that was interrupted, else with sending.
    ///
    /// # Errors
    /// The campaign is not paused.
    pub fn resume(self, frozen: bool) -> Result<Self, Refused> {
        let to = if frozen {
            Self::Sending
        } else {
            Self::Preparing
        };
        self.change(&[Self::Paused], to, "resumed")
    }

    /// Nothing further is ever sent.
    ///
    /// # Errors
    /// The campaign was not started, or has ended.
    pub fn cancel(self) -> Result<Self, Refused> {
        let from = [
            Self::Scheduled,
            Self::Preparing,
            Self::Sending,
            Self::Pausing,
            Self::Paused,
        ];
        self.change(&from, Self::Cancelled, "cancelled")
    }

    /// It could not start at its time.
    ///
    /// # Errors
    /// The campaign is not scheduled.
    pub fn fail(self) -> Result<Self, Refused> {
        self.change(&[Self::Scheduled], Self::Failed, "failed")
    }

    /// Nobody is pending or claimed any more.
    ///
    /// # Errors
    /// The campaign is not sending.
    pub fn complete(self) -> Result<Self, Refused> {
        let from = [Self::Sending, Self::Pausing];
        self.change(&from, Self::Completed, "completed")
    }

    fn change(self, from: &[Self], to: Self, change: &'static str) -> Result<Self, Refused> {
        if from.contains(&self) {
            Ok(to)
        } else {
            Err(Refused { from: self, change })
        }
    }

    /// The campaign may still be edited or deleted.
    #[must_use]
    pub fn editable(self) -> bool {
        matches!(self, Self::Draft | Self::Scheduled)
    }

    /// Nothing will be sent any more.
    #[must_use]
    pub fn ended(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_starts_once() {
        let started = State::Draft.start().unwrap();
        assert_eq!(started, State::Preparing);
        let refused = started.start().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a campaign that is preparing cannot be started"
        );
    }

    #[test]
    fn the_happy_path_ends() {
        let end = State::Scheduled
            .start()
            .and_then(State::prepared)
            .and_then(State::complete);
        assert_eq!(end, Ok(State::Completed));
        assert!(State::Completed.ended());
        assert!(State::Completed.start().is_err());
    }

    #[test]
    fn a_pause_waits_for_what_is_in_flight_and_is_undone() {
        let pausing = State::Sending.pause().unwrap();
        assert_eq!(pausing, State::Pausing);
        assert!(pausing.resume(true).is_err());
        let paused = pausing.settle().unwrap();
        assert_eq!(paused.resume(true), Ok(State::Sending));
        assert_eq!(paused.resume(false), Ok(State::Preparing));
        assert_eq!(State::Preparing.pause(), Ok(State::Paused));
    }

    #[test]
    fn what_has_ended_stays_as_it_is() {
        for ended in [State::Completed, State::Cancelled, State::Failed] {
            assert!(ended.ended());
            assert!(ended.pause().is_err() && ended.resume(true).is_err());
            assert!(ended.cancel().is_err() && ended.edit().is_err());
            assert!(ended.start().is_err() && ended.schedule().is_err());
        }
    }

    #[test]
    fn everything_under_way_can_be_cancelled_and_a_draft_cannot() {
        assert!(State::Draft.cancel().is_err());
        for state in [
            State::Scheduled,
            State::Preparing,
            State::Pausing,
            State::Paused,
        ] {
            assert_eq!(state.cancel(), Ok(State::Cancelled));
        }
    }

    #[test]
    fn only_what_never_started_is_editable() {
        assert!(State::Draft.editable() && State::Scheduled.editable());
        assert!(!State::Preparing.editable() && !State::Paused.editable());
    }
}
