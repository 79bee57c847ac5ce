//! Fetches the files that people send, before WhatsApp forgets them.

use app::task::MediaFetch;
use app::{App, Error, media};

/// # Errors
/// See [`media::fetch::run`].
pub async fn handle(app: App, task: MediaFetch) -> Result<(), Error> {
    media::fetch::run(app, task).await
}
