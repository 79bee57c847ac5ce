//! Applies everything that a verified webhook says.

use app::task::Webhook;
use app::{App, Error, webhook};

/// # Errors
/// See [`webhook::process`].
pub async fn handle(app: App, task: Webhook) -> Result<(), Error> {
    webhook::process(app, task).await
}
