//! The public API at 200 calls a second, a quarter of them writes.

use anyhow::bail;
use local::harness::api::text;
use local::harness::campaign::Campaign;
use local::harness::screen::grouped;
use local::harness::{Check, Screen};
use serde_json::{Value, json};

use crate::load::{self, Load, address, get, send};
use crate::sending::world;
use crate::settings::Settings;
use crate::{Found, Stage};

const PER_SECOND: u32 = 200;
const SECONDS: u32 = 30;
const PEOPLE: u32 = 2_000;

const P99_MOST_MS: f64 = 15.0;

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let calls = settings.scaled(PER_SECOND * SECONDS);
    let stage = Stage::set(settings, world(80)).await?;
    let outcome = drive(screen, &stage, calls).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(screen: &Screen, stage: &Stage, calls: u32) -> anyhow::Result<Found> {
    let api = &stage.api;
    Campaign::import(api, screen, (0, PEOPLE)).await?;
    let campaign = Campaign::draft(api, &stage.access, PEOPLE).await?;
    let contacts = api.get("/v1/contacts?limit=100").await?;
    let contacts = contacts.get("items").and_then(Value::as_array);
    let ids: Vec<_> = contacts
        .into_iter()
        .flatten()
        .map(|contact| text(contact, "id"))
        .collect::<Result<_, _>>()?;
    if ids.is_empty() {
        bail!("the instance lists no contacts");
    }
    let bearer = format!("Bearer {}", stage.access.api_key);
    let headers = [("authorization", bearer.as_str())];
    let request = |call: u32| {
        let contact = format!("/v1/contacts/{}", ids[call as usize % ids.len()]);
        match call % 8 {
            0 => {
                let phone = format!("+62813{:08}", 10_000_000 + call);
                let body = json!({"phone": phone, "name": format!("Caller {call}")});
                send("POST", "/v1/contacts", &headers, &body.to_string())
            }
            4 => {
                let body = json!({"name": format!("Renamed {call}")});
                send("PATCH", &contact, &headers, &body.to_string())
            }
            1 | 5 => get("/v1/contacts?limit=20", &headers),
            2 => get(&campaign.path(), &headers),
            3 => get("/v1/campaigns?limit=20", &headers),
            _ => get(&contact, &headers),
        }
    };
    let attempts = load::run(Load {
        address: address(&stage.access.url)?,
        requests: (0..calls).map(request).collect(),
        per_second: PER_SECOND,
        repeat: false,
    })
    .await?;

    let refused = attempts.iter().filter(|attempt| !attempt.succeeded());
    let refused = refused.count();
    let mut table = String::new();
    let mut figures = serde_json::Map::new();
    let mut worst: f64 = 0.0;
    for (name, writes) in [("reads", false), ("writes", true)] {
        let of_kind = |place: usize| place.is_multiple_of(4) == writes;
        let of_kind = attempts.iter().filter(|attempt| of_kind(attempt.place));
        let spread = load::spread(name, of_kind);
        table.push_str(&spread.line);
        figures.insert(name.to_owned(), spread.json);
        worst = worst.max(spread.p99_ms);
    }
    let checks = vec![
        Check {
            claim: "99 of 100 reads and of 100 writes took less than 15 ms",
            holds: worst < P99_MOST_MS,
            figures: format!("{worst:.1} ms"),
        },
        Check {
            claim: "every call succeeded",
            holds: refused == 0 && attempts.len() == calls as usize,
            figures: format!("{} did not", grouped(refused as u64)),
        },
    ];
    Ok(Found {
        table,
        json: figures.into(),
        checks,
    })
}
