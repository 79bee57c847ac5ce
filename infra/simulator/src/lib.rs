//! A simulation of Meta's WhatsApp Cloud API: the Graph surface a sender uses, the statuses that
//! follow, and the signed webhooks that carry them.
//!
//! It is not a mock. A client cannot tell it from Meta but by its base URL and keys, it keeps its
//! own ledger of what arrived, and it knows nothing of the platform that talks to it. A send passes
//! `messages::CHECKS`, then `faults` (what somebody wants to go wrong) and `limits`; what becomes
//! of it is decided once, in `fate`. Unless it is told otherwise it simulates a healthy Meta.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arrivals;
mod chance;
mod codes;
mod connection;
mod control;
mod core;
mod fate;
mod faults;
mod gauges;
mod graph;
mod ids;
mod ledger;
mod limits;
mod media;
mod messages;
mod people;
mod phone;
mod report;
mod settings;
mod simulator;
mod store;
mod template;
mod time;
pub mod universe;
mod webhooks;

pub use gauges::Activity;
pub use settings::{
    Channel, Disorder, Downloads, Replies, Settings, Switches, Tier, Timing, Webhooks,
};
pub use simulator::Simulator;
pub use time::{SystemTime, Time};
pub use webhooks::signature;
