//! Runs every minute and takes up again what got stuck.

use app::{App, Error, campaign};

/// # Errors
/// See [`campaign::tick::run`].
pub async fn handle(app: App) -> Result<(), Error> {
    campaign::tick::run(app).await
}
