//! The life of a campaign: what people ask of it, and what it does by itself at its time.
//!
//! Every change is one compare-and-set on state and epoch ([`swap`]), so of two changes at once one
//! wins and the other is refused. What has to be queued is queued after the change; the tick repairs
//! what died between the two.

use std::time::Duration;

use domain::campaign::{AudienceForm, State};
use domain::id::CampaignId;
use domain::template::{HeaderInput, Mapping};
use domain::workspace::Permission;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::item::{Campaign, Gate, Progress};
use super::{Content, audience, content, dispatch, find, recheck, tick};
use crate::audit::{self, Action};
use crate::store::{Committed, Scope, Write};
use crate::task::CampaignPlan;
use crate::{Actor, App, Error, channel, realtime, workspace};

/// The furthest ahead that a campaign may be scheduled.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// What an edit changes; what is absent stays. Another template takes a header of its own.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub template: Option<String>,
    pub audience: Option<AudienceForm>,
    pub variables: Option<Mapping>,
    pub header: Option<HeaderInput>,
}

/// Changes a campaign that has not started. What it names is checked as when it was made.
///
/// # Errors
/// The campaign does not exist or has started, or a field is not acceptable.
pub async fn edit(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    edit: Edit,
) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, id).await?;
    let state = old.state.edit()?;
    let mut new = Campaign {
        state,
        ..old.clone()
    };
    if let Some(name) = edit.name {
        new.name = super::name(&name)?;
    }
    new.variables = edit.variables.unwrap_or(new.variables);
    let mut refused = Vec::new();
    if let Some(form) = &edit.audience {
        let audience = audience::read(app, scope, form, &mut refused).await?;
        new.audience = audience.unwrap_or(new.audience);
    }
    let template = edit.template.as_ref().unwrap_or(&old.template.id);
    let kept = old.header_input().filter(|_| *template == old.template.id);
    let content = content::check(
        app,
        scope,
        &new.channel,
        template,
        &new.variables,
        edit.header.or(kept).as_ref(),
        &mut refused,
    )
    .await?;
    let Some(Content {
        template, header, ..
    }) = content.filter(|_| refused.is_empty())
    else {
        return Err(Error::Invalid(refused));
    };
    (new.template, new.header) = (template, header);
    let due = new.scheduled_at;
    swap(app, scope, &old, new, due, None).await
}

/// Sets the time at which a campaign starts by itself. A time without an offset is the workspace's.
///
/// # Errors
/// The campaign does not exist or has started, or the time is not acceptable.
pub async fn schedule(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    at: &str,
) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, id).await?;
    let state = old.state.schedule()?;
    let zone = workspace::get(app, &actor.workspace).await?.time_zone;
    let at = instant(at, &zone.time_zone())?;
    if at <= app.now() {
        return Err(Error::invalid(
            "at",
            "the time has passed; name a later one",
        ));
    }
    if at.duration_since(app.now()) > FURTHEST {
        return Err(Error::invalid("at", "name a time within the next year"));
    }
    recheck(app, scope, &old).await?;
    let new = Campaign {
        state,
        scheduled_at: Some(at),
        ..old.clone()
    };
    let entry = audit::entry(app, actor, Action::CampaignScheduled, id.as_str())?;
    swap(app, scope, &old, new, Some(at), Some(entry)).await
}

/// Makes a scheduled campaign a draft again.
///
/// # Errors
/// The campaign does not exist or is not scheduled.
pub async fn unschedule(app: &App, actor: &Actor, id: &CampaignId) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, id).await?;
    let new = Campaign {
        state: old.state.unschedule()?,
        scheduled_at: None,
        ..old.clone()
    };
    let entry = audit::entry(app, actor, Action::CampaignUnscheduled, id.as_str())?;
    swap(app, scope, &old, new, None, Some(entry)).await
}

