//! The only function that sends messages: a chunk of a campaign at a time.

use app::task::CampaignSend;
use app::{App, Error, campaign};

/// # Errors
/// See [`campaign::send::run`].
pub async fn handle(app: App, task: CampaignSend) -> Result<(), Error> {
    campaign::send::run(app, task).await
}
