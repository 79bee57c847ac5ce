//! The only function that sends messages: a chunk of a campaign, or what a chat has on its way out.

use app::task::{CampaignSend, ChatSend};
use app::{App, Error, campaign, chat};

/// # Errors
/// See [`campaign::send::run`].
pub async fn chunk(app: App, task: CampaignSend) -> Result<(), Error> {
    campaign::send::run(app, task).await
}

/// # Errors
/// See [`chat::send::run`].
pub async fn chat(app: App, task: ChatSend) -> Result<(), Error> {
    chat::send::run(app, task).await
}
