//! `kill -9` of an instance, again and again, at moments that a seed decides.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

use super::api::{Api, text};
use super::campaign::Campaign;
use super::control::{Control, motion};
use super::{Instance, Screen};

/// How many of the kills follow each other at once, so that they fall into the planning. A task that
/// takes its process along is parked after five deliveries, and these are all deliveries of one.
const SOON_SHARE: u32 = 10;
const SOON: std::ops::RangeInclusive<u32> = 1..=4;
const SOON_MS: std::ops::Range<u64> = 10..200;

/// Between any two others.
const ANYTIME_MS: std::ops::Range<u64> = 100..6_000;

/// After something was seen to move.
const BUSY_MS: std::ops::Range<u64> = 0..1_500;
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Longer than a dead sender's lease.
const IDLE_MOST: Duration = Duration::from_secs(25);

/// How many kills fell into which state of the campaign.
#[derive(Clone, Debug, Default)]
pub struct Toll {
    pub kills: u32,
    pub by_state: BTreeMap<String, u32>,
}

/// Kills the instance `count` times, and each time starts it again at once. Every other kill waits until
/// messages or statuses flow; the rest fall wherever they fall, also while the leases of dead senders run.
///
/// # Errors
/// The instance cannot be started or reached any more.
pub async fn run(
    instance: &mut Instance,
    api: &Api,
    control: &Control,
    campaign: &Campaign,
    screen: &Screen,
    (count, seed): (u32, u64),
) -> anyhow::Result<Toll> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut toll = Toll::default();
    let soon = (count / SOON_SHARE).clamp(*SOON.start(), *SOON.end());
    let mut bar = screen.bar("kills");
    for kill in 0..count {
        let wait = if kill < soon {
            SOON_MS
        } else if kill % 2 == 0 {
            moves(control, campaign).await?;
            BUSY_MS
        } else {
            ANYTIME_MS
        };
        sleep(Duration::from_millis(chance.random_range(wait))).await;
        let state = text(&api.get(&campaign.path()).await?, "state")?;
        instance.kill_and_restart()?;
        toll.kills += 1;
        *toll.by_state.entry(state).or_default() += 1;
        bar.show(toll.kills.into(), count.into(), "killed", &toll.to_string());
        instance.ready().await?;
    }
    bar.end(&format!("{} kills: {toll}", toll.kills));
    Ok(toll)
}

/// Waits until a message or a status passes, but not for ever.
async fn moves(control: &Control, campaign: &Campaign) -> anyhow::Result<()> {
    let began = Instant::now();
    let still = motion(&control.report(&campaign.number, 0).await?)?;
    while began.elapsed() < IDLE_MOST {
        if motion(&control.report(&campaign.number, 0).await?)? != still {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

impl std::fmt::Display for Toll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let states: Vec<_> = self
            .by_state
            .iter()
            .map(|(state, kills)| format!("{kills} while {state}"))
            .collect();
        f.write_str(&states.join(", "))
    }
}
