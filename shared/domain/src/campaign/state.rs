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

    /// Nobody is pending or claimed any more.
    ///
    /// # Errors
    /// The campaign is not sending.
    pub fn complete(self) -> Result<Self, Refused> {
        self.change(&[Self::Sending], Self::Completed, "completed")
    }

    /// Meta refuses the campaign as a whole, so nothing more is sent.
    ///
    /// # Errors
    /// The campaign is not sending.
    pub fn stop(self) -> Result<Self, Refused> {
        self.change(&[Self::Sending], Self::Paused, "stopped")
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
    fn only_what_never_started_is_editable() {
        assert!(State::Draft.editable() && State::Scheduled.editable());
        assert!(!State::Preparing.editable() && !State::Paused.editable());
    }
}
