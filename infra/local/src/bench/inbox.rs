//! The list of 10,000 chats: its first page, filtered pages and the live counts, at 50 calls a second.

use std::time::{Duration, Instant};

use anyhow::bail;
use local::harness::screen::grouped;
use local::harness::{Check, Screen};
use serde_json::{Value, json};
use simulator::universe;
use tokio::time::sleep;

use crate::load::{self, Load, address, get, send};
use crate::sending::world;
use crate::settings::Settings;
use crate::{Found, Stage};

const CHATS: u32 = 10_000;
/// How many messages one webhook brings while the chats are made.
const IN_A_WEBHOOK: usize = 50;
const WEBHOOKS_PER_SECOND: u32 = 10;

const PER_SECOND: u32 = 50;
const CALLS: u32 = 3_000;

const P99_MOST_MS: f64 = 15.0;
const LOOK_EVERY: Duration = Duration::from_millis(500);
const MADE_WITHIN: Duration = Duration::from_secs(300);

/// What is asked for, in turn.
const PATHS: [(&str, &str); 4] = [
    ("first page", "/v1/chats?status=open"),
    ("unread", "/v1/chats?status=open&unread=true"),
    ("unassigned", "/v1/chats?status=open&assignee=nobody"),
    ("counts", "/v1/chats/counts"),
];

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let chats = settings.scaled(CHATS);
    let stage = Stage::set(settings, world(80)).await?;
    let outcome = drive(screen, &stage, chats).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(screen: &Screen, stage: &Stage, chats: u32) -> anyhow::Result<Found> {
    make(stage, chats).await?;
    screen.say(&format!("  {} chats", grouped(u64::from(chats))));
    let bearer = format!("Bearer {}", stage.access.api_key);
    let headers = [("authorization", bearer.as_str())];
    let request = |call: u32| get(PATHS[call as usize % PATHS.len()].1, &headers);
    let attempts = load::run(Load {
        address: address(&stage.access.url)?,
        requests: (0..CALLS).map(request).collect(),
        per_second: PER_SECOND,
        repeat: false,
    })
    .await?;
    let refused = attempts.iter().filter(|attempt| !attempt.succeeded());
    let refused = refused.count();
    let mut table = String::new();
    let mut figures = serde_json::Map::new();
    let mut worst: f64 = 0.0;
    for (kind, (name, _)) in PATHS.iter().enumerate() {
        let of_kind = attempts
            .iter()
            .filter(|attempt| attempt.place % PATHS.len() == kind);
        let spread = load::spread(name, of_kind);
        table.push_str(&spread.line);
        figures.insert((*name).to_owned(), spread.json);
        worst = worst.max(spread.p99_ms);
    }
    let checks = vec![
        Check {
            claim: "99 of 100 pages and counts took less than 15 ms",
            holds: worst < P99_MOST_MS,
            figures: format!("{worst:.1} ms"),
        },
        Check {
            claim: "every call succeeded",
            holds: refused == 0 && attempts.len() == CALLS as usize,
            figures: format!("{} did not", grouped(refused as u64)),
        },
    ];
    Ok(Found {
        table,
        json: figures.into(),
        checks,
    })
}

/// Everybody writes once, and has a chat by that.
async fn make(stage: &Stage, chats: u32) -> anyhow::Result<()> {
    let second = stage.world.now_ms() / 1000;
    let message = |person: u32| {
        json!({"from": format!("62812{person:08}"), "id": format!("wamid.inbox.{person}"),
            "timestamp": (second - i64::from(chats - person) / 50).to_string(), "type": "text",
            "text": {"body": format!("Is my order {person} on its way?")}})
    };
    load::run(Load {
        address: address(&stage.access.url)?,
        requests: (0..chats)
            .map(message)
            .collect::<Vec<_>>()
            .chunks(IN_A_WEBHOOK)
            .map(|told| webhook(stage, told, &[]))
            .collect(),
        per_second: WEBHOOKS_PER_SECOND,
        repeat: true,
    })
    .await?;
    let began = Instant::now();
    loop {
        let counts = stage.api.get("/v1/chats/counts").await?;
        let open = &counts["statuses"]["open"]["all"];
        if open.as_u64() == Some(u64::from(chats)) {
            return Ok(());
        }
        if began.elapsed() > MADE_WITHIN {
            bail!(
                "only {} of {chats} chats were made",
                open.as_u64().unwrap_or(0)
            );
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The signed request in which Meta tells of these messages, and what their writers call themselves.
pub(crate) fn webhook(stage: &Stage, messages: &[Value], people: &[Value]) -> Vec<u8> {
    let body = json!({"object": "whatsapp_business_account", "entry": [{
        "id": universe::WABA,
        "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "0", "phone_number_id": universe::NUMBER},
            "contacts": people,
            "messages": messages,
        }}],
    }]});
    let body = body.to_string();
    let signature = whatsapp::signature::sign(stage.world.app_secret(), body.as_bytes());
    let headers = [("x-hub-signature-256", signature.as_str())];
    send("POST", "/webhooks/whatsapp", &headers, &body)
}
