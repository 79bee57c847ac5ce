//! A campaign: one approved template going to one audience.
//!
//! Nothing here knows how a campaign is stored or sent. [`audience`] says who gets it, [`state`] which
//! changes are allowed, [`counters`] what the figures mean, [`recipient`] how one recipient is named
//! everywhere.

pub mod audience;
pub mod counters;
pub mod recipient;
pub mod state;

pub use audience::{Audience, AudienceForm, Ended};
pub use counters::{Counters, Delta};
pub use recipient::{Excluded, RecipientRef, Tab};
pub use state::{Refused, State};

/// The most recipients one chunk holds: what one invocation sends.
pub const CHUNK: usize = 100;

/// How many items the counters of a campaign are spread over, so that no single one is written by
/// every status of a fast number.
pub const COUNTER_SHARDS: u32 = 16;
