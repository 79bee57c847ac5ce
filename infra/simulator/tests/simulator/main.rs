//! The simulator as its clients see it: over its router and through real webhook calls, in a time
//! that only these tests move.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod callbacks;
mod contents;
mod deliveries;
mod disorder;
mod faults;
mod habits;
mod limits;
mod listings;
mod media;
mod people;
mod phone;
mod process;
mod sends;
mod templates;
mod world;
