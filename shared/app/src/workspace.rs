//! Workspaces: what they are called, who belongs to them, and how one is made.

use domain::id::{UserId, WorkspaceId};
use domain::realtime::Event;
use domain::workspace::{Permission, Role, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{self, Action, By};
use crate::error::FieldError;
use crate::session::{self, Session};
use crate::store::Write;
use crate::{Actor, App, Error, realtime};

/// How many workspaces one person may be a member of. A changed password is entered into the log of each,
/// in one transaction of at most a hundred writes.
pub(crate) const PER_PERSON_MAX: usize = 80;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    /// In which times without an offset are meant.
    #[serde(default)]
    pub time_zone: Zone,
    pub created_at: Timestamp,
    /// How many owners it has. It changes in the transaction that makes or unmakes one, so that of two
    /// owners who leave at once the second is the last and stays.
    pub owners: u32,
}

/// A person's membership, stored with the workspace and, for the way back, with the person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Membership {
    pub workspace: WorkspaceId,
    pub user: UserId,
    pub role: Role,
    pub joined_at: Timestamp,
}

/// A workspace with its owner, and the writes that make it.
pub(crate) fn creation(
    app: &App,
    given: &str,
    owner: &UserId,
) -> Result<(Workspace, Vec<Write>), Error> {
    let workspace = Workspace {
        id: WorkspaceId::fresh(),
        name: name("name", given)?,
        time_zone: Zone::default(),
        created_at: app.now(),
        owners: 1,
    };
    let scope = app.store.workspace(&workspace.id);
    let membership = Membership {
        workspace: workspace.id.clone(),
        user: owner.clone(),
        role: Role::Owner,
        joined_at: app.now(),
    };
    let by = By::User(owner.clone());
    let what = (workspace.id.as_str(), [].as_slice());
    let writes = vec![
        Write::create(scope.meta(), &workspace)?,
        Write::create(scope.member(owner), &membership)?,
        Write::create(app.store.user_workspace(owner, &workspace.id), &membership)?,
        audit::written(app, scope, by, Action::WorkspaceCreated, what)?,
    ];
    Ok((workspace, writes))
}

/// Makes another workspace for a person, who owns it and is in it from now on.
///
/// # Errors
/// The name is not acceptable, or the person has too many.
pub async fn create(app: &App, own: &Session, name: &str) -> Result<Workspace, Error> {
    if ids_of_user(app, &own.user).await?.len() >= PER_PERSON_MAX {
        return Err(too_many());
    }
    let (workspace, writes) = creation(app, name, &own.user)?;
    app.store
        .transact(writes)
        .await?
        .or(|| Error::broken("a fresh workspace exists already"))?;
    session::move_to(app, own, Some(&workspace.id)).await?;
    Ok(workspace)
}

/// # Errors
/// The workspace does not exist.
pub async fn get(app: &App, id: &WorkspaceId) -> Result<Workspace, Error> {
    let scope = app.store.workspace(id);
    app.store
        .get(&scope.meta())
        .await?
        .ok_or_else(|| Error::not_found("the workspace"))
}

/// What a change of a workspace changes; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub time_zone: Option<String>,
}

/// Changes the name or the time zone. Campaigns that are scheduled already keep their instant.
///
/// # Errors
/// A field is not acceptable.
pub async fn update(app: &App, actor: &Actor, change: Change) -> Result<Workspace, Error> {
    actor.require(Permission::WriteWorkspace)?;
    let mut workspace = get(app, &actor.workspace).await?;
    if let Some(given) = &change.name {
        workspace.name = name("name", given)?;
    }
    if let Some(zone) = change.time_zone {
        workspace.time_zone =
            Zone::try_from(zone).map_err(|error| Error::invalid("time_zone", error.to_string()))?;
    }
    let scope = app.store.workspace(&actor.workspace);
    let write = Write::update(scope.meta())
        .set("name", &workspace.name)?
        .set("time_zone", &workspace.time_zone)?
        .if_present();
    let entry = audit::entry(
        app,
        actor,
        Action::WorkspaceUpdated,
        actor.workspace.as_str(),
    )?;
    app.store
        .transact(vec![write, entry])
        .await?
        .or(|| Error::not_found("the workspace"))?;
    app.inboxes.forget(&actor.workspace);
    realtime::announce(app, scope, Event::WorkspaceUpdated {}).await;
    Ok(workspace)
}

/// What a person is to a workspace.
///
/// # Errors
/// They are not a member, which looks the same as a workspace that does not exist.
pub async fn role(app: &App, workspace: &WorkspaceId, user: &UserId) -> Result<Role, Error> {
    let scope = app.store.workspace(workspace);
    let membership: Option<Membership> = app.store.get(&scope.member(user)).await?;
    membership
        .map(|membership| membership.role)
        .ok_or_else(|| Error::not_found("the workspace"))
}

/// Every workspace of a person, in the order of their ids, which is that of their age.
///
/// # Errors
/// The store cannot be read.
pub async fn of_user(app: &App, user: &UserId) -> Result<Vec<(Workspace, Role)>, Error> {
    let memberships: Vec<Membership> = app.store.all(&app.store.user_workspaces(user)).await?;
    let keys: Vec<_> = memberships
        .iter()
        .map(|membership| app.store.workspace(&membership.workspace).meta())
        .collect();
    let mut found: Vec<(usize, Workspace)> = app.store.get_many(&keys).await?;
    found.sort_by_key(|(place, _)| *place);
    Ok(found
        .into_iter()
        .map(|(place, workspace)| (workspace, memberships[place].role))
        .collect())
}

pub(crate) async fn ids_of_user(app: &App, user: &UserId) -> Result<Vec<WorkspaceId>, Error> {
    let memberships: Vec<Membership> = app.store.all(&app.store.user_workspaces(user)).await?;
    let ids = memberships.into_iter().map(|member| member.workspace);
    Ok(ids.collect())
}

/// The name of a workspace, given in this field.
pub(crate) fn name(field: &str, given: &str) -> Result<String, Error> {
    match domain::contact::name(given) {
        Ok(Some(name)) => Ok(name),
        Ok(None) => Err(Error::invalid(field, "a workspace needs a name")),
        Err(refused) => Err(Error::Invalid(vec![FieldError {
            field: field.to_owned(),
            message: refused.message,
        }])),
    }
}

pub(crate) fn too_many() -> Error {
    Error::refused(
        "too_many_workspaces",
        format!("one person can be a member of at most {PER_PERSON_MAX} workspaces"),
    )
}
