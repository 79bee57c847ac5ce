//! The shell of the functions behind a queue: lifts a function of one message to Lambda's batches.
//!
//! Whether a message is done or comes back is decided in [`app::task::run`]; this shell carries the
//! verdict to SQS. A message that fails is reported by itself, so the others of its batch are not
//! repeated. On a FIFO queue the messages of its group that follow are reported with it, untouched: they
//! must not overtake it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use app::App;
use app::config::{ConfigError, queue_variable, required};
use app::task::{self, Task, Verdict};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::stream::{self, StreamExt};
use futures::{Future, FutureExt};
use jiff::SignedDuration;
use lambda_runtime::{LambdaEvent, service_fn};
use tracing::Instrument;

use crate::sqs::SqsQueue;
use crate::{Error, start};

#[cfg(test)]
mod tests;

/// Set beside every trigger that has `FunctionResponseTypes: [ReportBatchItemFailures]`.
const PARTIAL_FAILURES: &str = "REPORT_BATCH_ITEM_FAILURES";

/// How many messages of a batch are worked on at once.
const CONCURRENCY: usize = 5;

/// How long before the deadline no message is taken any more. An invocation that runs into its
/// deadline fails as a whole, and every message of the batch is repeated. What takes longer than this
/// looks at the deadline itself ([`App::last_start`]).
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// Runs a function that works on messages. Returns only when it cannot start.
///
/// # Errors
/// The environment is incomplete, or does not say that the trigger reports partial failures.
pub async fn queue<T, F, Fut>(handler: F) -> Result<(), Error>
where
    T: Task,
    F: Fn(App, T) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    start::logs();
    let (app, sqs) = start::checked(ready::<T>())?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let app = app.until(start::deadline(&event.context));
        Ok::<_, Error>(batch(&app, &sqs, event.payload, &handler).await)
    }))
    .await
}

/// Runs a function that works on messages of two queues. Returns only when it cannot start.
///
/// # Errors
/// As [`queue()`].
pub async fn queues<A, FA, FutA, B, FB, FutB>(first: FA, second: FB) -> Result<(), Error>
where
    A: Task,
    FA: Fn(App, A) -> FutA,
    FutA: Future<Output = Result<(), app::Error>>,
    B: Task,
    FB: Fn(App, B) -> FutB,
    FutB: Future<Output = Result<(), app::Error>>,
{
    start::logs();
    let (app, sqs) = start::checked(ready::<A>().and_then(|(app, sqs)| {
        addressed::<B>(&app)?;
        Ok((app, sqs))
    }))?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let app = app.until(start::deadline(&event.context));
        either(&app, &sqs, event.payload, (&first, &second)).await
    }))
    .await
}

/// Works on one batch of whichever queue it is from: a trigger delivers messages of one queue only.
///
/// # Errors
/// The batch is of neither queue; Lambda repeats it as a whole.
pub async fn either<A, FA, FutA, B, FB, FutB>(
    app: &App,
    sqs: &SqsQueue,
    event: SqsEvent,
    handlers: (&FA, &FB),
) -> Result<SqsBatchResponse, Error>
where
    A: Task,
    FA: Fn(App, A) -> FutA,
    FutA: Future<Output = Result<(), app::Error>>,
    B: Task,
    FB: Fn(App, B) -> FutB,
    FutB: Future<Output = Result<(), app::Error>>,
{
    let (first, second) = handlers;
    if is_from::<A>(app, &event) {
        Ok(batch(app, sqs, event, first).await)
    } else if is_from::<B>(app, &event) {
        Ok(batch(app, sqs, event, second).await)
    } else {
        Err("a batch is of a queue that this function does not read".into())
    }
}

/// Whether a batch is of the task's queue: an ARN and an address end in the same name.
fn is_from<T: Task>(app: &App, event: &SqsEvent) -> bool {
    let address = app.config.queues.0.get(&T::QUEUE);
    let own = address.and_then(|address| address.rsplit('/').next());
    let arn = event
        .records
        .first()
        .and_then(|message| message.event_source_arn.as_deref());
    own.is_some() && own == arn.and_then(|arn| arn.rsplit(':').next())
}

/// Works on one batch. What is not begun before the deadline is near goes back to the queue at once.
pub async fn batch<T, F, Fut>(
    app: &App,
    sqs: &SqsQueue,
    event: SqsEvent,
    handler: &F,
) -> SqsBatchResponse
where
    T: Task,
    F: Fn(App, T) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    let mut work = stream::iter(lines(event.records))
        .map(|line| in_order(app, sqs, line, handler))
        .buffer_unordered(CONCURRENCY);
    let mut response = SqsBatchResponse::default();
    while let Some(failed) = work.next().await {
        for id in failed {
            response.add_failure(id);
        }
    }
    response
}

