//! The look-ups that cross workspaces: each finds whose something is, before a workspace is known.

use domain::id::UserId;
use domain::portfolio::Hour;

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

    /// Hash of a session token → session.
    #[must_use]
    pub fn session(&self, hash: &str) -> Key {
        crossing::session(hash)
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
}
