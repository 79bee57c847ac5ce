//! Runs every minute and takes up again what got stuck: campaigns, and messages of chats.

use app::{App, Error, campaign, chat};

/// # Errors
/// See [`campaign::tick::run`] and [`chat::tick::run`]; neither holds up the other.
pub async fn handle(app: App) -> Result<(), Error> {
    let campaigns = campaign::tick::run(app.clone()).await;
    chat::tick::run(app).await.and(campaigns)
}
