//! What every test stands on.

pub(crate) mod app;
pub(crate) mod callers;
pub(crate) mod clock;
pub(crate) mod faults;
pub(crate) mod journey;
pub(crate) mod live;
pub(crate) mod meta;
pub(crate) mod people;

pub(crate) use app::TestApp;
pub(crate) use callers::Caller;
