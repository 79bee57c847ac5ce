//! Keeps a bounded number of a campaign's chunks in flight.

use app::task::CampaignDispatch;
use app::{App, Error, campaign};

/// # Errors
/// See [`campaign::dispatch::run`].
pub async fn handle(app: App, task: CampaignDispatch) -> Result<(), Error> {
    campaign::dispatch::run(app, task).await
}
