//! The only function that sends messages: a chunk of a campaign or a test of one, or what a chat has on
//! its way out, receipts included.

use app::task::{CampaignMessage, ChatTask};
use app::{App, Error, campaign, chat};

/// # Errors
/// See [`campaign::send::run`] and [`campaign::test_send::run`].
pub async fn campaign(app: App, task: CampaignMessage) -> Result<(), Error> {
    match task {
        CampaignMessage::Chunk(task) => campaign::send::run(app, task).await,
        CampaignMessage::Test(task) => campaign::test_send::run(app, task).await,
    }
}

/// # Errors
/// See [`chat::send::run`].
pub async fn chat(app: App, task: ChatTask) -> Result<(), Error> {
    chat::send::run(app, task).await
}
