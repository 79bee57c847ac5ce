//! The delivery engine: gathers what is due into POSTs, keeps a bounded number of them open, and
//! tries again what was not answered with 200.

use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{Either, select};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::{Webhook, body, signature};
use crate::core::{Core, lock};
use crate::time::Time;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const WEEK: i64 = 7 * 24 * HOUR;
/// Waits between tries; the last one repeats.
const BACKOFF: [i64; 8] = [
    0,
    10 * SECOND,
    30 * SECOND,
    120 * SECOND,
    600 * SECOND,
    HOUR,
    3 * HOUR,
    6 * HOUR,
];

/// Runs until it is dropped, and takes its open calls with it.
pub(crate) async fn run(core: Arc<Core>) {
    let mut calls = JoinSet::new();
    loop {
        flush(&core);
        launch(&core, &mut calls);
        let sleep = match next_ms(&core, calls.len()) {
            Some(at) => core.time.sleep_until(at),
            None => pending().boxed(),
        };
        tokio::select! {
            Some(done) = calls.join_next() => {
                if let Ok((id, delivered)) = done {
                    settle(&core, id, delivered);
                }
            }
            () = core.wake.notified() => {}
            () = sleep => {}
        }
    }
}

/// Asks the callback to prove that it knows the verify token, as Meta does before it uses one.
pub(crate) async fn handshake(core: &Core, url: &str, verify_token: &str) -> Result<(), String> {
    let challenge = (1_000_000_000 + core.next_trace()).to_string();
    let request = core.client.get(url).query(&[
        ("hub.mode", "subscribe"),
        ("hub.challenge", &challenge),
        ("hub.verify_token", verify_token),
    ]);
    let exchange = async {
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        match status {
            200 if text == challenge => Ok(()),
            200 => Err("the callback did not return the challenge".into()),
            _ => Err(format!("the callback answered {status}")),
        }
    };
    let timeout = core.settings().webhooks.timeout_ms;
    within(core.time.as_ref(), timeout, exchange)
        .await
        .unwrap_or_else(|| Err("the callback did not answer in time".into()))
}

/// Turns the steps that are due into webhooks, number by number, in due order.
fn flush(core: &Core) {
    let settings = core.settings();
    if settings.webhook_url.is_empty() {
        return;
    }
    let now_ms = core.time.now_ms();
    let mut ledger = lock(&core.ledger);
    let mut outbox = lock(&core.outbox);
    let due = outbox.take_due(now_ms, settings.webhooks.gather());
    if due.is_empty() {
        return;
    }
    for number in &core.universe.numbers {
        let mine: Vec<_> = due
            .iter()
            .filter_map(|(at, message, step)| Some((*message, ledger.get(*message)?, *step, *at)))
            .filter(|(_, message, ..)| message.phone_number_id == number.id)
            .collect();
        if mine.is_empty() {
            continue;
        }
        if !core.is_subscribed(number.waba) {
            let steps: Vec<_> = mine.iter().map(|(id, _, step, _)| (*id, *step)).collect();
            core.close_steps(&mut ledger, &steps, false);
            continue;
        }
        for batch in mine.chunks(settings.webhooks.batch.max(1)) {
            let told: Vec<_> = batch
                .iter()
                .map(|(_, m, step, at)| (*m, *step, *at))
                .collect();
            let covers = batch.iter().map(|(id, _, step, _)| (*id, *step)).collect();
            outbox.add(body::of_statuses(number, &told), covers, now_ms);
        }
    }
}

fn launch(core: &Arc<Core>, calls: &mut JoinSet<(u64, bool)>) {
    let settings = core.settings();
    if settings.webhook_url.is_empty() {
        return;
    }
    while calls.len() < settings.webhooks.parallel.max(1) {
        let Some(webhook) = lock(&core.outbox).open_next(core.time.now_ms()) else {
            return;
        };
        let core = Arc::clone(core);
        calls.spawn(async move {
            let call = AssertUnwindSafe(post(&core, webhook.body)).catch_unwind();
            (webhook.id, call.await.unwrap_or(false))
        });
    }
}

/// One try. Only a plain 200 in time counts.
async fn post(core: &Core, body: Bytes) -> bool {
    let settings = core.settings();
    let request = core
        .client
        .post(&settings.webhook_url)
        .header("content-type", "application/json")
        .header("user-agent", "facebookexternalua")
        .header(
            "x-hub-signature-256",
            signature(&settings.app_secret, &body),
        )
        .body(body);
    let exchange = async {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        // Reading to the end lets the connection be used again.
        answer.bytes().await?;
        Ok::<_, reqwest::Error>(status)
    };
    match within(core.time.as_ref(), settings.webhooks.timeout_ms, exchange).await {
        Some(Ok(200)) => true,
        Some(Ok(status)) => {
            debug!(status, "the callback refused a webhook");
            false
        }
        Some(Err(error)) => {
            debug!(%error, "the callback could not be reached");
            false
        }
        None => {
            debug!("the callback did not answer in time");
            false
        }
    }
}

fn settle(core: &Core, id: u64, delivered: bool) {
    let mut ledger = lock(&core.ledger);
    let mut outbox = lock(&core.outbox);
    // Nothing to settle when the ledger was cleared while the call was open.
    let Some(mut webhook) = outbox.close(id) else {
        return;
    };
    if delivered {
        finish(core, &mut ledger, &webhook, true);
        return;
    }
    let now_ms = core.time.now_ms();
    if now_ms - webhook.first_ms >= WEEK {
        warn!(
            webhook = webhook.id,
            "a webhook was given up after seven days"
        );
        finish(core, &mut ledger, &webhook, false);
        return;
    }
    let wait = BACKOFF[(webhook.attempts as usize).min(BACKOFF.len() - 1)];
    webhook.attempts += 1;
    webhook.kept = true;
    core.keep(&webhook, now_ms + wait);
    outbox.try_again(webhook, now_ms + wait);
}

fn finish(core: &Core, ledger: &mut crate::ledger::Ledger, webhook: &Webhook, delivered: bool) {
    core.close_steps(ledger, &webhook.covers, delivered);
    if webhook.kept {
        core.forget(webhook.id);
    }
}

fn next_ms(core: &Core, open: usize) -> Option<i64> {
    let settings = core.settings();
    if settings.webhook_url.is_empty() {
        return None;
    }
    let room = open < settings.webhooks.parallel.max(1);
    lock(&core.outbox).next_ms(settings.webhooks.gather(), room)
}

/// The output of `work`, or `None` when `limit_ms` passed first.
async fn within<F: Future>(time: &dyn Time, limit_ms: u64, work: F) -> Option<F::Output> {
    let until = time.now_ms() + i64::try_from(limit_ms).unwrap_or(i64::MAX / 2);
    let work = std::pin::pin!(work);
    match select(work, time.sleep_until(until)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
