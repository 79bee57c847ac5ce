//! What a function needs on AWS: the shells that turn Lambda's events into calls, and the ports over
//! SQS, S3, SES and API Gateway's websockets.
//!
//! This is the only crate that knows Lambda, SQS, S3 and SES. A function's `main` gives its value to
//! [`http()`], [`queue()`] or another shell and does nothing else; a shell reads the environment once, decodes, calls
//! and encodes, and contains no `if` about the business.

pub mod access;
pub mod http;
pub mod push;
pub mod queue;
pub mod s3;
pub mod schedule;
pub mod ses;
pub mod sqs;
mod start;
#[cfg(test)]
mod testing;
pub mod websocket;

pub use http::http;
pub use lambda_runtime::Error;
pub use queue::{queue, queues};
pub use schedule::schedule;
pub use websocket::websocket;
