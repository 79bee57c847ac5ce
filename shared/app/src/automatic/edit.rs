//! Looking at the settings of the inbox, and changing them.

use std::collections::BTreeSet;

use domain::automatic::{Answer, Hours, Trigger};
use domain::chat::Content;
use domain::contact::{InvalidField, OptOut};
use domain::id::{AnswerId, ChannelId};
use domain::workspace::Permission;

use super::settings::{change, read};
use crate::assignment::Assignment;
use crate::error::FieldError;
use crate::store::Scope;
use crate::{Actor, App, Error, channel, chat};

/// The most automatic answers of a workspace.
const ANSWERS_MAX: usize = 100;

/// What a caller gives to make an answer.
#[derive(Debug, Clone)]
pub struct NewAnswer {
    pub name: String,
    pub active: bool,
    pub trigger: Trigger,
    pub channels: BTreeSet<ChannelId>,
    pub content: Content,
}

/// What a caller changes of an answer; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct AnswerPatch {
    pub name: Option<String>,
    pub active: Option<bool>,
    pub trigger: Option<Trigger>,
    pub channels: Option<BTreeSet<ChannelId>>,
    pub content: Option<Content>,
    /// Its place in the list from now on, from zero; one past the end is the end.
    pub position: Option<usize>,
}

/// # Errors
/// The store cannot be reached.
pub async fn opt_out(app: &App, actor: &Actor) -> Result<OptOut, Error> {
    actor.require(Permission::ReadChats)?;
    let settings = read(app, app.store.workspace(&actor.workspace)).await?;
    Ok(settings.opt_out)
}

/// Sets the words by which people opt out and back in, and what they are told then.
///
/// # Errors
/// A word or a text is not acceptable.
pub async fn set_opt_out(app: &App, actor: &Actor, new: OptOut) -> Result<OptOut, Error> {
    actor.require(Permission::WriteWorkspace)?;
    new.check().map_err(invalid)?;
    change(app, actor, "opt_out", |settings| {
        settings.opt_out.clone_from(&new);
        Ok(new.clone())
    })
    .await
}

/// # Errors
/// The store cannot be reached.
pub async fn hours(app: &App, actor: &Actor) -> Result<Hours, Error> {
    actor.require(Permission::ReadChats)?;
    let settings = read(app, app.store.workspace(&actor.workspace)).await?;
    Ok(settings.hours)
}

/// Sets when the business is open, on the clocks of the workspace's time zone.
///
/// # Errors
/// Two intervals overlap, or one ends before it begins.
pub async fn set_hours(app: &App, actor: &Actor, new: Hours) -> Result<Hours, Error> {
    actor.require(Permission::WriteWorkspace)?;
    new.check().map_err(invalid)?;
    change(app, actor, "business_hours", |settings| {
        settings.hours.clone_from(&new);
        Ok(new.clone())
    })
    .await
}

/// How chats are assigned by themselves.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn assignment(app: &App, scope: Scope<'_>) -> Result<Assignment, Error> {
    Ok(read(app, scope).await?.assignment)
}

/// # Errors
/// The actor may not, or the settings keep changing.
pub(crate) async fn set_assignment(
    app: &App,
    actor: &Actor,
    new: Assignment,
) -> Result<Assignment, Error> {
    change(app, actor, "assignment", |settings| {
        settings.assignment.clone_from(&new);
        Ok(new.clone())
    })
    .await
}

/// All automatic answers, in their order.
///
/// # Errors
/// The store cannot be reached.
pub async fn answers(app: &App, actor: &Actor) -> Result<Vec<Answer>, Error> {
    actor.require(Permission::ReadChats)?;
    let settings = read(app, app.store.workspace(&actor.workspace)).await?;
    Ok(settings.answers)
}

/// # Errors
/// The answer does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &AnswerId) -> Result<Answer, Error> {
    let all = answers(app, actor).await?;
    all.into_iter()
        .find(|answer| answer.id == *id)
        .ok_or_else(missing)
}

/// Makes an answer, the last in the list.
///
/// # Errors
/// A field is not acceptable, or there are too many.
pub async fn create(app: &App, actor: &Actor, new: NewAnswer) -> Result<Answer, Error> {
    actor.require(Permission::WriteWorkspace)?;
    let answer = Answer {
        id: AnswerId::fresh(),
        name: new.name.trim().to_owned(),
        active: new.active,
        trigger: new.trigger,
        channels: new.channels,
        content: new.content,
        created_at: app.now(),
    };
    check(app, actor, &answer).await?;
    change(app, actor, answer.id.as_str(), |settings| {
        if settings.answers.len() >= ANSWERS_MAX {
            let message = format!("a workspace has at most {ANSWERS_MAX} automatic answers");
            return Err(Error::refused("too_many_answers", message));
        }
        settings.answers.push(answer.clone());
        Ok(answer.clone())
    })
    .await
}

/// # Errors
/// The answer does not exist, or a field is not acceptable.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: &AnswerId,
    patch: AnswerPatch,
) -> Result<Answer, Error> {
    actor.require(Permission::WriteWorkspace)?;
    let scope = app.store.workspace(&actor.workspace);
    let settings = read(app, scope).await?;
    let old = settings.answers.iter().find(|answer| answer.id == *id);
    check(app, actor, &patched(old.ok_or_else(missing)?, &patch)).await?;
    change(app, actor, id.as_str(), |settings| {
        let place = place(&settings.answers, id)?;
        let old = settings.answers.remove(place);
        let new = patched(&old, &patch);
        let place = patch.position.unwrap_or(place).min(settings.answers.len());
        settings.answers.insert(place, new.clone());
        Ok(new)
    })
    .await
}

/// # Errors
/// The answer does not exist in this workspace.
pub async fn delete(app: &App, actor: &Actor, id: &AnswerId) -> Result<(), Error> {
    change(app, actor, id.as_str(), |settings| {
        let place = place(&settings.answers, id)?;
        settings.answers.remove(place);
        Ok(())
    })
    .await
}

fn patched(old: &Answer, patch: &AnswerPatch) -> Answer {
    let AnswerPatch {
        name,
        active,
        trigger,
        channels,
        content,
        position: _,
    } = patch;
    let name = name.as_deref().unwrap_or(&old.name);
    Answer {
        id: old.id.clone(),
        name: name.trim().to_owned(),
        active: active.unwrap_or(old.active),
        trigger: trigger.as_ref().unwrap_or(&old.trigger).clone(),
        channels: channels.as_ref().unwrap_or(&old.channels).clone(),
        content: content.as_ref().unwrap_or(&old.content).clone(),
        created_at: old.created_at,
    }
}

/// Whether the answer could be given.
async fn check(app: &App, actor: &Actor, answer: &Answer) -> Result<(), Error> {
    answer.check().map_err(invalid)?;
    let scope = app.store.workspace(&actor.workspace);
    for (place, id) in answer.channels.iter().enumerate() {
        match channel::find(app, scope, id).await {
            Err(Error::NotFound { .. }) => {
                let field = format!("channels[{place}]");
                let message = "there is no such channel in this workspace";
                return Err(Error::invalid(field, message));
            }
            found => drop(found?),
        }
    }
    chat::sendable(app, scope, &answer.content).await
}

fn place(answers: &[Answer], id: &AnswerId) -> Result<usize, Error> {
    let mut all = answers.iter();
    all.position(|answer| answer.id == *id).ok_or_else(missing)
}

fn invalid(faults: Vec<InvalidField>) -> Error {
    Error::Invalid(faults.into_iter().map(FieldError::from).collect())
}

fn missing() -> Error {
    Error::not_found("the automatic answer")
}
