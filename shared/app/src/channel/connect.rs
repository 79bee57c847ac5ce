//! Connecting a number by hand.

use domain::id::ChannelId;
use domain::pacing::Limit;
use domain::workspace::Permission;
use whatsapp::{AccessToken, Callback, PhoneNumber};

use super::own_app::{Address, Keys};
use super::{Channel, ChannelState, OwnApp, Route, all, own_app, seal_context, updated, upstream};
use crate::audit::{self, Action};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, realtime, template};

/// What a caller gives to connect a number by hand.
#[derive(Debug, Clone)]
pub struct NewChannel {
    pub name: Option<String>,
    pub waba_id: String,
    pub phone_number_id: String,
    pub access_token: String,
    /// The customer's own Meta app; without one the number is under the installation's.
    pub app: Option<OwnApp>,
}

/// Connects a number: Meta is asked about it with the token given, its webhooks are subscribed, and
/// its templates are fetched. A number that was disconnected gets its channel back, and with it its
/// chats.
///
/// # Errors
/// Meta refuses the token or the ids, or the number is connected already.
pub async fn connect(app: &App, actor: &Actor, new: NewChannel) -> Result<Channel, Error> {
    actor.require(Permission::WriteChannels)?;
    let phone_number_id = meta_id("phone_number_id", &new.phone_number_id)?;
    let waba_id = meta_id("waba_id", &new.waba_id)?;
    let own = new.app.map(OwnApp::checked).transpose()?;
    let token = AccessToken(new.access_token.trim().to_owned());
    let number = app
        .whatsapp
        .phone_number(&token, &phone_number_id)
        .await
        .map_err(upstream)?;
    let scope = app.store.workspace(&actor.workspace);
    let known = all(app, scope).await?;
    let known = known
        .into_iter()
        .find(|channel| channel.phone_number_id == phone_number_id);
    if known.as_ref().is_some_and(Channel::is_connected) {
        return Err(already());
    }
    let id = known
        .as_ref()
        .map_or_else(ChannelId::fresh, |it| it.id.clone());
    let route = Route {
        workspace: actor.workspace.clone(),
        channel: id.clone(),
    };
    // Meta verifies the address while it is being subscribed, so it must be there by then.
    let address = match &own {
        Some(own) => Some(open(app, &route, own).await?),
        None => None,
    };
    let connected = async {
        let url = address
            .as_ref()
            .map(|address| own_app::url(app, address.as_str()));
        let callback = url.as_deref().zip(own.as_ref());
        let callback = callback.map(|(url, own)| Callback {
            url,
            verify_token: &own.verify_token,
        });
        app.whatsapp
            .subscribe(&token, &waba_id, callback.as_ref())
            .await
            .map_err(upstream)?;
        let portfolio_id = app
            .whatsapp
            .portfolio(&token, &waba_id)
            .await
            .map_err(upstream)?;
        // Before the channel, so that a failure leaves nothing that a second attempt would trip over.
        template::sync_waba(app, scope, &waba_id, &token).await?;
        let channel = Channel {
            portfolio_id,
            address: address.as_ref().map(Address::to_string),
            sealed_token: app
                .config
                .master_key
                .seal(&seal_context(scope, &id), &token.0)?,
            created_at: known.as_ref().map_or_else(|| app.now(), |it| it.created_at),
            ..of_number(app, id, waba_id, phone_number_id, number)
        };
        let verified_name = Some(&channel.verified_name).filter(|name| !name.is_empty());
        let asked = new.name.as_deref();
        let before = known.as_ref().map(|known| &known.name);
        let name = asked.or(before.or(verified_name).map(String::as_str));
        let name = domain::contact::name(name.unwrap_or_default())?;
        let channel = Channel {
            name: name.unwrap_or_else(|| channel.display_phone_number.clone()),
            ..channel
        };
        let entry = audit::entry(app, actor, Action::ChannelConnected, channel.id.as_str())?;
        write(app, scope, &route, &channel, (known.is_some(), entry)).await?;
        realtime::announce(app, scope, updated(&channel.id)).await;
        Ok(channel)
    };
    let connected = Box::pin(connected).await;
    if let (Err(_), Some(address)) = (&connected, &address) {
        // Whoever dies before this leaves an address behind that nobody was told.
        let gone = Write::delete(app.store.webhook_address(address.as_str()));
        app.store.write(gone).await?;
    }
    connected
}

/// Makes the webhook address of a number, before the number itself.
async fn open(app: &App, route: &Route, own: &OwnApp) -> Result<Address, Error> {
    let address = Address::fresh(&app.config.master_key);
    let keys = Keys::new(app, &address, route.clone(), own)?;
    let key = app.store.webhook_address(address.as_str());
    app.store
        .write(Write::create(key, &keys)?)
        .await?
        .or(|| Error::broken("a webhook address was given twice"))?;
    Ok(address)
}

async fn write(
    app: &App,
    scope: Scope<'_>,
    route: &Route,
    channel: &Channel,
    (again, entry): (bool, Write),
) -> Result<(), Error> {
    let place = scope.channel(&channel.id);
    let row = match again {
        true => Write::put(place, channel)?.if_equals("state", &ChannelState::Disconnected)?,
        false => Write::create(place, channel)?,
    };
    let number = app.store.phone_number_id(&channel.phone_number_id);
    let account = app.store.waba_channel(&channel.waba_id, &channel.id);
    app.store
        .transact(vec![
            Write::create(number, route)?,
            row,
            Write::put(account, route)?,
            entry,
        ])
        .await?
        .or(already)
}

/// What Meta tells of a number, as a channel that lacks only what is ours.
fn of_number(
    app: &App,
    id: ChannelId,
    waba_id: String,
    phone_number_id: String,
    number: PhoneNumber,
) -> Channel {
    let limit = Limit(number.messages_per_second());
    Channel {
        id,
        state: ChannelState::Connected,
        name: String::new(),
        waba_id,
        portfolio_id: None,
        phone_number_id,
        display_phone_number: number.display_phone_number.unwrap_or_default(),
        verified_name: number.verified_name.unwrap_or_default(),
        quality: number
            .quality_rating
            .unwrap_or_else(|| "UNKNOWN".to_owned()),
        status: number.status,
        name_status: number.name_status,
        messaging_limit: number
            .messaging_limit
            .unwrap_or_else(|| "UNTIERED".to_owned()),
        messages_per_second: limit,
        restriction: None,
        alert: None,
        address: None,
        old_secret_until: None,
        sealed_token: String::new(),
        created_at: app.now(),
        refreshed_at: Some(app.now()),
    }
}

fn already() -> Error {
    Error::refused(
        "number_connected",
        "this number is connected already, here or in another workspace",
    )
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
