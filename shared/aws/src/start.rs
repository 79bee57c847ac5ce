//! What every shell does first: logs, then the application over AWS's ports.

use std::sync::Arc;

use app::config::required;
use app::ports::{Clock, Mail};
use app::{App, Config};
use jiff::Timestamp;
use lambda_runtime::Context;
use tracing_subscriber::EnvFilter;

use crate::Error;
use crate::access::Access;
use crate::push::GatewayPush;
use crate::s3::S3Files;
use crate::ses::{NoMail, SesMail};
use crate::sqs::SqsQueue;
use app::clock::SystemClock;

/// Logs as lines of JSON, a panic included: CloudWatch cuts plain text at each line break.
pub(crate) fn logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(filter)
        .init();
    std::panic::set_hook(Box::new(|info| {
        tracing::error!(panic = %info, "a panic");
    }));
}

/// When the invocation is cut off.
pub(crate) fn deadline(context: &Context) -> Timestamp {
    i64::try_from(context.deadline)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Logs why a function cannot start: what `main` prints of an error is for a debugger.
pub(crate) fn checked<T>(started: Result<T, Error>) -> Result<T, Error> {
    started.inspect_err(|error| tracing::error!(%error, "the function cannot start"))
}

/// The application, and its queues once more for the shell that gives messages back to them.
pub(crate) fn app() -> Result<(App, SqsQueue), Error> {
    let config = Config::from_env()?;
    let access = Access::from_env()?;
    let client = aws_sdk_dynamodb::Client::from_conf(access.dynamodb().build());
    let queue = SqsQueue::new(
        aws_sdk_sqs::Client::from_conf(access.sqs().build()),
        config.queues.clone(),
    );
    let files = S3Files::new(
        aws_sdk_s3::Client::from_conf(access.s3().build()),
        config.bucket.clone(),
    );
    // Only `broadcast` is given it, with the right to use it.
    let push = required("PUSH_URL").ok().map(|address| {
        aws_sdk_apigatewaymanagement::Client::from_conf(access.push(&address).build())
    });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mail: Arc<dyn Mail> = match required("MAIL_FROM") {
        Ok(from) => Arc::new(SesMail::new(access, from, Arc::clone(&clock))?),
        Err(_) => Arc::new(NoMail),
    };
    let app = App::new(
        config,
        client,
        Arc::new(queue.clone()),
        Arc::new(files),
        Arc::new(GatewayPush::new(push)),
        mail,
        clock,
    )?;
    Ok((app, queue))
}
