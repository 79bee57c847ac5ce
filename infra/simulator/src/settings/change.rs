//! A change of the settings in JSON, as the control plane and the environment take it.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Channel, Settings, Tier};

/// What is left out of it stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    token: Option<String>,
    app_secret: Option<String>,
    old_app_secret: Option<String>,
    /// By account id.
    app_secrets: Option<BTreeMap<String, String>>,
    answer_latency_ms: Option<u64>,
    sent_ms: Option<(u64, u64)>,
    delivered_ms: Option<(u64, u64)>,
    read_ms: Option<(u64, u64)>,
    failed_ms: Option<(u64, u64)>,
    read_share: Option<f64>,
    played_share: Option<f64>,
    fail_share: Option<f64>,
    fail_code: Option<u32>,
    fail_after_sent_share: Option<f64>,
    /// Messages per second by phone number id.
    limits: Option<HashMap<String, u32>>,
    pair_limiter: Option<bool>,
    /// By portfolio id.
    tiers: Option<BTreeMap<String, Tier>>,
    over_tier: Option<Channel>,
    outside_window: Option<Channel>,
    magic_recipients: Option<bool>,
    trusts_ids: Option<bool>,
    duplicate_share: Option<f64>,
    shuffle_share: Option<f64>,
    shuffle_ms: Option<(u64, u64)>,
    skip_delivered_share: Option<f64>,
    early_share: Option<f64>,
    late_share: Option<f64>,
    late_ms: Option<(u64, u64)>,
    reply_share: Option<f64>,
    stop_share: Option<f64>,
    reply_ms: Option<(u64, u64)>,
    batch: Option<usize>,
    gather_ms: Option<u64>,
    parallel: Option<usize>,
    timeout_ms: Option<u64>,
    give_up_ms: Option<u64>,
}

impl Change {
    /// Says what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let shares = [
            ("read_share", self.read_share),
            ("played_share", self.played_share),
            ("fail_share", self.fail_share),
            ("fail_after_sent_share", self.fail_after_sent_share),
            ("duplicate_share", self.duplicate_share),
            ("shuffle_share", self.shuffle_share),
            ("skip_delivered_share", self.skip_delivered_share),
            ("early_share", self.early_share),
            ("late_share", self.late_share),
            ("reply_share", self.reply_share),
            ("stop_share", self.stop_share),
        ];
        let outside = shares
            .iter()
            .find(|(_, share)| share.is_some_and(|share| !(0.0..=1.0).contains(&share)));
        match outside {
            Some((name, _)) => Err(format!("{name} is between 0 and 1")),
            None => Ok(()),
        }
    }
}

pub(crate) fn apply(settings: &mut Settings, change: Change) {
    put(&mut settings.token, change.token);
    put(&mut settings.app_secret, change.app_secret);
    put(&mut settings.old_app_secret, change.old_app_secret);
    let secrets = change.app_secrets.unwrap_or_default();
    settings.app_secrets.extend(secrets);
    put(&mut settings.answer_latency_ms, change.answer_latency_ms);
    settings.limits.extend(change.limits.unwrap_or_default());
    put(&mut settings.pair_limiter, change.pair_limiter);
    settings.tiers.extend(change.tiers.unwrap_or_default());
    put(&mut settings.over_tier, change.over_tier);
    put(&mut settings.outside_window, change.outside_window);
    put(&mut settings.magic_recipients, change.magic_recipients);
    put(&mut settings.trusts_ids, change.trusts_ids);

    let timing = &mut settings.timing;
    put(&mut timing.sent_ms, change.sent_ms);
    put(&mut timing.delivered_ms, change.delivered_ms);
    put(&mut timing.read_ms, change.read_ms);
    put(&mut timing.failed_ms, change.failed_ms);
    put(&mut timing.read_share, change.read_share);
    put(&mut timing.played_share, change.played_share);
    put(&mut timing.fail_share, change.fail_share);
    put(&mut timing.fail_code, change.fail_code);
    put(
        &mut timing.fail_after_sent_share,
        change.fail_after_sent_share,
    );

    let disorder = &mut settings.disorder;
    put(&mut disorder.duplicate_share, change.duplicate_share);
    put(&mut disorder.shuffle_share, change.shuffle_share);
    put(&mut disorder.shuffle_ms, change.shuffle_ms);
    put(
        &mut disorder.skip_delivered_share,
        change.skip_delivered_share,
    );
    put(&mut disorder.early_share, change.early_share);
    put(&mut disorder.late_share, change.late_share);
    put(&mut disorder.late_ms, change.late_ms);

    put(&mut settings.replies.share, change.reply_share);
    put(&mut settings.replies.stop_share, change.stop_share);
    put(&mut settings.replies.after_ms, change.reply_ms);

    let webhooks = &mut settings.webhooks;
    put(&mut webhooks.batch, change.batch);
    put(&mut webhooks.gather_ms, change.gather_ms);
    put(&mut webhooks.parallel, change.parallel);
    put(&mut webhooks.timeout_ms, change.timeout_ms);
    put(&mut webhooks.give_up_ms, change.give_up_ms);
}

/// Everything but the secrets.
pub(crate) fn in_force(now: &Settings) -> Value {
    let (timing, disorder, webhooks) = (&now.timing, &now.disorder, &now.webhooks);
    json!({
        "answer_latency_ms": now.answer_latency_ms,
        "sent_ms": timing.sent_ms,
        "delivered_ms": timing.delivered_ms,
        "read_ms": timing.read_ms,
        "failed_ms": timing.failed_ms,
        "read_share": timing.read_share,
        "played_share": timing.played_share,
        "fail_share": timing.fail_share,
        "fail_code": timing.fail_code,
        "fail_after_sent_share": timing.fail_after_sent_share,
        "limits": now.limits,
        "pair_limiter": now.pair_limiter,
        "tiers": now.tiers,
        "over_tier": now.over_tier,
        "outside_window": now.outside_window,
        "magic_recipients": now.magic_recipients,
        "trusts_ids": now.trusts_ids,
        "duplicate_share": disorder.duplicate_share,
        "shuffle_share": disorder.shuffle_share,
        "shuffle_ms": disorder.shuffle_ms,
        "skip_delivered_share": disorder.skip_delivered_share,
        "early_share": disorder.early_share,
        "late_share": disorder.late_share,
        "late_ms": disorder.late_ms,
        "reply_share": now.replies.share,
        "stop_share": now.replies.stop_share,
        "reply_ms": now.replies.after_ms,
        "batch": webhooks.batch,
        "gather_ms": webhooks.gather_ms,
        "parallel": webhooks.parallel,
        "timeout_ms": webhooks.timeout_ms,
        "give_up_ms": webhooks.give_up_ms,
    })
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
