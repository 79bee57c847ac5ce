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

use super::{Target, Webhook, body, signing, told_again};
use crate::core::{Core, lock};
use crate::fate::Step;
use crate::ledger::{Ledger, Message};
use crate::time::Time;
use crate::universe::Number;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
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
        core.receive_replies();
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

/// A status that is about to be told, by the number of its message in the ledger.
type Telling = (u32, Arc<Message>, Step);

/// Turns the steps that are due into webhooks, number by number, in due order.
fn flush(core: &Core) {
    let settings = core.settings();
    if !core.delivers(&settings) {
        return;
    }
    let now_ms = core.time.now_ms();
    let (taken, due) = {
        let ledger = lock(&core.ledger);
        let taken = lock(&core.outbox).take_due(now_ms, settings.webhooks.gather());
        let due: Vec<Telling> = taken
            .steps
            .iter()
            .filter_map(|(entry, step)| {
                Some((*entry, Arc::clone(&ledger.get(*entry)?.message), *step))
            })
            .collect();
        (taken, due)
    };
    if taken.steps.is_empty() {
        return;
    }
    // Nothing is locked here: putting bodies together is the longest work there is.
    let (mut batches, mut echoes, mut untold) = (Vec::new(), Vec::new(), Vec::new());
    for number in &core.universe.numbers {
        let mine: Vec<_> = due
            .iter()
            .filter(|(_, message, _)| message.phone_number_id == number.id)
            .collect();
        if !core.is_subscribed(number.waba) {
            untold.extend(mine.iter().map(|(entry, _, step)| (*entry, *step)));
            continue;
        }
        for batch in mine.chunks(settings.webhooks.batch.max(1)) {
            let covers: Vec<_> = batch.iter().map(|(n, _, step)| (*n, *step)).collect();
            batches.push((told(number, batch), covers));
        }
        for telling in mine {
            let (_, message, step) = telling;
            let what = [message.recipient.as_str(), step.name()];
            if let Some(at_ms) = told_again(&settings, message.nth, what, now_ms) {
                echoes.push((told(number, &[telling]), at_ms));
            }
        }
    }
    let mut ledger = lock(&core.ledger);
    let mut outbox = lock(&core.outbox);
    // Otherwise everything was cleared meanwhile.
    if outbox.put_together(&taken) {
        core.close_steps(&mut ledger, &untold, false);
        for (body, covers) in batches {
            outbox.add(body, covers, now_ms);
        }
        for (body, at_ms) in echoes {
            outbox.repeat(body, at_ms);
        }
    }
}

fn told(number: &Number, batch: &[&Telling]) -> Bytes {
    let told: Vec<_> = batch.iter().map(|(_, m, step)| (&**m, *step)).collect();
    body::of_statuses(number, &told)
}

fn launch(core: &Arc<Core>, calls: &mut JoinSet<(u64, bool)>) {
    let settings = core.settings();
    if !core.delivers(&settings) {
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
    let (url, secret) = match lock(&core.callbacks).target(&settings, &body) {
        Target::Address { url, secret } => (url, secret),
        Target::Nowhere => return true,
        Target::Waits => return false,
    };
    let signed_as = lock(&core.signing).take();
    let mut request = core
        .client
        .post(&url)
        .header("content-type", "application/json")
        .header("user-agent", "facebookexternalua");
    if let Some(signature) = signing::header(&settings, &secret, signed_as, &body) {
        request = request.header("x-hub-signature-256", signature);
    }
    let request = request.body(body);
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
    let age_ms = u64::try_from(now_ms - webhook.first_ms).unwrap_or_default();
    if age_ms >= core.settings().webhooks.give_up_ms {
        warn!(webhook = webhook.id, age_ms, "a webhook was given up");
        finish(core, &mut ledger, &webhook, false);
        return;
    }
    let wait = BACKOFF[(webhook.attempts as usize).min(BACKOFF.len() - 1)];
    webhook.attempts += 1;
    webhook.kept = true;
    core.keep(&webhook, now_ms + wait);
    outbox.try_again(webhook, now_ms + wait);
}

fn finish(core: &Core, ledger: &mut Ledger, webhook: &Webhook, delivered: bool) {
    core.close_steps(ledger, &webhook.covers, delivered);
    if webhook.kept {
        core.forget(webhook.id);
    }
}

fn next_ms(core: &Core, open: usize) -> Option<i64> {
    let settings = core.settings();
    let outbox = lock(&core.outbox);
    // People answer whether or not anybody is told of it.
    let reply = outbox.next_reply_ms();
    let delivery = if !core.delivers(&settings) {
        None
    } else {
        let room = open < settings.webhooks.parallel.max(1);
        outbox.next_ms(settings.webhooks.gather(), room)
    };
    reply.into_iter().chain(delivery).min()
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
