//! The shell of the functions behind a queue: lifts a function of one message to Lambda's batches.
//!
//! Whether a message is done or comes back is decided in [`app::task::run`]; this shell carries the
//! verdict to SQS. A message that fails is reported by itself, so the others of its batch are not
//! repeated.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use app::App;
use app::config::{ConfigError, queue_variable, required};
use app::task::{self, Task, Verdict};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::stream::{self, StreamExt};
use futures::{Future, FutureExt};
use jiff::Timestamp;
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
/// deadline fails as a whole, and every message of the batch is repeated.
const MARGIN_MS: u64 = 5_000;

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
        let stop = last_take(event.context.deadline);
        Ok::<_, Error>(batch(&app, &sqs, event.payload, stop, &handler).await)
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
        let stop = last_take(event.context.deadline);
        either(&app, &sqs, event.payload, stop, (&first, &second)).await
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
    stop: Timestamp,
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
        Ok(batch(app, sqs, event, stop, first).await)
    } else if is_from::<B>(app, &event) {
        Ok(batch(app, sqs, event, stop, second).await)
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

/// Works on one batch. Messages that are not taken before `stop` go back to the queue at once.
pub async fn batch<T, F, Fut>(
    app: &App,
    sqs: &SqsQueue,
    event: SqsEvent,
    stop: Timestamp,
    handler: &F,
) -> SqsBatchResponse
where
    T: Task,
    F: Fn(App, T) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    let mut work = stream::iter(event.records)
        .map(|message| async move {
            let span = tracing::info_span!(
                "message",
                queue = T::QUEUE.as_str(),
                message_id = message.message_id.as_deref()
            );
            async {
                let verdict = if app.now() < stop {
                    one(app, &message, handler).await
                } else {
                    tracing::warn!("the deadline is near; a message goes back untouched");
                    Verdict::Retry {
                        after: Some(Duration::ZERO),
                    }
                };
                settle::<T>(sqs, message, verdict).await
            }
            .instrument(span)
            .await
        })
        .buffer_unordered(CONCURRENCY);
    let mut response = SqsBatchResponse::default();
    while let Some(failed) = work.next().await {
        if let Some(id) = failed {
            response.add_failure(id);
        }
    }
    response
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

fn last_take(deadline_ms: u64) -> Timestamp {
    i64::try_from(deadline_ms.saturating_sub(MARGIN_MS))
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
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
