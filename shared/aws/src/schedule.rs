//! The shell of the functions that run at their times. What the event holds does not matter.

use std::future::Future;

use app::App;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::de::IgnoredAny;

use crate::{Error, start};

/// Runs a function that a schedule sets off. Returns only when it cannot start.
///
/// # Errors
/// The environment is incomplete.
pub async fn schedule<F, Fut>(handler: F) -> Result<(), Error>
where
    F: Fn(App) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    start::logs();
    let (app, _) = start::checked(start::app())?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<IgnoredAny>| {
        run(&app.until(start::deadline(&event.context)), &handler).await
    }))
    .await
}

/// Runs the function once. What it did not get done it does the next time.
///
/// # Errors
/// The function's own.
pub async fn run<F, Fut>(app: &App, handler: &F) -> Result<(), Error>
where
    F: Fn(App) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    // Boxed, so that the runtime's future does not nest the function's.
    let ran = Box::pin(handler(app.clone())).await;
    if let Err(error) = &ran {
        tracing::error!(
            error = error.chain(),
            "a scheduled run failed; the next one follows"
        );
    }
    ran.map_err(Error::from)
}
