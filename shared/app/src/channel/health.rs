//! What Meta thinks of a number: how fast and to how many it may send, and whether it may at all. It is
//! asked for when a number is connected and a campaign starts, and told by webhooks in between.
//!
//! What is told has a second in which it happened. Each kind of news keeps the second of the newest
//! that was believed, so that a late one, or one that is told again, undoes nothing.

use domain::event::{AccountChange, AccountEvent, NumberChange, NumberEvent, Stopped};
use domain::id::ChannelId;
use domain::pacing::Limit;
use domain::template::TemplateCategory;
use domain::workspace::Permission;
use jiff::Timestamp;
use whatsapp::AccessToken;

use super::{Alert, Channel, Restriction, Route, find, token, updated, upstream};
use crate::campaign::{self, Campaign};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, realtime};

/// By how much Meta's clock may be behind ours, in seconds: news from just before an answer may be
/// newer than the answer.
pub(crate) const SKEW: i64 = 5;

/// The high level of throughput (Meta: throughput).
const HIGH: Limit = Limit(1_000);

/// What a number that is also used in the WhatsApp Business app is held to, whatever its level.
const COEXISTENCE: Limit = Limit(20);

/// Asks Meta about a number again.
///
/// # Errors
/// The channel does not exist or is disconnected, or Meta cannot be reached or refuses.
pub async fn refresh(app: &App, actor: &Actor, id: &ChannelId) -> Result<Channel, Error> {
    actor.require(Permission::WriteChannels)?;
    let scope = app.store.workspace(&actor.workspace);
    let channel = find(app, scope, id).await?;
    let token = token(app, scope, &channel)?;
    ask(app, scope, &channel, &token).await?;
    find(app, scope, id).await
}

/// The same before a campaign starts. What cannot be read stays as it was known, because sending finds
/// out by itself.
pub(crate) async fn look(app: &App, scope: Scope<'_>, id: &ChannelId) -> Result<(), Error> {
    let channel = find(app, scope, id).await?;
    let token = token(app, scope, &channel)?;
    match ask(app, scope, &channel, &token).await {
        Err(Error::Upstream { message, .. }) => {
            tracing::warn!(channel = %id, message, "a number's limits were not read");
            Ok(())
        }
        asked => asked,
    }
}

pub(super) async fn ask(
    app: &App,
    scope: Scope<'_>,
    channel: &Channel,
    token: &AccessToken,
) -> Result<(), Error> {
    let number = app
        .whatsapp
        .phone_number(token, &channel.phone_number_id)
        .await
        .map_err(upstream)?;
    let asked_at = app.now();
    let known_at = asked_at.as_second() - SKEW;
    let speed = Limit(number.messages_per_second());
    let quality = number.quality_rating.unwrap_or(channel.quality.clone());
    let tier = number.messaging_limit;
    let tier = tier.unwrap_or(channel.messaging_limit.clone());
    let name = number.verified_name;
    let name = name.unwrap_or(channel.verified_name.clone());
    let changed = Write::update(scope.channel(&channel.id))
        .set("messages_per_second", &speed)?
        .set("quality", &quality)?
        .set("messaging_limit", &tier)?
        .set("verified_name", &name)?
        .set("status", &number.status.or(channel.status.clone()))?
        .set(
            "name_status",
            &number.name_status.or(channel.name_status.clone()),
        )?
        .set("refreshed_at", &asked_at)?
        .set("limit_at", &known_at)?
        .set("speed_at", &known_at)?
        .set("flagged_at", &known_at)?
        .set("name_at", &known_at)?
        .if_present();
    app.store.write(changed).await?;
    // Every start of a campaign asks, and usually nothing has changed.
    let known = (
        &channel.messages_per_second,
        &channel.quality,
        &channel.messaging_limit,
        &channel.verified_name,
    );
    if known != (&speed, &quality, &tier, &name) {
        realtime::announce(app, scope, updated(&channel.id)).await;
    }
    Ok(())
}

