//! Meta tells of 2,000 statuses a second, each in a POST of its own, and the instance is killed in the
//! middle of it. What is not answered is told again, as Meta does.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::bail;
use local::harness::campaign::Campaign;
use local::harness::control::Arrival;
use local::harness::figures::Figures;
use local::harness::screen::grouped;
use local::harness::{Check, Screen};
use serde_json::json;
use simulator::{Timing, universe};
use tokio::time::sleep;

use crate::cost::rounded;
use crate::load::{self, Attempt, Load, address, millis, quantile, send};
use crate::sending::{patience, world};
use crate::settings::Settings;
use crate::{Found, Stage};

const PER_SECOND: u32 = 2_000;
const SECONDS: u32 = 30;
/// What is told of each message.
const STATUSES: [&str; 3] = ["sent", "delivered", "read"];

const P99_MOST_MS: f64 = 250.0;
const WITHIN: Duration = Duration::from_secs(30);
/// How long after the instance is back the senders still have what piled up meanwhile.
const CATCH_UP: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Later than any bench: the simulator itself tells nothing.
const NEVER_MS: u64 = 24 * 60 * 60 * 1000;

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let people = settings.scaled(PER_SECOND * SECONDS / STATUSES.len() as u32);
    let silent = simulator::Settings {
        answer_latency_ms: 50,
        timing: Timing {
            sent_ms: (NEVER_MS, NEVER_MS),
            fail_share: 0.0,
            ..Timing::default()
        },
        ..world(1_000)
    };
    let mut stage = Stage::set(settings, silent).await?;
    let outcome = drive(screen, &mut stage, people).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(screen: &Screen, stage: &mut Stage, people: u32) -> anyhow::Result<Found> {
    Campaign::import(&stage.api, screen, (0, people)).await?;
    let campaign = Campaign::draft(&stage.api, &stage.access, people).await?;
    campaign.start(&stage.api).await?;
    sent(stage, &campaign, people).await?;
    let requests = told(stage, &stage.world.control.arrivals().await?);
    let posts = requests.len();

    let load = tokio::spawn(load::run(Load {
        address: address(&stage.access.url)?,
        requests,
        per_second: PER_SECOND,
        repeat: true,
    }));
    let half = Duration::from_secs(1) * (posts as u32 / 2) / PER_SECOND;
    sleep(half).await;
    let killed = Instant::now();
    stage.instance.kill_and_restart()?;
    stage.instance.ready().await?;
    let back = Instant::now();
    let attempts = load.await??;
    let told = Instant::now();

    let figures = applied(stage, &campaign, people).await?;
    let lag = told.elapsed();
    let quiet =
        |attempt: &&Attempt| attempt.due + attempt.took < killed || attempt.due > back + CATCH_UP;
    let times = millis(attempts.iter().filter(quiet));
    let refused = attempts.iter().filter(|attempt| !attempt.succeeded());
    let outside = refused.clone().filter(quiet).count();
    let again = refused.count();
    let [middle, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&times, share));
    let away = (back - killed).as_secs_f64();
    let mut table = String::new();
    for (name, figure) in [
        ("POSTs", posts as f64),
        ("of these told again", again as f64),
        ("answered, p50 ms", middle),
        ("p99 ms", p99),
        ("most ms", most),
        ("the kill took it away for, s", away),
        ("all applied after the last, s", lag.as_secs_f64()),
    ] {
        // Writing to a text cannot fail.
        let _ = writeln!(table, "  {name:<36}{figure:>12.1}");
    }
    let all = u64::from(people);
    let checks = vec![
        Check {
            claim: "99 of 100 POSTs were answered within 250 ms",
            holds: p99 < P99_MOST_MS,
            figures: format!("{p99:.1} ms, but for the restart"),
        },
        Check {
            claim: "no POST failed but for the kill",
            holds: outside == 0,
            figures: format!("{} did", grouped(outside as u64)),
        },
        Check {
            claim: "everything was applied within 30 s, and nothing lost",
            holds: figures.delivered == all && figures.read == all && lag <= WITHIN,
            figures: format!(
                "{} delivered, {} read of {} after {:.1} s",
                grouped(figures.delivered),
                grouped(figures.read),
                grouped(all),
                lag.as_secs_f64()
            ),
        },
    ];
    Ok(Found {
        table,
        json: json!({
            "posts": posts,
            "per_second": PER_SECOND,
            "told_again": again,
            "answered_ms": {"p50": rounded(middle), "p99": rounded(p99), "most": rounded(most)},
            "away_seconds": rounded(away),
            "applied_after_seconds": rounded(lag.as_secs_f64()),
            "delivered": figures.delivered,
            "read": figures.read,
        }),
        checks,
    })
}

/// Waits until everybody has a message.
async fn sent(stage: &Stage, campaign: &Campaign, people: u32) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let figures = Figures::of(&stage.api.get(&campaign.path()).await?)?;
        if figures.sent == u64::from(people) {
            return Ok(());
        }
        if began.elapsed() > patience(people, 1_000).most {
            bail!("the campaign does not end: {figures:?}");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until every status is applied, or is so late that it will not be.
async fn applied(stage: &Stage, campaign: &Campaign, people: u32) -> anyhow::Result<Figures> {
    let began = Instant::now();
    loop {
        let figures = Figures::of(&stage.api.get(&campaign.path()).await?)?;
        if figures.read == u64::from(people) || began.elapsed() > WITHIN * 2 {
            return Ok(figures);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Every status as a signed POST, in the order in which they would come: all that were sent, and so on.
fn told(stage: &Stage, arrivals: &[Arrival]) -> Vec<Vec<u8>> {
    let secret = stage.world.app_secret();
    let seconds = stage.world.now_ms() / 1000;
    let mut requests = Vec::with_capacity(arrivals.len() * STATUSES.len());
    for status in STATUSES {
        for (place, arrival) in arrivals.iter().enumerate() {
            let body = json!({"object": "whatsapp_business_account", "entry": [{
                "id": universe::WABA,
                "changes": [{"field": "messages", "value": {
                    "messaging_product": "whatsapp",
                    "metadata": {"display_phone_number": "0", "phone_number_id": universe::NUMBER},
                    "statuses": [{
                        "id": format!("wamid.{place}"),
                        "status": status,
                        "timestamp": seconds.to_string(),
                        "recipient_id": arrival.to,
                        "biz_opaque_callback_data": arrival.callback_data,
                    }],
                }}],
            }]});
            let body = body.to_string();
            let signature = whatsapp::signature::sign(secret, body.as_bytes());
            let headers = [("x-hub-signature-256", signature.as_str())];
            requests.push(send("POST", "/webhooks/whatsapp", &headers, &body));
        }
    }
    requests
}
