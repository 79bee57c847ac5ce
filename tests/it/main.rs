//! The integration suite: one binary that runs the whole application in process, with the simulator
//! as the world outside and a clock that only the tests move.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics says where, and helpers are part of the tests"
)]

mod amendments;
mod assignment;
mod audiences;
mod audit;
mod authorization;
mod automatic;
mod blocked;
mod bootstraps;
mod campaigns;
mod channels;
mod chat;
mod contacts;
mod content;
mod deadlines;
mod events;
mod exports;
mod faults;
mod identity;
mod imports;
mod inbound;
mod inbox;
mod invitations;
mod life;
mod limits;
mod mails;
mod manners;
mod media;
mod members;
mod moves;
mod news;
mod openapi;
mod opt_out;
mod passwords;
mod preflights;
mod realtime;
mod received;
mod search;
mod sending;
mod sessions;
mod shells;
mod statuses;
mod steps;
mod support;
mod talk;
mod team;
mod tenancy;
mod tidy;
mod trials;
mod webhook_fuzz;
mod webhooks;
