//! Changing a channel, and ending it.

use domain::id::ChannelId;
use domain::workspace::Permission;
use jiff::Timestamp;
use whatsapp::{AccessToken, Callback};

use super::own_app::{self, Keys, OVERLAP};
use super::{
    Channel, ChannelState, DISCONNECTED, all, connected, find, health, seal_context, token,
    updated, upstream,
};
use crate::audit::{self, Action};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, campaign, realtime};

/// What an edit changes; what is absent stays.
#[derive(Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub access_token: Option<String>,
    /// A new secret of the number's own Meta app. The old one is accepted for a day longer.
    pub app_secret: Option<String>,
    /// A new verify token of it.
    pub verify_token: Option<String>,
}

/// Changes a channel. A new access token is tried first, and Meta is asked about the number with it.
///
/// # Errors
/// The channel does not exist or is disconnected, a field is not acceptable, or Meta refuses the token.
pub async fn edit(app: &App, actor: &Actor, id: &ChannelId, edit: Edit) -> Result<Channel, Error> {
    actor.require(Permission::WriteChannels)?;
    let scope = app.store.workspace(&actor.workspace);
    let channel = find(app, scope, id).await?;
    connected(&channel)?;
    let name = match &edit.name {
        Some(name) => Some(
            domain::contact::name(name)?
                .ok_or_else(|| Error::invalid("name", "a channel needs a name"))?,
        ),
        None => None,
    };
    let secret = edit.app_secret.as_deref();
    let secret = secret
        .map(|text| own_app::secret("app_secret", text))
        .transpose()?;
    let verify_token = edit.verify_token.as_deref();
    let verify_token = verify_token
        .map(|text| own_app::verify_token("verify_token", text))
        .transpose()?;
    let field = secret.as_ref().map(|_| "app_secret");
    let field = field.or(verify_token.as_ref().map(|_| "verify_token"));
    if let (Some(field), None) = (field, &channel.address) {
        return Err(Error::invalid(
            field,
            "this number is under the installation's own Meta app, whose keys are not kept here",
        ));
    }
    if let Some(text) = &edit.access_token {
        let token = AccessToken(text.trim().to_owned());
        // It must be able to do both: use the number, and have its webhooks.
        health::ask(app, scope, &channel, &token).await?;
        subscribe(app, &channel, &token).await?;
        let sealed = app
            .config
            .master_key
            .seal(&seal_context(scope, id), &token.0)?;
        let kept = Write::update(scope.channel(id))
            .set("sealed_token", &sealed)?
            .if_equals("sealed_token", &channel.sealed_token)?;
        let entry = entered(app, actor, id, "access_token")?;
        app.store.transact(vec![kept, entry]).await?.or(changed)?;
    }
    if let Some(name) = name {
        let kept = Write::update(scope.channel(id))
            .set("name", &name)?
            .if_present();
        let entry = entered(app, actor, id, "name")?;
        app.store.transact(vec![kept, entry]).await?.or(changed)?;
    }
    if secret.is_some() || verify_token.is_some() {
        let entry = entered(app, actor, id, field.unwrap_or_default())?;
        let keys = (secret.as_deref(), verify_token.as_deref());
        rotate(app, scope, &channel, keys, entry).await?;
    }
    realtime::announce(app, scope, updated(id)).await;
    find(app, scope, id).await
}

/// Stops accepting the old secret of a number's own Meta app before its day is over.
///
/// # Errors
/// The channel does not exist, or is not under an app of its own.
pub async fn forget_old_secret(app: &App, actor: &Actor, id: &ChannelId) -> Result<Channel, Error> {
    actor.require(Permission::WriteChannels)?;
    let scope = app.store.workspace(&actor.workspace);
    let channel = find(app, scope, id).await?;
    connected(&channel)?;
    let address = channel.address.as_deref().ok_or_else(|| {
        Error::refused(
            "no_own_app",
            "this number is under the installation's own Meta app",
        )
    })?;
    let forgotten = |write: Write| {
        write
            .remove("old_secret_until")
            .remove("sealed_old_secret")
            .if_present()
    };
    app.store
        .transact(vec![
            forgotten(Write::update(app.store.webhook_address(address))),
            forgotten(Write::update(scope.channel(id))),
            entered(app, actor, id, "old_app_secret")?,
        ])
        .await?
        .or(changed)?;
    app.addresses.forget(address);
    realtime::announce(app, scope, updated(id)).await;
    find(app, scope, id).await
}

