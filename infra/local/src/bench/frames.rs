//! How long it takes from a webhook with a person's message to the frame on an open screen, while a
//! campaign uses the number to its limit.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::{SinkExt, StreamExt};
use local::harness::api::{client, text};
use local::harness::campaign::Campaign;
use local::harness::{Check, Screen};
use serde_json::{Value, json};
use simulator::universe;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::chat::saturated;
use crate::cost::rounded;
use crate::load::quantile;
use crate::sending::world;
use crate::settings::Settings;
use crate::{Found, Stage};

const LIMIT: u32 = 80;
/// More than the campaign reaches meanwhile.
const PEOPLE: u32 = 6_000;
const MESSAGES: u32 = 300;
/// How long nobody writes between two messages.
const BETWEEN: Duration = Duration::from_millis(50);
/// A frame that takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(10);

const P99_MOST_MS: f64 = 100.0;

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let (people, messages) = (PEOPLE, settings.scaled(MESSAGES));
    let stage = Stage::set(settings, world(LIMIT)).await?;
    let outcome = drive(screen, &stage, people, messages).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(
    screen: &Screen,
    stage: &Stage,
    people: u32,
    messages: u32,
) -> anyhow::Result<Found> {
    Campaign::import(&stage.api, screen, (0, people)).await?;
    let campaign = Campaign::draft(&stage.api, &stage.access, people).await?;
    let mut open = OpenScreen::open(stage).await?;
    campaign.start(&stage.api).await?;
    saturated(stage, &campaign).await?;

    let mut bar = screen.bar("frames");
    let mut millis = Vec::new();
    let webhooks = client()?;
    for number in 0..messages {
        let body = written(stage, number);
        let signature = whatsapp::signature::sign(stage.world.app_secret(), body.as_bytes());
        let post = webhooks
            .post(format!("{}/webhooks/whatsapp", stage.access.url))
            .header("x-hub-signature-256", signature)
            .header("content-type", "application/json")
            .body(body);
        let began = Instant::now();
        // The frame may come before the webhook's own answer is read.
        let (answer, seen) = tokio::join!(post.send(), open.inbound());
        seen.with_context(|| format!("message {number} was not told"))?;
        answer?.error_for_status()?;
        millis.push(began.elapsed().as_secs_f64() * 1e3);
        bar.show(number.into(), messages.into(), "messages", "");
        sleep(BETWEEN).await;
    }
    let report = stage.world.control.report(&campaign.number, 0).await?;
    let accepted = report.get("accepted").and_then(Value::as_u64).unwrap_or(0);
    bar.end(&format!("{messages} messages were told"));

    millis.sort_by(f64::total_cmp);
    let [middle, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&millis, share));
    let mut table = String::new();
    for (name, figure) in [
        ("from webhook to frame, p50 ms", middle),
        ("p99 ms", p99),
        ("most ms", most),
        ("campaign messages by then", accepted as f64),
    ] {
        // Writing to a text cannot fail.
        let _ = writeln!(table, "  {name:<36}{figure:>12.1}");
    }
    let checks = vec![
        Check {
            claim: "99 of 100 frames came within 100 ms of their webhook",
            holds: p99 < P99_MOST_MS,
            figures: format!("{p99:.1} ms"),
        },
        Check {
            claim: "the campaign was still sending",
            holds: accepted < u64::from(people),
            figures: format!("{accepted} of {people}"),
        },
    ];
    Ok(Found {
        table,
        json: json!({
            "messages": messages,
            "frame_ms": {"p50": rounded(middle), "p99": rounded(p99), "most": rounded(most)},
        }),
        checks,
    })
}

/// A webhook with a message; fifty people write in turn.
fn written(stage: &Stage, number: u32) -> String {
    let from = format!("62814{:08}", 10_000_000 + number % 50);
    let seconds = stage.world.now_ms() / 1000;
    let message = json!({
        "from": from,
        "id": format!("wamid.frames.{number}"),
        "timestamp": seconds.to_string(),
        "type": "text",
        "text": {"body": format!("Message {number}")},
    });
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "0", "phone_number_id": universe::NUMBER},
        "contacts": [{"profile": {"name": "Writer"}, "wa_id": from}],
        "messages": [message],
    });
    let change = json!({"field": "messages", "value": value});
    let entry = json!({"id": universe::WABA, "changes": [change]});
    json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string()
}

/// An open screen of the workspace.
struct OpenScreen(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl OpenScreen {
    async fn open(stage: &Stage) -> anyhow::Result<Self> {
        let ticket = stage.api.post("/v1/realtime/ticket", &json!({})).await?;
        let url = text(&ticket, "url")?;
        let (socket, _) = connect_async(url.as_str())
            .await
            .with_context(|| format!("{url} cannot be opened"))?;
        Ok(Self(socket))
    }

    /// Waits until it is told that a person wrote.
    async fn inbound(&mut self) -> anyhow::Result<()> {
        timeout(PATIENCE, async {
            loop {
                let message = self.0.next().await.context("the socket was closed")??;
                match message {
                    Message::Text(frame) if tells_inbound(&frame) => return Ok(()),
                    Message::Ping(bytes) => self.0.send(Message::Pong(bytes)).await?,
                    Message::Close(_) => bail!("the socket was closed"),
                    _ => {}
                }
            }
        })
        .await
        .context("no frame came")?
    }
}

fn tells_inbound(frame: &str) -> bool {
    let frame: Value = serde_json::from_str(frame).unwrap_or_default();
    let events = frame.get("events").and_then(Value::as_array);
    events.into_iter().flatten().any(|event| {
        let is = |name: &str, text: &str| event.get(name).and_then(Value::as_str) == Some(text);
        is("type", "message.created") && is("direction", "inbound")
    })
}
