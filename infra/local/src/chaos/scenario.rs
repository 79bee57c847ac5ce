//! What goes wrong.

use local::harness::campaign::Campaign;
use local::harness::{Api, Instance, Launch, Screen, World, kills};
use serde_json::{Value, json};

use crate::settings::Settings;

/// How long the product waits for WhatsApp, in seconds, so that the leases of dead senders end soon.
const GRAPH_TIMEOUT: &str = "3";

/// How long the simulator takes for an answer.
const LATENCY_MS: u64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Kills,
    Twice,
}

impl Scenario {
    pub(crate) const ALL: [Self; 2] = [Self::Kills, Self::Twice];

    /// How it is asked for, and the name of its report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::Twice => "twice",
        }
    }

    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Kills => "the product is killed at random moments and started again",
            Self::Twice => "every queued message is delivered twice, the second time late",
        }
    }

    pub(crate) fn world(self, seed: u64) -> simulator::Settings {
        simulator::Settings {
            seed,
            answer_latency_ms: LATENCY_MS,
            ..simulator::Settings::default()
        }
    }

    pub(crate) fn launch(self, launch: Launch) -> Launch {
        let launch = launch
            .with("BLAZZ_GRAPH_TIMEOUT", GRAPH_TIMEOUT)
            .with("BLAZZ_REPORT", "1");
        match self {
            Self::Kills => launch,
            Self::Twice => launch.with("BLAZZ_DUPLICATES", "1"),
        }
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
        }
    }
}
