//! A simulation of Meta's WhatsApp Cloud API: the Graph surface a sender uses, the statuses that
//! follow, and the signed webhooks that carry them.
//!
//! It is not a mock. A client cannot tell it from Meta but by its base URL and keys, it keeps its
//! own ledger of what arrived, and it knows nothing of the platform that talks to it. Today it
//! simulates a healthy Meta: faults enter later through `messages::CHECKS` (refused at once) and
//! through `fate` (failed afterwards).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod control;
mod core;
mod fate;
mod gauges;
mod graph;
mod ids;
mod ledger;
mod messages;
mod settings;
mod simulator;
mod store;
mod template;
mod time;
pub mod universe;
mod webhooks;

pub use gauges::Activity;
pub use settings::{Settings, Timing, Webhooks};
pub use simulator::Simulator;
pub use time::{SystemTime, Time};
pub use webhooks::signature;
