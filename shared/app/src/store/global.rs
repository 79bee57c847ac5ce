//! The look-ups that cross workspaces: each finds whose something is, before a workspace is known.

use domain::id::{ChannelId, MailId, SessionId, UserId};
use domain::portfolio::Hour;
use jiff::Timestamp;

use super::Store;
use super::key::{DUE_SHARDS, Key, Range, crossing};

impl Store {
    #[must_use]
    pub fn user(&self, user: &UserId) -> Key {
        crossing::user(user)
    }

    /// E-mail → user, unique in the installation.
    #[must_use]
    pub fn email(&self, email: &str) -> Key {
        crossing::email(email)
    }

    #[must_use]
    pub fn user_workspace(&self, user: &UserId, workspace: &domain::id::WorkspaceId) -> Key {
        crossing::user_workspace(user, workspace.as_str())
    }

    /// The workspaces a user is a member of.
    #[must_use]
    pub fn user_workspaces(&self, user: &UserId) -> Range {
        crossing::user_workspaces(user)
    }

    /// Hash of an API key → workspace and key.
    #[must_use]
    pub fn api_key_hash(&self, hash: &str) -> Key {
        crossing::api_key_hash(hash)
    }

    /// A session, whose id is a hash of its token.
    #[must_use]
    pub fn session(&self, user: &UserId, session: &SessionId) -> Key {
        crossing::session(user, session)
    }

    /// Every session of a person.
    #[must_use]
    pub fn sessions(&self, user: &UserId) -> Range {
        crossing::sessions(user)
    }

    /// Hash of a token that sets a new password → whose.
    #[must_use]
    pub fn password_reset(&self, hash: &str) -> Key {
        crossing::password_reset(hash)
    }

    /// A mail on its way out.
    #[must_use]
    pub fn mail(&self, mail: &MailId) -> Key {
        crossing::mail(mail)
    }

    /// Hash of an invitation's token → workspace and invitation.
    #[must_use]
    pub fn invitation_hash(&self, hash: &str) -> Key {
        crossing::invitation_hash(hash)
    }

    /// Hash of a ticket to open a socket → whose it is.
    #[must_use]
    pub fn ticket(&self, hash: &str) -> Key {
        crossing::ticket(hash)
    }

    /// The gateway's id of a connection → workspace.
    #[must_use]
    pub fn socket_owner(&self, id: &str) -> Key {
        crossing::socket_owner(id)
    }

    /// How often somebody whose workspace is not known yet may try something; `parts` says of how many
    /// things the hash is, so that no two limits share a bucket.
    #[must_use]
    pub fn limit(&self, what: &str, parts: usize, hash: &str) -> Key {
        crossing::limit(what, parts, hash)
    }

    /// Meta's phone number id → channel; a number is connected to one workspace at most.
    #[must_use]
    pub fn phone_number_id(&self, id: &str) -> Key {
        crossing::phone_number_id(id)
    }

    /// What the numbers of one of Meta's portfolios used of its budget in one hour; they may belong to
    /// several workspaces.
    #[must_use]
    pub fn portfolio_hour(&self, portfolio: &str, hour: Hour) -> Key {
        crossing::portfolio_hour(portfolio, hour)
    }

    #[must_use]
    pub fn portfolio_hours(&self, portfolio: &str) -> Range {
        crossing::portfolio_hours(portfolio)
    }

    /// Campaigns under way in every workspace, by the time at which the tick looks after them.
    pub fn due(&self) -> impl Iterator<Item = Range> {
        (0..DUE_SHARDS).map(crossing::due)
    }
    /// Messages of chats on their way out in every workspace, by the time at which the tick looks after
    /// them.
    pub fn due_pending(&self) -> impl Iterator<Item = Range> {
        (0..DUE_SHARDS).map(crossing::due_pending)
    }

    /// Files that are to be fetched in every workspace, by the time at which the tick looks after them.
    pub fn due_fetches(&self) -> impl Iterator<Item = Range> {
        (0..DUE_SHARDS).map(crossing::due_fetches)
    }

    /// The webhook address of a number under its own Meta app → whose it is, and what verifies it.
    #[must_use]
    pub fn webhook_address(&self, address: &str) -> Key {
        crossing::webhook_address(address)
    }

    /// One channel of one of Meta's accounts. An account's numbers may belong to several workspaces.
    #[must_use]
    pub fn waba_channel(&self, waba_id: &str, channel: &ChannelId) -> Key {
        crossing::waba_channel(waba_id, channel.as_str())
    }

    #[must_use]
    pub fn waba_channels(&self, waba_id: &str) -> Range {
        crossing::waba_channels(waba_id)
    }

    /// Bodies of webhooks that were kept in one hour, in one of several partitions.
    #[must_use]
    pub fn webhook_bodies(&self, at: Timestamp, shard: u8, token: &str) -> Key {
        crossing::webhook_bodies(hour(at), shard, at.as_millisecond(), token)
    }

    /// The partitions with everything that was kept from one instant to another.
    pub fn all_webhook_bodies(
        &self,
        from: Timestamp,
        to: Timestamp,
        shards: u8,
    ) -> impl Iterator<Item = Range> + use<> {
        let hours = hour(from)..=hour(to);
        hours.flat_map(move |hour| {
            (0..shards).map(move |shard| crossing::all_webhook_bodies(hour, shard))
        })
    }
}

/// Hours since the epoch.
fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}
