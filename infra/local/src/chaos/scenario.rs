//! What goes wrong.

use std::time::{Duration, Instant};

use anyhow::bail;
use local::harness::api::text;
use local::harness::campaign::Campaign;
use local::harness::{Api, Instance, Launch, Screen, World, kills};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use simulator::Disorder;
use tokio::time::sleep;

use crate::settings::Settings;

/// How long the product waits for WhatsApp, in seconds, so that the leases of dead senders end soon.
const GRAPH_TIMEOUT: &str = "3";

/// How long the simulator takes for an answer.
const LATENCY_MS: u64 = 300;

const PAUSES: u32 = 20;
/// How long the campaign runs between two pauses.
const RUNS_MS: std::ops::Range<u64> = 200..4_000;
const PAUSED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How often webhooks are refused, and how many each time.
const REFUSALS: u32 = 10;
const REFUSED_AT_ONCE: u64 = 3;
const BETWEEN_REFUSALS: Duration = Duration::from_secs(4);

/// How long every send is refused with 130429.
const STORM_MS: i64 = 15_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Kills,
    Twice,
    Pauses,
    Statuses,
    Storm,
}

impl Scenario {
    pub(crate) const ALL: [Self; 5] = [
        Self::Kills,
        Self::Twice,
        Self::Pauses,
        Self::Statuses,
        Self::Storm,
    ];

    /// How it is asked for, and the name of its report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::Twice => "twice",
            Self::Pauses => "pauses",
            Self::Statuses => "statuses",
            Self::Storm => "storm",
        }
    }

    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Kills => "the product is killed at random moments and started again",
            Self::Twice => "every queued message is delivered twice, the second time late",
            Self::Pauses => "the campaign is paused and resumed again and again",
            Self::Statuses => {
                "statuses come twice, shuffled, incomplete and early; webhooks are refused"
            }
            Self::Storm => "WhatsApp refuses, hangs, cuts connections and answers in HTML",
        }
    }

    pub(crate) fn world(self, seed: u64) -> simulator::Settings {
        let disorder = Disorder {
            duplicate_share: 0.2,
            shuffle_share: 0.2,
            skip_delivered_share: 0.1,
            early_share: 0.1,
            ..Disorder::default()
        };
        simulator::Settings {
            seed,
            answer_latency_ms: LATENCY_MS,
            disorder: if self == Self::Statuses {
                disorder
            } else {
                Disorder::default()
            },
            ..simulator::Settings::default()
        }
    }

    pub(crate) fn launch(self, launch: Launch) -> Launch {
        let launch = launch
            .with("BLAZZ_GRAPH_TIMEOUT", GRAPH_TIMEOUT)
            .with("BLAZZ_REPORT", "1");
        if self == Self::Twice {
            launch.with("BLAZZ_DUPLICATES", "1")
        } else {
            launch
        }
    }

    /// Prepares what goes wrong from the first message on.
    ///
    /// # Errors
    /// The simulator cannot be told.
    pub(crate) async fn prepare(self, world: &World) -> anyhow::Result<()> {
        if self != Self::Storm {
            return Ok(());
        }
        let now = world.now_ms();
        // A storm a while after the start, and all the time a little of everything.
        let storm = json!({"from_ms": now + 10_000, "until_ms": now + 10_000 + STORM_MS});
        let control = &world.control;
        control
            .rule(&storm, &json!({"error": {"code": 130_429}}))
            .await?;
        for (probability, effect) in [
            // Rarely outside the storm: each of these lets the whole number rest.
            (0.002, json!({"error": {"code": 130_429}})),
            (0.01, json!({"error": {"code": 131_056}})),
            (
                0.01,
                json!({"timeout": {"accepted": true, "after_ms": 8_000}}),
            ),
            (
                0.01,
                json!({"timeout": {"accepted": false, "after_ms": 8_000}}),
            ),
            (0.01, json!({"reset": {"accepted": true}})),
            (0.01, json!({"reset": {"accepted": false}})),
            (0.01, json!({"html_500": {"accepted": true}})),
            (0.01, json!({"html_500": {"accepted": false}})),
            (0.01, json!({"truncated": {"accepted": true}})),
        ] {
            control
                .rule(&json!({"probability": probability}), &effect)
                .await?;
        }
        Ok(())
    }

    /// Does its damage while the campaign runs, and says what it was.
    ///
    /// # Errors
    /// The instance cannot be reached when it should be.
    pub(crate) async fn disturb(
        self,
        screen: &Screen,
        settings: &Settings,
        world: &World,
        instance: &mut Instance,
        api: &Api,
        campaign: &Campaign,
    ) -> anyhow::Result<Value> {
        match self {
            Self::Kills => {
                let how = (settings.kills, settings.seed);
                let toll = kills::run(instance, api, &world.control, campaign, screen, how).await?;
                Ok(json!({"kills": toll.kills, "by_state": toll.by_state}))
            }
            Self::Twice => Ok(json!({"deliveries_of_each_message": 2})),
            Self::Pauses => pause(api, campaign, settings.seed).await,
            Self::Statuses => {
                let mut refused = 0;
                for _ in 0..REFUSALS {
                    sleep(BETWEEN_REFUSALS).await;
                    // Later the same few webhooks would be refused each time, and told again after hours.
                    if text(&api.get(&campaign.path()).await?, "state")? != "sending" {
                        break;
                    }
                    world.control.sign_wrongly(REFUSED_AT_ONCE).await?;
                    refused += REFUSED_AT_ONCE;
                }
                Ok(json!({"webhooks_refused": refused}))
            }
            Self::Storm => Ok(json!({"storm_ms": STORM_MS})),
        }
    }
}

/// Pauses and resumes, as long as there is something to pause.
async fn pause(api: &Api, campaign: &Campaign, seed: u64) -> anyhow::Result<Value> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut pauses = 0;
    for _ in 0..PAUSES {
        sleep(Duration::from_millis(chance.random_range(RUNS_MS))).await;
        let path = format!("{}/pause", campaign.path());
        if api.post(&path, &Value::Null).await.is_err() {
            // Refused only when it has ended meanwhile, which is worth knowing.
            break;
        }
        let began = Instant::now();
        while text(&api.get(&campaign.path()).await?, "state")? != "paused" {
            if began.elapsed() > PAUSED_WITHIN {
                bail!("the campaign is not paused after {PAUSED_WITHIN:?}");
            }
            sleep(LOOK_EVERY).await;
        }
        let resume = format!("{}/resume", campaign.path());
        api.post(&resume, &Value::Null).await?;
        pauses += 1;
    }
    Ok(json!({"pauses": pauses}))
}
