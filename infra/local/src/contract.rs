//! What every implementation of a port must do, as checks that take the implementation. The local
//! ones run here; those for AWS run the same checks where there is an account.
//!
//! A check panics with what was wrong: this is test code, and it is here and not under `cfg(test)`
//! because other crates' tests call it.

pub mod files;
pub mod push;
pub mod queue;
