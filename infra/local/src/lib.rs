//! The local process.
pub mod template;
