//! AWS's list prices in US dollars, of us-east-1 as of November 2026. Discounts, free tiers, storage, logs
//! and transfer are left out.

const MILLION: f64 = 1e6;

/// DynamoDB on demand: a write request unit.
pub(crate) const WRITE_UNIT: f64 = 0.625 / MILLION;

/// DynamoDB on demand: a read request unit.
pub(crate) const READ_UNIT: f64 = 0.125 / MILLION;

/// SQS: a request to a standard queue.
pub(crate) const STANDARD_REQUEST: f64 = 0.40 / MILLION;

/// SQS: a request to a FIFO queue.
pub(crate) const FIFO_REQUEST: f64 = 0.50 / MILLION;

/// Lambda on arm64: a GB-second.
pub(crate) const GB_SECOND: f64 = 0.000_013_333_4;

/// Lambda: an invocation.
pub(crate) const INVOCATION: f64 = 0.20 / MILLION;

/// API Gateway, HTTP API: a request.
pub(crate) const HTTP_REQUEST: f64 = 1.00 / MILLION;