/// Starts a campaign. Of two starts at once one wins, and the other is refused: it starts once.
///
/// # Errors
/// The campaign was started before, or what it names is no longer acceptable.
pub async fn start(app: &App, actor: &Actor, id: &CampaignId) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, id).await?;
    let entry = audit::entry(app, actor, Action::CampaignStarted, id.as_str())?;
    begin(app, scope, &old, Some(entry)).await
}

/// Starts a campaign whose time has come. What it names may have gone since it was scheduled: then it
/// fails, and says why.
pub(super) async fn start_due(app: &App, scope: Scope<'_>, old: &Campaign) -> Result<(), Error> {
    let refused = match begin(app, scope, old, None).await {
        Ok(_) => return Ok(()),
        Err(Error::Invalid(fields)) => fields,
        // Somebody changed it in this moment.
        Err(Error::Refused { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let words: Vec<_> = refused.into_iter().map(|field| field.message).collect();
    let new = Campaign {
        state: old.state.fail()?,
        reason: Some(format!("It could not start: {}.", words.join("; "))),
        ..old.clone()
    };
    match swap(app, scope, old, new, None, None).await {
        Ok(_) | Err(Error::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Stops sending. What is in flight arrives; the campaign is `pausing` until that is over.
///
/// # Errors
/// The campaign does not exist or is not under way.
pub async fn pause(app: &App, actor: &Actor, id: &CampaignId) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, id).await?;
    let new = Campaign {
        state: old.state.pause()?,
        reason: None,
        ..old.clone()
    };
    let due = (new.state == State::Pausing).then(|| tick::next(app));
    let entry = audit::entry(app, actor, Action::CampaignPaused, id.as_str())?;
    swap(app, scope, &old, new, due, Some(entry)).await?;
    // Usually nothing is in flight for longer than a moment, and perhaps nothing is now.
    dispatch::after_chunk(app, scope, id).await?;
    find(app, scope, id).await
}

/// Lets a paused campaign go on where it stopped.
///
/// # Errors
/// The campaign does not exist or is not paused, or its number is disconnected.
pub async fn resume(app: &App, actor: &Actor, id: &CampaignId) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, id).await?;
    channel::connected(&channel::find(app, scope, &old.channel).await?)?;
    let progress: Progress = app
        .store
        .get(&scope.progress(id))
        .await?
        .unwrap_or_default();
    let new = Campaign {
        state: old.state.resume(progress.planned)?,
        reason: None,
        sending_at: old.sending_at.filter(|_| progress.planned),
        ..old.clone()
    };
    let entry = audit::entry(app, actor, Action::CampaignResumed, id.as_str())?;
    let new = swap(app, scope, &old, new, Some(tick::next(app)), Some(entry)).await?;
    set_going(app, scope, &new).await;
    Ok(new)
}

/// Ends a campaign before its end. What is in flight arrives; who was not sent to stays pending.
///
/// # Errors
/// The campaign does not exist, was not started, or has ended.
pub async fn cancel(app: &App, actor: &Actor, id: &CampaignId) -> Result<Campaign, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, id).await?;
    let new = Campaign {
        state: old.state.cancel()?,
        scheduled_at: None,
        completed_at: Some(app.now()),
        ..old.clone()
    };
    let entry = audit::entry(app, actor, Action::CampaignCancelled, id.as_str())?;
    swap(app, scope, &old, new, None, Some(entry)).await
}

/// Queues what a campaign under way needs to go on: after a start, a resume, or when it got stuck.
pub(super) async fn go_on(app: &App, scope: Scope<'_>, campaign: &Campaign) -> Result<(), Error> {
    match campaign.state {
        State::Preparing => {
            let task = CampaignPlan {
                workspace: campaign.workspace.clone(),
                campaign: campaign.id.clone(),
                epoch: campaign.epoch,
            };
            app.enqueue(&task, Duration::ZERO).await
        }
        State::Sending => {
            dispatch::requeue_open(app, scope, campaign).await?;
            dispatch::wake(app, campaign).await
        }
        State::Pausing => dispatch::after_chunk(app, scope, &campaign.id).await,
        State::Draft
        | State::Scheduled
        | State::Paused
        | State::Completed
        | State::Cancelled
        | State::Failed => Ok(()),
    }
}

