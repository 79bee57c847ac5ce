//! Freezes the audience of a campaign into chunks, a page at a time.

use app::task::CampaignPlan;
use app::{App, Error, campaign};

/// # Errors
/// See [`campaign::plan::run`].
pub async fn handle(app: App, task: CampaignPlan) -> Result<(), Error> {
    campaign::plan::run(app, task).await
}
