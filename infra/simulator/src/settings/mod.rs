//! What a simulator can be told: keys, pace, limits, fate of messages, webhook delivery.
//!
//! Nothing here reads the environment; the binary does, and hands the result over.

mod change;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use change::{Change, apply, in_force};

use crate::universe::STANDARD_LIMIT;

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
    /// The key before that one, for webhooks that are told to be signed with it.
    pub old_app_secret: String,
    /// The secrets of accounts that are under an app of their own, by account id.
    pub app_secrets: BTreeMap<String, String>,
    /// The one bearer token that is accepted.
    pub token: String,
    /// How long an accepted send is kept waiting for its answer. Refusals are immediate.
    pub answer_latency_ms: u64,
    /// Messages per sliding second by phone number id, where it differs from the universe's 80.
    pub limits: HashMap<String, u32>,
    /// Whether one person can be written to 45 times at once and every six seconds at most.
    pub pair_limiter: bool,
    /// The messaging limit by portfolio id, where it is not unlimited.
    pub tiers: BTreeMap<String, Tier>,
    /// How a template beyond the messaging limit is refused, with 131048.
    pub over_tier: Channel,
    /// How a free message outside the customer service window is refused, with 131047.
    pub outside_window: Channel,
    /// Whether the last four digits of a recipient choose a scenario. Off, because real contact
    /// lists have such numbers too.
    pub magic_recipients: bool,
    /// Whether messages of people count as known that never went through here, for whoever writes webhooks
    /// by hand. They can then be marked as read, reacted to and quoted.
    pub trusts_ids: bool,
    /// The SQLite file that survives a restart. `None`: everything is kept in memory only.
    pub data: Option<PathBuf>,
    pub switches: Switches,
    pub timing: Timing,
    pub disorder: Disorder,
    pub replies: Replies,
    pub webhooks: Webhooks,
}

/// How Meta says no where it is known to do it in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The send is refused.
    Sync,
    /// The send is accepted, and the message fails.
    Async,
    /// Not at all: the limit is not kept.
    Off,
}

/// How many people a portfolio may write to in a moving day, outside service windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tier {
    #[serde(rename = "TIER_250")]
    Of250,
    #[serde(rename = "TIER_2K")]
    Of2K,
    #[serde(rename = "TIER_10K")]
    Of10K,
    #[serde(rename = "TIER_100K")]
    Of100K,
    #[default]
    #[serde(rename = "TIER_UNLIMITED")]
    Unlimited,
}

impl Tier {
    /// As Graph and webhooks name it.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Of250 => "TIER_250",
            Tier::Of2K => "TIER_2K",
            Tier::Of10K => "TIER_10K",
            Tier::Of100K => "TIER_100K",
            Tier::Unlimited => "TIER_UNLIMITED",
        }
    }

    /// The most people; `None` when there is no limit.
    pub fn people(self) -> Option<usize> {
        match self {
            Tier::Of250 => Some(250),
            Tier::Of2K => Some(2_000),
            Tier::Of10K => Some(10_000),
            Tier::Of100K => Some(100_000),
            Tier::Unlimited => None,
        }
    }
}

/// What is wrong with the accounts until somebody sees to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Switches {
    /// Every call answers 190 and 401.
    pub token_revoked: bool,
    /// Phone numbers whose sends answer 131057.
    pub maintenance: BTreeSet<String>,
    /// Accounts whose sends answer 131031.
    pub locked: BTreeSet<String>,
    /// Accounts whose templates fail with 131042.
    pub unpaid: BTreeSet<String>,
    /// The status of templates by name, in all their languages and accounts, where it is not that
    /// of the universe. `DELETED` is not listed any more.
    pub templates: BTreeMap<String, String>,
    /// What happens to whoever downloads a file.
    pub downloads: Downloads,
}

