//! Templates, as they were last fetched from Meta, and moved by what Meta tells in between.

use domain::event::{TemplateChange, TemplateEvent};
use domain::id::ChannelId;
use domain::realtime::Event;
use domain::template::{Template, TemplateStatus};
use domain::workspace::Permission;
use futures::TryStreamExt;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use whatsapp::AccessToken;

use crate::page::{self, Order, Page, PageRequest};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, campaign, channel, realtime};

/// How many templates are written at once.
const WRITES: usize = 8;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredTemplate {
    #[serde(flatten)]
    pub template: Template,
    /// The account it belongs to; it can be sent from that account's numbers.
    pub waba_id: String,
    pub synced_at: Timestamp,
    /// The second of the newest news of each kind that was believed.
    #[serde(default)]
    pub(crate) status_at: i64,
    #[serde(default)]
    pub(crate) quality_at: i64,
    #[serde(default)]
    pub(crate) category_at: i64,
}

/// Fetches every template of a channel's account again. Templates that Meta no longer lists are
/// removed.
///
/// # Errors
/// The channel does not exist, or Meta cannot be reached or refuses.
pub async fn sync(app: &App, actor: &Actor, channel: &ChannelId) -> Result<usize, Error> {
    actor.require(Permission::WriteChannels)?;
    let scope = app.store.workspace(&actor.workspace);
    let channel = channel::find(app, scope, channel).await?;
    let token = channel::token(app, scope, &channel)?;
    sync_waba(app, scope, &channel.waba_id, &token).await
}

/// # Errors
/// The page request is not acceptable.
pub async fn list(
    app: &App,
    actor: &Actor,
    page: &PageRequest,
) -> Result<Page<StoredTemplate>, Error> {
    actor.require(Permission::ReadCampaigns)?;
    let range = app.store.workspace(&actor.workspace).templates();
    page::of_range(app, &range, page, Order::OldestFirst).await
}

/// # Errors
/// The template does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &str) -> Result<StoredTemplate, Error> {
    actor.require(Permission::ReadCampaigns)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &str) -> Result<StoredTemplate, Error> {
    // An id of Meta's has only digits; anything else would be an empty or a foreign sort key.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::not_found("the template"));
    }
    app.store
        .get(&scope.template(id))
        .await?
        .ok_or_else(|| Error::not_found("the template"))
}

pub(crate) async fn sync_waba(
    app: &App,
    scope: Scope<'_>,
    waba_id: &str,
    token: &AccessToken,
) -> Result<usize, Error> {
    let fetched = app
        .whatsapp
        .all_templates(token, waba_id)
        .await
        .map_err(channel::upstream)?;
    let known: Vec<StoredTemplate> = app.store.all(&scope.templates()).await?;
    let gone = known
        .iter()
        .filter(|stored| stored.waba_id == waba_id)
        .filter(|stored| {
            !fetched
                .iter()
                .any(|template| template.id == stored.template.id)
        })
        .map(|stored| Ok(Write::delete(scope.template(&stored.template.id))))
        .collect::<Vec<_>>();
    let count = fetched.len();
    let synced_at = app.now();
    let known = synced_at.as_second() - channel::health::SKEW;
    let writes: Vec<Write> = fetched
        .into_iter()
        .map(|template| {
            let key = scope.template(&template.id);
            Write::put(
                key,
                &StoredTemplate {
                    template,
                    waba_id: waba_id.to_owned(),
                    synced_at,
                    status_at: known,
                    quality_at: known,
                    category_at: known,
                },
            )
        })
        .chain(gone)
        .collect::<Result<_, Error>>()?;
    stream::iter(writes)
        .map(|write| app.store.write(write))
        .buffer_unordered(WRITES)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(count)
}

/// Takes in news of a template, in the workspace of this channel of its account. A template that cannot
/// be sent any more pauses the campaigns that send it; nothing resumes them but a person.
///
/// # Errors
/// The store or Meta cannot be reached; taking it in again is harmless.
pub(crate) async fn heard(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    event: &TemplateEvent,
    at: Timestamp,
) -> Result<(), Error> {
    believe(app, scope, channel, event, at).await?;
    let told = Event::TemplateUpdated {
        template: event.id.clone(),
    };
    realtime::publish(app, scope, vec![told]).await
}

async fn believe(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    event: &TemplateEvent,
    at: Timestamp,
) -> Result<(), Error> {
    let row = Write::update(scope.template(&event.id)).if_present();
    let newer = |change: Write, kind: &str| {
        let at = at.as_second();
        change.set(kind, &at)?.if_below(kind, &(at + 1))
    };
    let moved = match &event.change {
        TemplateChange::Status { status, .. } => newer(row.set("status", status)?, "status_at")?,
        TemplateChange::Quality(quality) => newer(row.set("quality", quality)?, "quality_at")?,
        TemplateChange::Category(category) => newer(row.set("category", category)?, "category_at")?,
        TemplateChange::Components => return fetch(app, scope, channel).await,
    };
    let moved = app.store.write(moved).await?.yes();
    let TemplateChange::Status { status, reason } = &event.change else {
        return Ok(());
    };
    if *status != TemplateStatus::Approved {
        if moved {
            let sends = |campaign: &campaign::Campaign| campaign.template.id == event.id;
            campaign::stop_those(app, scope, reason, sends).await?;
        }
        return Ok(());
    }
    match find(app, scope, &event.id).await {
        Ok(_) => Ok(()),
        // It is new.
        Err(Error::NotFound { .. }) => fetch(app, scope, channel).await,
        Err(error) => Err(error),
    }
}

/// Fetches the templates of a channel's account again. What Meta refuses is no reason to be told once
/// more.
async fn fetch(app: &App, scope: Scope<'_>, channel: &ChannelId) -> Result<(), Error> {
    let fetched = async {
        let channel = channel::find(app, scope, channel).await?;
        let token = channel::token(app, scope, &channel)?;
        sync_waba(app, scope, &channel.waba_id, &token).await
    };
    match fetched.await {
        Err(error) if !error.retryable() => {
            tracing::warn!(%channel, error = error.chain(), "templates were not fetched");
            Ok(())
        }
        fetched => fetched.map(|_| ()),
    }
}
