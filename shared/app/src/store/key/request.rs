//! What is remembered of requests: their limits, and their answers.

use domain::id::ApiKeyId;

use super::{Key, Table};
use crate::store::Scope;

impl Scope<'_> {
    /// How much an API key may still ask.
    #[must_use]
    pub fn key_limit(&self, key: &ApiKeyId) -> Key {
        Key::new(Table::Ephemeral, self.pk(&format!("#LIMIT#{key}")), "LIMIT")
    }

    /// A request that is not to be carried out twice, by the hash of who sent it and its key.
    #[must_use]
    pub fn request(&self, hash: &str) -> Key {
        Key::new(
            Table::Ephemeral,
            self.pk(&format!("#REQUEST#{hash}")),
            "REQUEST",
        )
    }
}
