//! Meta's wire as this crate meets it: webhook bodies from fixtures, and the client against a
//! small server that misbehaves on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod account;
mod inbound;
mod media;
mod receipt;
mod send;
mod server;
mod webhook;
