//! Channels: the workspace's WhatsApp numbers.
//!
//! [`connect`] makes one, [`edit`] changes and ends it, [`health`] keeps what Meta thinks of it. How a
//! webhook finds its number is in [`route`], and what verifies the webhooks of a number under the
//! customer's own Meta app in [`own_app`].

mod connect;
mod edit;
pub(crate) mod health;
pub(crate) mod own_app;
mod route;

use domain::id::ChannelId;
use domain::pacing::Limit;
use domain::realtime::Event;
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use whatsapp::{AccessToken, ApiError};

use crate::store::Scope;
use crate::{Actor, App, Error};

pub use connect::{NewChannel, connect};
pub use edit::{Edit, disconnect, edit, forget_old_secret};
pub use health::refresh;
pub use own_app::{Addresses, OwnApp};
pub use route::{Cache, Route};
pub(crate) use route::{of_waba, route};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Channel {
    pub id: ChannelId,
    #[serde(default)]
    pub state: ChannelState,
    pub name: String,
    pub waba_id: String,
    /// Of the business that owns the account at Meta, when Meta tells.
    #[serde(default)]
    pub portfolio_id: Option<String>,
    pub phone_number_id: String,
    pub display_phone_number: String,
    pub verified_name: String,
    /// Meta's own words: `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: String,
    /// Meta's word for whether the number works: `CONNECTED`, `FLAGGED`, `BANNED`.
    #[serde(default)]
    pub status: Option<String>,
    /// What Meta says to the verified name: `APPROVED`, `DECLINED`, `PENDING_REVIEW`.
    #[serde(default)]
    pub name_status: Option<String>,
    /// New people in 24 hours, shared by the portfolio: `TIER_250` … `TIER_UNLIMITED`.
    pub messaging_limit: String,
    /// Messages a second that Meta allows the number.
    pub messages_per_second: Limit,
    /// Why Meta refuses messages of the account.
    #[serde(default)]
    pub restriction: Option<Restriction>,
    /// The last that Meta had to say about the account, in words.
    #[serde(default)]
    pub alert: Option<Alert>,
    /// The part of the webhook address that tells it from others, of a number under its own Meta app.
    #[serde(default)]
    pub address: Option<String>,
    /// Until when the app's secret before the present one is accepted too.
    #[serde(default)]
    pub old_secret_until: Option<Timestamp>,
    /// Empty once it is disconnected.
    pub(crate) sealed_token: String,
    pub created_at: Timestamp,
    /// When Meta was last asked about it.
    #[serde(default)]
    pub refreshed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    #[default]
    Connected,
    /// It neither sends nor receives. Its chats and campaigns stay, and connecting the number again gives
    /// them back.
    Disconnected,
}

/// Why Meta refuses messages, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    pub reason: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub message: String,
    pub at: Timestamp,
}

/// Why nothing is sent from a channel that is disconnected.
pub(crate) const DISCONNECTED: &str = "This campaign's number is disconnected.";

impl ChannelState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        }
    }
}

impl Channel {
    /// Whose budget of new people it shares. An account whose owner is not known has its own.
    pub(crate) fn portfolio(&self) -> &str {
        self.portfolio_id.as_deref().unwrap_or(&self.waba_id)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.state == ChannelState::Connected
    }

    /// Where its own Meta app sends webhooks.
    #[must_use]
    pub fn webhook_url(&self, app: &App) -> Option<String> {
        self.address
            .as_ref()
            .map(|address| own_app::url(app, address))
    }
}

/// # Errors
/// The store cannot be read.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Channel>, Error> {
    actor.require(Permission::ReadChannels)?;
    all(app, app.store.workspace(&actor.workspace)).await
}

/// # Errors
/// The channel does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &ChannelId) -> Result<Channel, Error> {
    actor.require(Permission::ReadChannels)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

pub(crate) async fn all(app: &App, scope: Scope<'_>) -> Result<Vec<Channel>, Error> {
    app.store.all(&scope.channels()).await
}

/// What open screens are told of a channel.
pub(crate) fn updated(channel: &ChannelId) -> Event {
    Event::ChannelUpdated {
        channel: channel.clone(),
    }
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &ChannelId) -> Result<Channel, Error> {
    app.store
        .get(&scope.channel(id))
        .await?
        .ok_or_else(|| Error::not_found("the channel"))
}

/// # Errors
/// The channel is disconnected.
pub(crate) fn token(app: &App, scope: Scope<'_>, channel: &Channel) -> Result<AccessToken, Error> {
    connected(channel)?;
    app.config
        .master_key
        .open(&seal_context(scope, &channel.id), &channel.sealed_token)
        .map(AccessToken)
}

/// # Errors
/// The channel is disconnected.
pub(crate) fn connected(channel: &Channel) -> Result<(), Error> {
    if channel.is_connected() {
        return Ok(());
    }
    Err(Error::refused(
        "channel_disconnected",
        "this number is disconnected; connect it again first",
    ))
}

/// What a refusal of Meta's management API means to the person who asked.
pub(crate) fn upstream(error: ApiError) -> Error {
    match error {
        ApiError::Refused(refusal) => {
            let details = refusal
                .details
                .clone()
                .unwrap_or_else(|| refusal.message.clone());
            Error::Upstream {
                message: format!("WhatsApp refused: {details}"),
                retryable: false,
            }
        }
        ApiError::Unreachable(_) | ApiError::Unreadable(_) => Error::Upstream {
            message: "WhatsApp cannot be reached at the moment; try again".to_owned(),
            retryable: true,
        },
    }
}

fn seal_context(scope: Scope<'_>, channel: &ChannelId) -> String {
    format!("{}/{channel}", scope.workspace)
}
