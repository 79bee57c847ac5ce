//! Reads an uploaded contact file into contacts, a step at a time.

use app::task::ContactImport;
use app::{App, Error, import};

/// # Errors
/// See [`import::run`].
pub async fn handle(app: App, task: ContactImport) -> Result<(), Error> {
    import::run(app, task).await
}