/// Puts a campaign in the place of what was read, with its epoch raised, and sets when the tick looks
/// at it.
///
/// # Errors
/// It was changed by somebody else since it was read.
pub(super) async fn swap(
    app: &App,
    scope: Scope<'_>,
    old: &Campaign,
    new: Campaign,
    due: Option<Timestamp>,
    entry: Option<Write>,
) -> Result<Campaign, Error> {
    let new = Campaign {
        epoch: old.epoch + 1,
        ..new
    };
    let mut writes = vec![
        replacing(scope, old, &new, due)?,
        Gate::set(scope, &new.id, new.state, new.epoch)?,
    ];
    writes.extend(entry);
    app.store.transact(writes).await?.or(changed)?;
    realtime::announce(app, scope, new.event(new.state)).await;
    Ok(new)
}

async fn begin(
    app: &App,
    scope: Scope<'_>,
    old: &Campaign,
    entry: Option<Write>,
) -> Result<Campaign, Error> {
    let state = old.state.start()?;
    let Content {
        template, header, ..
    } = recheck(app, scope, old).await?;
    channel::health::look(app, scope, &old.channel).await?;
    let new = Campaign {
        state,
        epoch: old.epoch + 1,
        template,
        header,
        started_at: Some(app.now()),
        ..old.clone()
    };
    let mut writes = vec![
        replacing(scope, old, &new, Some(tick::next(app)))?,
        Gate::set(scope, &new.id, new.state, new.epoch)?,
        Write::create(scope.progress(&old.id), &Progress::default())?,
    ];
    writes.extend(entry);
    match app.store.transact(writes).await? {
        Committed::Yes => {}
        Committed::No(_) => return Err(changed()),
    }
    set_going(app, scope, &new).await;
    realtime::announce(app, scope, new.event(new.state)).await;
    Ok(new)
}

/// The change has been made, so a queue that is out of reach is no error of the caller's: the tick
/// queues the same within a minute or two.
async fn set_going(app: &App, scope: Scope<'_>, campaign: &Campaign) {
    if let Err(error) = go_on(app, scope, campaign).await {
        tracing::warn!(
            workspace = %campaign.workspace,
            campaign = %campaign.id,
            error = error.chain(),
            "a campaign waits for the tick"
        );
    }
}

fn replacing(
    scope: Scope<'_>,
    old: &Campaign,
    new: &Campaign,
    due: Option<Timestamp>,
) -> Result<Write, Error> {
    let write = Write::put(scope.campaign(&new.id), new)?
        .if_equals("state", &old.state)?
        .if_equals("epoch", &old.epoch)?;
    Ok(match due.map(|at| scope.due_entry(&new.id, at)) {
        Some((pk, sk)) => write.with("gsi1pk", pk).with("gsi1sk", sk),
        None => write,
    })
}

fn changed() -> Error {
    Error::refused(
        "wrong_state",
        "the campaign was changed in this moment, by someone else or by itself; look at it again",
    )
}

/// `2026-12-01T09:00` in the given zone, or an instant with its offset.
fn instant(text: &str, zone: &TimeZone) -> Result<Timestamp, Error> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let at: DateTime = text.parse().map_err(|_| {
        Error::invalid(
            "at",
            "write a time such as 2026-12-01T09:00 (the workspace's time zone) or 2026-12-01T09:00:00+07:00",
        )
    })?;
    // A time that a change of the clocks skips becomes the one after it; one that comes twice, the first.
    at.to_zoned(zone.clone())
        .map(|zoned| zoned.timestamp())
        .map_err(|_| Error::invalid("at", "this time does not exist"))
}
