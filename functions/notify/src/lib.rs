//! Makes mails and hands them over.

use app::task::Notify;
use app::{App, Error, mail};

/// # Errors
/// See [`mail::run`].
pub async fn handle(app: App, task: Notify) -> Result<(), Error> {
    mail::run(app, task).await
}
