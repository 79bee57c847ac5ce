//! Changing the simulator while it runs. What is left out of a change stays as it is.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::core::Core;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    answer_latency_ms: Option<u64>,
    sent_ms: Option<(u64, u64)>,
    delivered_ms: Option<(u64, u64)>,
    read_ms: Option<(u64, u64)>,
    failed_ms: Option<(u64, u64)>,
    read_share: Option<f64>,
    fail_share: Option<f64>,
    fail_code: Option<u32>,
    /// Messages per second by phone number id.
    limits: Option<HashMap<String, u32>>,
    batch: Option<usize>,
    gather_ms: Option<u64>,
    parallel: Option<usize>,
}

/// Applies a change and answers with what is in force.
pub(super) async fn settings(
    State(core): State<Arc<Core>>,
    Json(change): Json<Change>,
) -> Json<Value> {
    core.change_settings(|settings| {
        put(&mut settings.answer_latency_ms, change.answer_latency_ms);
        put(&mut settings.timing.sent_ms, change.sent_ms);
        put(&mut settings.timing.delivered_ms, change.delivered_ms);
        put(&mut settings.timing.read_ms, change.read_ms);
        put(&mut settings.timing.failed_ms, change.failed_ms);
        put(&mut settings.timing.read_share, change.read_share);
        put(&mut settings.timing.fail_share, change.fail_share);
        put(&mut settings.timing.fail_code, change.fail_code);
        put(&mut settings.webhooks.batch, change.batch);
        put(&mut settings.webhooks.gather_ms, change.gather_ms);
        put(&mut settings.webhooks.parallel, change.parallel);
        settings.limits.extend(change.limits.unwrap_or_default());
    });
    let now = core.settings();
    Json(json!({
        "answer_latency_ms": now.answer_latency_ms,
        "sent_ms": now.timing.sent_ms,
        "delivered_ms": now.timing.delivered_ms,
        "read_ms": now.timing.read_ms,
        "failed_ms": now.timing.failed_ms,
        "read_share": now.timing.read_share,
        "fail_share": now.timing.fail_share,
        "fail_code": now.timing.fail_code,
        "limits": now.limits,
        "batch": now.webhooks.batch,
        "gather_ms": now.webhooks.gather_ms,
        "parallel": now.webhooks.parallel,
    }))
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
