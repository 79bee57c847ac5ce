//! The shell of the functions behind API Gateway: payload format 2.0 in and out, axum in between.

use app::App;
use axum::Router;

use crate::{Error, start};

#[cfg(test)]
mod tests;

/// Runs a function that answers HTTP requests. Returns only when it cannot start.
///
/// # Errors
/// The environment is incomplete.
pub async fn http(router: Router<App>) -> Result<(), Error> {
    start::logs();
    let (app, _) = start::checked(start::app())?;
    lambda_http::run(router.with_state(app)).await
}
