//! The limits of numbers, people and portfolios, and what has used them up (Meta: limits, rates
//! and windows).

mod pair;
mod throughput;
mod tier;
mod window;

use pair::Pairs;
use throughput::Throughput;
use tier::Portfolios;
use window::Windows;

/// Everything that is counted. One lock holds all of it, so that a send is admitted by every limit
/// or counted by none.
#[derive(Default)]
pub(crate) struct Limits {
    throughput: Throughput,
    pairs: Pairs,
    windows: Windows,
    pub(crate) portfolios: Portfolios,
}

/// The limit a send would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Throughput,
    Pair,
}

impl Limits {
    /// Counts an outbound message, unless one of the number's own limits is against it. What is
    /// refused for another reason does not use up throughput, so the pair is asked first.
    pub(crate) fn admit(
        &mut self,
        number: &str,
        person: Option<&str>,
        at_us: i64,
        limit: u32,
    ) -> Result<(), Broken> {
        if person.is_some_and(|person| !self.pairs.would_admit(number, person, at_us)) {
            return Err(Broken::Pair);
        }
        if !self.throughput.admit(number, at_us, limit) {
            return Err(Broken::Throughput);
        }
        if let Some(person) = person {
            self.pairs.enter(number, person, at_us);
        }
        Ok(())
    }

    /// Counts a message of a person: it uses throughput, and opens the customer service window if it says
    /// something.
    pub(crate) fn heard(&mut self, number: &str, person: &str, at_us: i64, said: bool) {
        self.throughput.count(number, at_us);
        if said {
            self.windows.open(number, person, at_us / 1000);
        }
    }

    /// Opens the window of a message that came in a former life.
    pub(crate) fn heard_before(&mut self, number: &str, person: &str, at_us: i64) {
        self.windows.open(number, person, at_us / 1000);
    }

    /// Counts a message to a person that was sent in a former life.
    pub(crate) fn sent_before(&mut self, number: &str, person: &str, at_us: i64) {
        self.pairs.enter(number, person, at_us);
    }

    /// Forgets everything but the throughput of the last second.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            throughput: std::mem::take(&mut self.throughput),
            ..Self::default()
        };
    }

    /// Whether the number may write freely to the person.
    pub(crate) fn is_open(&self, number: &str, person: &str, at_ms: i64) -> bool {
        self.windows.is_open(number, person, at_ms)
    }
}