/// Takes in news of a number, which is one of these channels of its account.
///
/// # Errors
/// The store cannot be reached; taking it in again is harmless.
pub(crate) async fn number(
    app: &App,
    routes: &[Route],
    event: &NumberEvent,
    at: Timestamp,
) -> Result<(), Error> {
    for route in routes {
        let scope = app.store.workspace(&route.workspace);
        let channel = find(app, scope, &route.channel).await?;
        let mut digits = channel.display_phone_number.clone();
        digits.retain(|character| character.is_ascii_digit());
        if digits != event.digits {
            continue;
        }
        let row = || Write::update(scope.channel(&channel.id));
        let changes = match &event.change {
            NumberChange::MessagingLimit(tier) => vec![tiered(row(), tier, at)?],
            NumberChange::Upgraded { messaging_limit } => {
                let tier = messaging_limit.as_ref();
                let tier = tier.map(|tier| tiered(row(), tier, at)).transpose()?;
                // A number that is also in the app on somebody's phone stays slow.
                let held = channel.messages_per_second == COEXISTENCE;
                let speed = (!held)
                    .then(|| newer(row().set("messages_per_second", &HIGH)?, "speed_at", at))
                    .transpose()?;
                tier.into_iter().chain(speed).collect()
            }
            NumberChange::Flagged(flagged) => {
                let status = if *flagged { "FLAGGED" } else { "CONNECTED" };
                vec![newer(row().set("status", status)?, "flagged_at", at)?]
            }
            NumberChange::Name {
                name_status,
                verified_name,
            } => {
                let mut named = row().set("name_status", name_status)?;
                if let Some(name) = verified_name {
                    named = named.set("verified_name", name)?;
                }
                vec![newer(named, "name_at", at)?]
            }
        };
        for change in changes {
            app.store.write(change).await?;
        }
        realtime::publish(app, scope, vec![updated(&channel.id)]).await?;
    }
    Ok(())
}

/// Takes in news of an account, which is that of these channels. What keeps messages from being sent
/// pauses the campaigns it concerns; nothing resumes them but a person.
///
/// # Errors
/// The store cannot be reached; taking it in again is harmless.
pub(crate) async fn account(
    app: &App,
    routes: &[Route],
    event: &AccountEvent,
    at: Timestamp,
) -> Result<(), Error> {
    for route in routes {
        let scope = app.store.workspace(&route.workspace);
        let row = Write::update(scope.channel(&route.channel));
        match &event.change {
            AccountChange::MessagingLimit(tier) => {
                app.store.write(tiered(row, tier, at)?).await?;
            }
            AccountChange::Alert(message) => {
                let alert = Alert {
                    message: message.clone(),
                    at,
                };
                let told = newer(row.set("alert", &alert)?, "alert_at", at)?;
                app.store.write(told).await?;
            }
            AccountChange::Recovered => {
                let recovered = newer(row.remove("restriction"), "restriction_at", at)?;
                app.store.write(recovered).await?;
            }
            AccountChange::Stopped {
                what,
                reason,
                until,
            } => {
                let restriction = Restriction {
                    reason: reason.clone(),
                    since: at,
                    until: *until,
                };
                let stopped = newer(row.set("restriction", &restriction)?, "restriction_at", at)?;
                let news = app.store.write(stopped).await?.yes();
                let over = until.is_some_and(|until| until <= app.now());
                if news && !over {
                    let concerned = |campaign: &Campaign| {
                        campaign.channel == route.channel && concerns(*what, campaign)
                    };
                    campaign::stop_those(app, scope, reason, concerned).await?;
                }
            }
        }
        realtime::publish(app, scope, vec![updated(&route.channel)]).await?;
    }
    Ok(())
}

fn concerns(what: Stopped, campaign: &Campaign) -> bool {
    match what {
        Stopped::Everything => true,
        Stopped::Utility => campaign.template.category == TemplateCategory::Utility,
    }
}

fn tiered(row: Write, tier: &str, at: Timestamp) -> Result<Write, Error> {
    newer(row.set("messaging_limit", tier)?, "limit_at", at)
}

/// The change, unless something newer of its kind was believed before. The same news told again changes
/// nothing a second time; of two in one second the later told counts.
fn newer(change: Write, kind: &str, at: Timestamp) -> Result<Write, Error> {
    let at = at.as_second();
    change
        .set(kind, &at)?
        .if_present()
        .if_below(kind, &(at + 1))
}