/// Puts new keys in the place of the old ones. The secret before stays valid for a while, because Meta
/// goes on signing with it until the customer has changed it there.
async fn rotate(
    app: &App,
    scope: Scope<'_>,
    channel: &Channel,
    (secret, verify_token): (Option<&str>, Option<&str>),
    entry: Write,
) -> Result<(), Error> {
    let Some(address) = channel.address.as_deref() else {
        return Ok(());
    };
    let place = app.store.webhook_address(address);
    let keys: Keys = app
        .store
        .get(&place)
        .await?
        .ok_or_else(|| Error::broken("a channel's webhook address does not exist"))?;
    let mut kept = Write::update(place).if_equals("sealed_secret", &keys.sealed_secret)?;
    let mut row = Write::update(scope.channel(&channel.id))
        .set("address", address)?
        .if_equals("state", &ChannelState::Connected)?;
    if let Some(secret) = secret {
        let until: Timestamp = app.now() + OVERLAP;
        kept = kept
            .set("sealed_secret", &own_app::seal(app, address, secret)?)?
            .set("sealed_old_secret", &keys.sealed_secret)?
            .set("old_secret_until", &until)?;
        row = row.set("old_secret_until", &until)?;
    }
    if let Some(token) = verify_token {
        kept = kept.set("sealed_verify_token", &own_app::seal(app, address, token)?)?;
    }
    let writes = vec![kept, row, entry];
    app.store.transact(writes).await?.or(changed)?;
    app.addresses.forget(address);
    Ok(())
}

/// Disconnects a number. Its webhooks find nobody from now on, its campaigns are paused and say why; its
/// chats, campaigns and templates stay.
///
/// # Errors
/// The channel does not exist or is disconnected already.
pub async fn disconnect(app: &App, actor: &Actor, id: &ChannelId) -> Result<Channel, Error> {
    actor.require(Permission::WriteChannels)?;
    let scope = app.store.workspace(&actor.workspace);
    let channel = find(app, scope, id).await?;
    let token = token(app, scope, &channel)?;
    let mut writes = vec![
        Write::update(scope.channel(id))
            .set("state", &ChannelState::Disconnected)?
            .set("sealed_token", "")?
            .remove("address")
            .remove("old_secret_until")
            .remove("restriction")
            .if_equals("sealed_token", &channel.sealed_token)?,
        Write::delete(app.store.phone_number_id(&channel.phone_number_id)),
        Write::delete(app.store.waba_channel(&channel.waba_id, id)),
        audit::entry(app, actor, Action::ChannelDisconnected, id.as_str())?,
    ];
    if let Some(address) = &channel.address {
        writes.push(Write::delete(app.store.webhook_address(address)));
    }
    app.store.transact(writes).await?.or(changed)?;
    app.channels.forget(&channel.phone_number_id);
    if let Some(address) = &channel.address {
        app.addresses.forget(address);
    }
    // Whatever is under way finds the number disconnected by itself; this only tells it sooner.
    let of_channel = |campaign: &campaign::Campaign| campaign.channel == *id;
    campaign::stop_those(app, scope, DISCONNECTED, of_channel).await?;
    if let Err(error) = leave(app, scope, &channel, &token).await {
        // The token may not be worth anything any more, which is why people disconnect numbers.
        tracing::warn!(channel = %id, error = error.chain(), "webhooks were not taken back");
    }
    realtime::announce(app, scope, updated(id)).await;
    find(app, scope, id).await
}

/// Takes the account's webhooks back, unless another of its numbers needs them.
async fn leave(
    app: &App,
    scope: Scope<'_>,
    gone: &Channel,
    token: &AccessToken,
) -> Result<(), Error> {
    let left = all(app, scope).await?;
    let mut left = left
        .iter()
        .filter(|channel| channel.is_connected() && channel.waba_id == gone.waba_id);
    if gone.address.is_some() {
        // They may have gone to the address that is gone.
        if let Some(other) = left.find(|channel| channel.address.is_some()) {
            let token = self::token(app, scope, other)?;
            return subscribe(app, other, &token).await;
        }
    } else if !super::of_waba(app, &gone.waba_id).await?.is_empty() {
        return Ok(());
    }
    app.whatsapp
        .unsubscribe(token, &gone.waba_id)
        .await
        .map_err(upstream)
}

/// Asks for a channel's webhooks, at its own address where it has one.
async fn subscribe(app: &App, channel: &Channel, token: &AccessToken) -> Result<(), Error> {
    let own = match &channel.address {
        Some(address) => {
            let verify_token = own_app::its_verify_token(app, address).await?;
            Some((own_app::url(app, address), verify_token))
        }
        None => None,
    };
    let callback = own
        .as_ref()
        .map(|(url, verify_token)| Callback { url, verify_token });
    app.whatsapp
        .subscribe(token, &channel.waba_id, callback.as_ref())
        .await
        .map_err(upstream)
}

/// What was changed by an edit, for the audit log.
fn entered(app: &App, actor: &Actor, id: &ChannelId, changed: &str) -> Result<Write, Error> {
    let details = [("changed", changed)];
    audit::detailed(app, actor, Action::ChannelUpdated, id.as_str(), &details)
}

fn changed() -> Error {
    Error::refused(
        "channel_changed",
        "this channel was changed in this moment by someone else; look at it again",
    )
}
