//! The integration suite: one binary that runs the whole application in process, with the simulator
//! as the world outside and a clock that only the tests move.

mod campaigns;
mod contacts;
mod identity;
mod imports;
mod openapi;
mod sending;
mod statuses;
mod support;
mod tenancy;
mod tidy;
mod webhooks;
