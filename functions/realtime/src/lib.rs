//! The websockets: opens them with tickets, and answers what clients ask.

use app::realtime::{self, Call};
use app::{App, Error};
use domain::realtime::Frame;

/// # Errors
/// See [`realtime::handle`].
pub async fn handle(app: App, call: Call) -> Result<Option<Frame>, Error> {
    realtime::handle(app, call).await
}
