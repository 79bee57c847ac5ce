//! Tells the open screens of a workspace what changed.

use app::task::Broadcast;
use app::{App, Error, realtime};

/// # Errors
/// See [`realtime::run`].
pub async fn handle(app: App, task: Broadcast) -> Result<(), Error> {
    realtime::run(app, task).await
}
