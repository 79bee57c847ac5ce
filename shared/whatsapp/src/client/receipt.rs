//! Telling a person that what they wrote was read (Meta: mark as read, typing indicator).

use reqwest::Method;
use serde_json::json;

use super::{AccessToken, Client};
use crate::error::ApiError;

impl Client {
    /// Marks a message and everything before it as read, and shows for 25 seconds that somebody is typing
    /// if wanted. Repeating it is harmless.
    ///
    /// # Errors
    /// Meta refused it or could not be reached.
    pub async fn mark_read(
        &self,
        token: &AccessToken,
        phone_number_id: &str,
        wamid: &str,
        typing: bool,
    ) -> Result<(), ApiError> {
        let mut body =
            json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid});
        if typing {
            body["typing_indicator"] = json!({"type": "text"});
        }
        let request = self
            .request(Method::POST, token, [phone_number_id, "messages"])
            .json(&body);
        self.read(request).await?;
        Ok(())
    }
}
