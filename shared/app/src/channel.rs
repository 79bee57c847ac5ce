//! Channels: the workspace's WhatsApp numbers.

use std::collections::HashMap;
use std::sync::RwLock;

use domain::id::{ChannelId, WorkspaceId};
use domain::pacing::Limit;
use domain::workspace::Permission;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use whatsapp::{AccessToken, ApiError};

use crate::store::{Scope, Write};
use crate::{Actor, App, Error, template};

/// How long a process believes what it read of a number. A number that moves to another workspace
/// is noticed after this time by webhooks that are already under way.
const CACHED: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Channel {
    pub id: ChannelId,
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
    /// New people in 24 hours, shared by the portfolio: `TIER_250` … `TIER_UNLIMITED`.
    pub messaging_limit: String,
    /// Messages a second that Meta allows the number.
    pub messages_per_second: Limit,
    pub(crate) sealed_token: String,
    pub created_at: Timestamp,
}

impl Channel {
    /// Whose budget of new people it shares. An account whose owner is not known has its own.
    pub(crate) fn portfolio(&self) -> &str {
        self.portfolio_id.as_deref().unwrap_or(&self.waba_id)
    }
}

/// Reads again what Meta may have changed about a number: its speed, its tier, its rating. What cannot
/// be read stays as it was known, because sending finds out by itself.
pub(crate) async fn refresh(app: &App, scope: Scope<'_>, id: &ChannelId) -> Result<(), Error> {
    let channel = find(app, scope, id).await?;
    let token = token(app, scope, &channel)?;
    let asked = app.whatsapp.phone_number(&token, &channel.phone_number_id);
    let number = match asked.await {
        Ok(number) => number,
        Err(error) => {
            tracing::warn!(channel = %id, %error, "a number's limits were not read");
            return Ok(());
        }
    };
    let limit = Limit(number.messages_per_second());
    let quality = number.quality_rating.unwrap_or(channel.quality.clone());
    let tier = number
        .messaging_limit
        .unwrap_or(channel.messaging_limit.clone());
    let known = (
        &channel.messages_per_second,
        &channel.quality,
        &channel.messaging_limit,
    );
    if known == (&limit, &quality, &tier) {
        return Ok(());
    }
    let changed = Write::update(scope.channel(id))
        .set("messages_per_second", &limit)?
        .set("quality", &quality)?
        .set("messaging_limit", &tier)?
        .if_present();
    app.store.write(changed).await?;
    Ok(())
}

/// Which workspace and channel a number of Meta's belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    pub workspace: WorkspaceId,
    pub channel: ChannelId,
}

/// What a caller gives to connect a number by hand.
#[derive(Debug, Clone)]
pub struct NewChannel {
    pub name: Option<String>,
    pub waba_id: String,
    pub phone_number_id: String,
    pub access_token: String,
}

/// Connects a number: Meta is asked about it with the token given, its webhooks are subscribed, and
/// its templates are fetched.
///
/// # Errors
/// Meta refuses the token or the ids, or the number is connected already.
pub async fn connect(app: &App, actor: &Actor, new: NewChannel) -> Result<Channel, Error> {
    actor.require(Permission::WriteChannels)?;
    let phone_number_id = meta_id("phone_number_id", &new.phone_number_id)?;
    let waba_id = meta_id("waba_id", &new.waba_id)?;
    let token = AccessToken(new.access_token.trim().to_owned());
    let number = app
        .whatsapp
        .phone_number(&token, &phone_number_id)
        .await
        .map_err(upstream)?;
    app.whatsapp
        .subscribe(&token, &waba_id)
        .await
        .map_err(upstream)?;
    let portfolio_id = app
        .whatsapp
        .portfolio(&token, &waba_id)
        .await
        .map_err(upstream)?;
    let id = ChannelId::fresh();
    let scope = app.store.workspace(&actor.workspace);
    // Before the channel, so that a failure leaves nothing that a second attempt would trip over.
    template::sync_waba(app, scope, &waba_id, &token).await?;
    let limit = Limit(number.messages_per_second());
    let display = number.display_phone_number.unwrap_or_default();
    let verified_name = number.verified_name.unwrap_or_default();
    let name = domain::contact::name(new.name.as_deref().unwrap_or(&verified_name))?;
    let channel = Channel {
        name: name.unwrap_or_else(|| display.clone()),
        waba_id,
        portfolio_id,
        phone_number_id,
        display_phone_number: display,
        verified_name,
        quality: number
            .quality_rating
            .unwrap_or_else(|| "UNKNOWN".to_owned()),
        messaging_limit: number
            .messaging_limit
            .unwrap_or_else(|| "UNTIERED".to_owned()),
        messages_per_second: limit,
        sealed_token: app
            .config
            .master_key
            .seal(&seal_context(scope, &id), &token.0)?,
        created_at: app.now(),
        id,
    };
    let route = Route {
        workspace: actor.workspace.clone(),
        channel: channel.id.clone(),
    };
    app.store
        .transact(vec![
            Write::create(app.store.phone_number_id(&channel.phone_number_id), &route)?,
            Write::create(scope.channel(&channel.id), &channel)?,
        ])
        .await?
        .or(|| {
            Error::refused(
                "number_connected",
                "this number is connected already, here or in another workspace",
            )
        })?;
    Ok(channel)
}

/// # Errors
/// The store cannot be read.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Channel>, Error> {
    actor.require(Permission::ReadChannels)?;
    app.store
        .all(&app.store.workspace(&actor.workspace).channels())
        .await
}

/// # Errors
/// The channel does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &ChannelId) -> Result<Channel, Error> {
    actor.require(Permission::ReadChannels)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &ChannelId) -> Result<Channel, Error> {
    app.store
        .get(&scope.channel(id))
        .await?
        .ok_or_else(|| Error::not_found("the channel"))
}

pub(crate) fn token(app: &App, scope: Scope<'_>, channel: &Channel) -> Result<AccessToken, Error> {
    app.config
        .master_key
        .open(&seal_context(scope, &channel.id), &channel.sealed_token)
        .map(AccessToken)
}

/// What a process remembers of the numbers it saw.
#[derive(Default)]
pub struct Cache(RwLock<HashMap<String, (Timestamp, Option<Route>)>>);

/// Whose a phone number id is; `None` when no workspace connected it.
///
/// # Errors
/// The store cannot be read.
pub async fn route(app: &App, phone_number_id: &str) -> Result<Option<Route>, Error> {
    let now = app.now();
    let cached = app
        .channels
        .0
        .read()
        .ok()
        .and_then(|cache| cache.get(phone_number_id).cloned());
    if let Some((read_at, route)) = cached
        && route.is_some()
        && now.duration_since(read_at) < CACHED
    {
        return Ok(route);
    }
    let route: Option<Route> = app
        .store
        .get(&app.store.phone_number_id(phone_number_id))
        .await?;
    if let Ok(mut cache) = app.channels.0.write() {
        cache.insert(phone_number_id.to_owned(), (now, route.clone()));
    }
    Ok(route)
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

fn meta_id(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if (5..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid(
            field,
            "an id of Meta's has only digits; copy it from the app's dashboard",
        ))
    }
}