/// The batch as lines, of which each is worked on in its order: of a FIFO queue a line for each group, of
/// any other a line for each message.
fn lines(messages: Vec<SqsMessage>) -> Vec<Vec<SqsMessage>> {
    let mut lines: Vec<Vec<SqsMessage>> = Vec::new();
    for message in messages {
        let group = fifo_group(&message);
        let line = lines.iter_mut().find(|line| {
            let first = line.first().and_then(fifo_group);
            group.is_some() && first == group
        });
        match line {
            Some(line) => line.push(message),
            None => lines.push(vec![message]),
        }
    }
    lines
}

/// Only messages of FIFO queues have a sequence number; others may have a group too (SQS: fair queues).
fn fifo_group(message: &SqsMessage) -> Option<&str> {
    let attributes = &message.attributes;
    attributes.get("SequenceNumber")?;
    attributes.get("MessageGroupId").map(String::as_str)
}

/// Works on the messages of a line, up to the first that fails. Answers with the ids that the batch has to
/// report as failed.
async fn in_order<T, F, Fut>(
    app: &App,
    sqs: &SqsQueue,
    line: Vec<SqsMessage>,
    handler: &F,
) -> Vec<String>
where
    T: Task,
    F: Fn(App, T) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    let mut failed = Vec::new();
    let mut before = Verdict::Done;
    for message in line {
        let span = tracing::info_span!(
            "message",
            queue = T::QUEUE.as_str(),
            message_id = message.message_id.as_deref()
        );
        let work = async {
            before = match before {
                Verdict::Done => begun(app, &message, handler).await,
                // It comes back with the one before it, or the order would be lost.
                held_up @ Verdict::Retry { .. } => held_up,
            };
            settle::<T>(sqs, message, before).await
        };
        failed.extend(work.instrument(span).await);
    }
    failed
}

async fn begun<T, F, Fut>(app: &App, message: &SqsMessage, handler: &F) -> Verdict
where
    T: Task,
    F: Fn(App, T) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    if app.now() < app.last_start(MARGIN) {
        return one(app, message, handler).await;
    }
    tracing::warn!("the deadline is near; a message goes back untouched");
    Verdict::Retry {
        after: Some(Duration::ZERO),
    }
}

async fn one<T, F, Fut>(app: &App, message: &SqsMessage, handler: &F) -> Verdict
where
    T: Task,
    F: Fn(App, T) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    let body = message.body.as_deref().unwrap_or_default();
    // What a panic leaves half done is the same as what a killed process leaves: tasks are written
    // for it, and nothing in memory is shared but caches.
    let run = AssertUnwindSafe(task::run(app.clone(), body, handler)).catch_unwind();
    match run.await {
        Ok(verdict) => verdict,
        Err(_) => {
            tracing::error!("a handler panicked; its message comes back");
            Verdict::Retry { after: None }
        }
    }
}

/// Carries a verdict to SQS; answers with the id that the batch has to report as failed.
async fn settle<T: Task>(sqs: &SqsQueue, message: SqsMessage, verdict: Verdict) -> Option<String> {
    let Verdict::Retry { after } = verdict else {
        return None;
    };
    if let (Some(after), Some(receipt)) = (after, &message.receipt_handle) {
        // Best effort: without it the message still comes back, at its visibility time-out.
        if let Err(error) = sqs.give_back(T::QUEUE, receipt, after).await {
            tracing::warn!(error = error.chain(), "a message comes back late");
        }
    }
    // An empty id makes Lambda repeat the whole batch, which is right for a message without one.
    Some(message.message_id.unwrap_or_default())
}

fn ready<T: Task>() -> Result<(App, SqsQueue), Error> {
    reports_partial_failures(required(PARTIAL_FAILURES).ok().as_deref())?;
    let (app, sqs) = start::app()?;
    addressed::<T>(&app)?;
    Ok((app, sqs))
}

/// Without its address no message can be given back before its visibility time-out.
fn addressed<T: Task>(app: &App) -> Result<(), Error> {
    if app.config.queues.0.contains_key(&T::QUEUE) {
        Ok(())
    } else {
        Err(ConfigError::Missing(queue_variable(T::QUEUE)).into())
    }
}

fn reports_partial_failures(value: Option<&str>) -> Result<(), Error> {
    if value == Some("1") {
        return Ok(());
    }
    Err(format!(
        "{PARTIAL_FAILURES} is not 1: a trigger that does not report partial failures would delete \
         failed messages as done; set both in the template"
    )
    .into())
}