/// How files come from their address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Downloads {
    #[default]
    Whole,
    /// As if the address had expired.
    Gone,
    /// An error page of the edge.
    #[serde(rename = "html_500")]
    Html500,
    /// The first half of the file, as if it were all.
    Truncated,
    /// An error page that is told as a success.
    #[serde(rename = "html_200")]
    Html200,
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
    /// Of the voice notes that are read: how many are listened to.
    pub played_share: f64,
    pub fail_share: f64,
    pub fail_code: u32,
    /// Of the messages that fail by `fail_share`: how many are told to be sent first.
    pub fail_after_sent_share: f64,
}

/// What Meta's statuses suffer on their way. Shares are of statuses, or of messages where it says
/// so; all of them are zero unless they are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Disorder {
    /// Told a second time, in another POST; inbound messages too.
    pub duplicate_share: f64,
    /// Held back for `shuffle_ms`, so that others overtake them. Their timestamp stays.
    pub shuffle_share: f64,
    pub shuffle_ms: (u64, u64),
    /// Messages whose `delivered` is never told.
    pub skip_delivered_share: f64,
    /// Messages whose `sent` and `delivered` come before the answer of their send, where the
    /// answer takes long enough.
    pub early_share: f64,
    /// Messages all of whose statuses come `late_ms` later.
    pub late_share: f64,
    pub late_ms: (u64, u64),
}

/// People who answer a template once they have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Replies {
    /// Of the templates that are delivered.
    pub share: f64,
    /// Of the replies: how many say STOP.
    pub stop_share: f64,
    /// After the delivery: shortest and longest.
    pub after_ms: (u64, u64),
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
    /// How long a webhook is tried again; Meta's pages say seven days, and 36 hours.
    pub give_up_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            webhook_url: String::new(),
            verify_token: "simulated-verify-token".into(),
            app_secret: "simulated-app-secret".into(),
            old_app_secret: "simulated-old-app-secret".into(),
            app_secrets: BTreeMap::new(),
            token: "simulated-token".into(),
            answer_latency_ms: 1200,
            limits: HashMap::new(),
            pair_limiter: true,
            tiers: BTreeMap::new(),
            over_tier: Channel::Async,
            outside_window: Channel::Async,
            magic_recipients: false,
            trusts_ids: false,
            data: None,
            switches: Switches::default(),
            timing: Timing::default(),
            disorder: Disorder::default(),
            replies: Replies::default(),
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
            played_share: 0.7,
            fail_share: 0.02,
            fail_code: 131_026,
            fail_after_sent_share: 0.0,
        }
    }
}

impl Default for Disorder {
    fn default() -> Self {
        Self {
            duplicate_share: 0.0,
            shuffle_share: 0.0,
            shuffle_ms: (1000, 10_000),
            skip_delivered_share: 0.0,
            early_share: 0.0,
            late_share: 0.0,
            late_ms: (60_000, 3_600_000),
        }
    }
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            share: 0.0,
            stop_share: 0.0,
            after_ms: (500, 20_000),
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
            give_up_ms: 7 * 24 * 3_600_000,
        }
    }
}

impl Settings {
    /// The settings with a change in JSON, as `PATCH /_control/settings` takes it.
    pub fn changed(mut self, change: &str) -> anyhow::Result<Self> {
        let change: Change = serde_json::from_str(change)?;
        change.check().map_err(anyhow::Error::msg)?;
        apply(&mut self, change);
        Ok(self)
    }

    /// Messages per sliding second of a phone number.
    pub(crate) fn limit(&self, number: &str) -> u32 {
        let limit = self.limits.get(number).copied();
        limit.unwrap_or(STANDARD_LIMIT)
    }

    pub(crate) fn tier(&self, portfolio: &str) -> Tier {
        self.tiers.get(portfolio).copied().unwrap_or_default()
    }
}

impl Switches {
    /// The status of a template, where `usual` is what the universe says.
    pub(crate) fn template_status<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.templates.get(name).map_or(usual, String::as_str)
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
