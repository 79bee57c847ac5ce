//! Campaigns: make one, watch it. [`life`] starts, pauses and ends it. What runs in the background has
//! a module for each stage: [`plan`] freezes the [`audience`] into chunks, [`dispatch`] keeps chunks in
//! flight, [`send`] sends one
//! chunk, [`status`] takes Meta's statuses, and [`tick`]
//! takes up again what got stuck.

mod audience;
pub(crate) mod content;
pub mod dispatch;
pub mod export;
mod follow_up;
mod item;
mod life;
mod outcome;
pub mod plan;
mod preflight;
mod recipients;
pub(crate) mod reply;
pub mod send;
mod stats;
pub mod status;
mod stop;
pub mod test_send;
mod thread;
pub mod tick;

use domain::campaign::{Audience, AudienceForm, State};
use domain::id::{CampaignId, ChannelId};
use domain::template::{HeaderContent, HeaderInput, Mapping, Template};
use domain::workspace::Permission;

use crate::idempotency::Once;
use crate::page::{self, Order, Page, PageRequest};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error, realtime};

use content::Content;
pub use export::ExportState;
pub use follow_up::{FollowUp, clone, follow_up, retry};
pub use item::{Campaign, Progress};
pub use life::{Edit, cancel, edit, pause, resume, schedule, start, unschedule};
pub(crate) use outcome::Evidence;
pub use outcome::Outcome;
pub use preflight::{Budget, Preflight, preflight};
pub use recipients::{Recipient, recipients};
pub(crate) use stats::counters;
pub use stats::{Stats, recount, stats};
pub(crate) use stop::stop_those;
pub use test_send::{NewTest, TestSend, TestState, test, tests};
pub(crate) use thread::{Sent, in_thread};

/// What a caller gives to make a campaign.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    pub name: String,
    pub channel: ChannelId,
    pub template: String,
    pub audience: AudienceForm,
    pub variables: Mapping,
    /// What stands at the top, when the template has a picture, video, document or place there.
    pub header: Option<HeaderInput>,
}

/// Makes a draft. Everything it names is checked now, with every refused field named, and again when
/// it starts.
///
/// # Errors
/// A field is not acceptable.
pub async fn create(
    app: &App,
    actor: &Actor,
    new: NewCampaign,
    once: &Once,
) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let name = name(&new.name)?;
    let mut refused = Vec::new();
    let content = content::check(
        app,
        scope,
        &new.channel,
        &new.template,
        &new.variables,
        new.header.as_ref(),
        &mut refused,
    )
    .await?;
    let audience = audience::read(app, scope, &new.audience, &mut refused).await?;
    let (Some(content), Some(audience), []) = (content, audience, refused.as_slice()) else {
        return Err(Error::Invalid(refused));
    };
    let draft = Draft {
        name,
        channel: new.channel,
        template: content.template,
        audience,
        variables: new.variables,
        header: content.header,
    };
    write(app, actor, draft, once).await
}

/// What a new campaign has; everything else about it is yet to come.
struct Draft {
    name: String,
    channel: ChannelId,
    template: Template,
    audience: Audience,
    variables: Mapping,
    header: Option<HeaderContent>,
}

async fn write(app: &App, actor: &Actor, draft: Draft, once: &Once) -> Result<Campaign, Error> {
    let Draft {
        name,
        channel,
        template,
        audience,
        variables,
        header,
    } = draft;
    let campaign = Campaign {
        id: CampaignId::at(once.at, &[&once.seed]),
        workspace: actor.workspace.clone(),
        name,
        state: State::Draft,
        epoch: 0,
        channel,
        template,
        audience,
        variables,
        header,
        reason: None,
        scheduled_at: None,
        created_at: app.now(),
        started_at: None,
        sending_at: None,
        completed_at: None,
    };
    let scope = app.store.workspace(&actor.workspace);
    let create = Write::create(scope.campaign(&campaign.id), &campaign)?;
    if !app.store.write(create).await?.yes() {
        // An earlier attempt at the same request has made it.
        return find(app, scope, &campaign.id).await;
    }
    realtime::announce(app, scope, campaign.event(State::Draft)).await;
    Ok(campaign)
}

/// # Errors
/// The campaign does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &CampaignId) -> Result<Campaign, Error> {
    actor.require(Permission::ReadCampaigns)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

/// Newest first.
///
/// # Errors
/// The page request is not acceptable.
pub async fn list(app: &App, actor: &Actor, page: &PageRequest) -> Result<Page<Campaign>, Error> {
    actor.require(Permission::ReadCampaigns)?;
    let range = app.store.workspace(&actor.workspace).campaigns();
    page::of_range(app, &range, page, Order::NewestFirst).await
}

/// Deletes a campaign that never started.
///
/// # Errors
/// The campaign does not exist, or has started.
pub async fn delete(app: &App, actor: &Actor, id: &CampaignId) -> Result<(), Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let campaign = find(app, scope, id).await?;
    let started = || {
        Error::refused(
            "wrong_state",
            "a campaign that has started cannot be deleted",
        )
    };
    if !campaign.state.editable() {
        return Err(started());
    }
    let write = Write::delete(scope.campaign(id)).if_equals("state", &campaign.state)?;
    app.store.write(write).await?.or(started)
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &CampaignId) -> Result<Campaign, Error> {
    app.store
        .get(&scope.campaign(id))
        .await?
        .ok_or_else(|| Error::not_found("the campaign"))
}

/// The content to freeze when a campaign starts: the template as it is approved now, not as it was when
/// the draft was made. What the campaign names must still exist and fit together.
async fn recheck(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<Content, Error> {
    let Campaign {
        channel,
        template,
        variables,
        audience,
        ..
    } = campaign;
    let mut refused = Vec::new();
    let content = content::check(
        app,
        scope,
        channel,
        &template.id,
        variables,
        campaign.header_input().as_ref(),
        &mut refused,
    )
    .await?;
    audience::check(app, scope, audience, &mut refused).await?;
    match content {
        Some(content) if refused.is_empty() => Ok(content),
        _ => Err(Error::Invalid(refused)),
    }
}

fn name(text: &str) -> Result<String, Error> {
    domain::contact::name(text)?.ok_or_else(|| Error::invalid("name", "a campaign needs a name"))
}
