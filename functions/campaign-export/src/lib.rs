//! Writes the results of a campaign into CSV files, one file a step.

use app::task::CampaignExport;
use app::{App, Error, campaign};

/// # Errors
/// See [`campaign::export::run`].
pub async fn handle(app: App, task: CampaignExport) -> Result<(), Error> {
    campaign::export::run(app, task).await
}
