//! What a simulator can be told: keys, pace, fate of messages, webhook delivery.
//!
//! Nothing here reads the environment; the binary does, and hands the result over.

use std::collections::HashMap;
use std::path::PathBuf;

/// How one simulated Meta behaves.
#[derive(Clone)]
pub struct Settings {
    /// Decides every fate and every id that is not decided by the requests themselves.
    pub seed: u64,
    /// Where webhooks go. Empty: they are kept until a callback is set.
    pub webhook_url: String,
    pub verify_token: String,
    /// The key of `X-Hub-Signature-256`.
    pub app_secret: String,
    /// The one bearer token that is accepted.
    pub token: String,
    /// How long an accepted send is kept waiting for its answer. Refusals are immediate.
    pub answer_latency_ms: u64,
    /// Messages per sliding second by phone number id, where it differs from the universe's 80.
    pub limits: HashMap<String, u32>,
    /// The SQLite file that survives a restart. `None`: everything is kept in memory only.
    pub data: Option<PathBuf>,
    pub timing: Timing,
    pub webhooks: Webhooks,
}

/// When the statuses of a message fall due, counted from its answer, and how many messages fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// After the answer: shortest and longest.
    pub sent_ms: (u64, u64),
    /// After `sent`.
    pub delivered_ms: (u64, u64),
    /// After `delivered`, for the share of people who read.
    pub read_ms: (u64, u64),
    /// After the answer, instead of all the others.
    pub failed_ms: (u64, u64),
    pub read_share: f64,
    pub fail_share: f64,
    pub fail_code: u32,
}

/// How webhooks are put together and delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhooks {
    /// The most statuses in one POST; 1 sends every status by itself and at once.
    pub batch: usize,
    /// How long a status waits for company.
    pub gather_ms: u64,
    /// The most POSTs open at the same time.
    pub parallel: usize,
    pub timeout_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            webhook_url: String::new(),
            verify_token: "simulated-verify-token".into(),
            app_secret: "simulated-app-secret".into(),
            token: "simulated-token".into(),
            answer_latency_ms: 1200,
            limits: HashMap::new(),
            data: None,
            timing: Timing::default(),
            webhooks: Webhooks::default(),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            sent_ms: (50, 800),
            delivered_ms: (300, 4000),
            read_ms: (1000, 8000),
            failed_ms: (200, 8000),
            read_share: 0.7,
            fail_share: 0.02,
            fail_code: 131_026,
        }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            batch: 50,
            gather_ms: 250,
            parallel: 8,
            timeout_ms: 10_000,
        }
    }
}

impl Webhooks {
    /// A status that travels alone has nobody to wait for.
    pub(crate) fn gather(&self) -> i64 {
        if self.batch <= 1 {
            0
        } else {
            i64::try_from(self.gather_ms).unwrap_or(i64::MAX / 2)
        }
    }
}
