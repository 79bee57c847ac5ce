//! Runs every minute and takes up again what got stuck: campaigns, messages of chats, and their files.

use app::{App, Error, campaign, chat, media};

/// # Errors
/// See [`campaign::tick::run`], [`chat::tick::run`] and [`media::tick::run`]; none holds up another.
pub async fn handle(app: App) -> Result<(), Error> {
    let campaigns = Box::pin(campaign::tick::run(app.clone())).await;
    let messages = Box::pin(chat::tick::run(app.clone())).await;
    let files = Box::pin(media::tick::run(app)).await;
    campaigns.and(messages).and(files)
}
