//! What a workspace is: its people, its keys, its numbers and their templates and files.

use domain::id::{ApiKeyId, AuditId, ChannelId, InvitationId, MediaId, UserId};

use super::{Key, Range, Table};
use crate::store::Scope;

impl Scope<'_> {
    #[must_use]
    pub fn meta(&self) -> Key {
        Key::new(Table::Main, self.pk(""), "META")
    }

    #[must_use]
    pub fn member(&self, user: &UserId) -> Key {
        Key::new(Table::Main, self.pk(""), format!("MEMBER#{user}"))
    }

    /// The members of the workspace itself; those of groups are contacts.
    #[must_use]
    pub fn workspace_members(&self) -> Range {
        Range::new(Table::Main, self.pk(""), "MEMBER#")
    }

    #[must_use]
    pub fn invitation(&self, id: &InvitationId) -> Key {
        Key::new(Table::Main, self.pk(""), format!("INVITATION#{id}"))
    }

    #[must_use]
    pub fn invitations(&self) -> Range {
        Range::new(Table::Main, self.pk(""), "INVITATION#")
    }

    /// An entry of the audit log; its id sorts it by time.
    #[must_use]
    pub fn audit(&self, id: &AuditId) -> Key {
        Key::new(Table::Main, self.pk("#AUDIT"), id.as_str())
    }

    #[must_use]
    pub fn audits(&self) -> Range {
        Range::new(Table::Main, self.pk("#AUDIT"), "")
    }

    #[must_use]
    pub fn api_key(&self, key: &ApiKeyId) -> Key {
        Key::new(Table::Main, self.pk(""), format!("APIKEY#{key}"))
    }

    #[must_use]
    pub fn api_keys(&self) -> Range {
        Range::new(Table::Main, self.pk(""), "APIKEY#")
    }

    #[must_use]
    pub fn channel(&self, channel: &ChannelId) -> Key {
        Key::new(Table::Main, self.pk(""), format!("CHANNEL#{channel}"))
    }

    #[must_use]
    pub fn channels(&self) -> Range {
        Range::new(Table::Main, self.pk(""), "CHANNEL#")
    }

    /// How the inbox of the workspace is set.
    #[must_use]
    pub fn inbox_settings(&self) -> Key {
        Key::new(Table::Main, self.pk(""), "INBOX")
    }

    /// When the next message of a number may leave.
    #[must_use]
    pub fn pacer(&self, channel: &ChannelId) -> Key {
        Key::new(
            Table::Ephemeral,
            self.pk(&format!("#PACER#{channel}")),
            "PACER",
        )
    }

    #[must_use]
    pub fn template(&self, id: &str) -> Key {
        Key::new(Table::Main, self.pk("#TEMPLATE"), id)
    }

    #[must_use]
    pub fn templates(&self) -> Range {
        Range::new(Table::Main, self.pk("#TEMPLATE"), "")
    }

    #[must_use]
    pub fn media(&self, media: &MediaId) -> Key {
        Key::new(Table::Main, self.pk("#MEDIA"), media.as_str())
    }

    /// A file at the number of a channel.
    #[must_use]
    pub fn media_at(&self, media: &MediaId, channel: &ChannelId) -> Key {
        let pk = self.pk(&format!("#MEDIA#{media}"));
        Key::new(Table::Main, pk, format!("CHANNEL#{channel}"))
    }
}
