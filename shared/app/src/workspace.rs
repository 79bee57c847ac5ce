//! Workspaces and who belongs to them.

use domain::id::{UserId, WorkspaceId};
use domain::workspace::{Permission, Role, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{self, Action};
use crate::store::{Store, Write};
use crate::{Actor, App, Error};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    /// In which times without an offset are meant.
    #[serde(default)]
    pub time_zone: Zone,
    pub created_at: Timestamp,
}

/// A person's membership, stored with the workspace and, for the way back, with the person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Membership {
    pub workspace: WorkspaceId,
    pub user: UserId,
    pub role: Role,
}

/// The writes that make a workspace with its owner.
pub(crate) fn creation(
    store: &Store,
    workspace: &Workspace,
    owner: &UserId,
) -> Result<Vec<Write>, Error> {
    let scope = store.workspace(&workspace.id);
    let membership = Membership {
        workspace: workspace.id.clone(),
        user: owner.clone(),
        role: Role::Owner,
    };
    Ok(vec![
        Write::create(scope.meta(), workspace)?,
        Write::create(scope.member(owner), &membership)?,
        Write::create(store.user_workspace(owner, &workspace.id), &membership)?,
    ])
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
    if let Some(name) = &change.name {
        workspace.name = domain::contact::name(name)?
            .ok_or_else(|| Error::invalid("name", "a workspace needs a name"))?;
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

/// Every workspace of a person.
///
/// # Errors
/// The store cannot be read.
pub async fn of_user(app: &App, user: &UserId) -> Result<Vec<(Workspace, Role)>, Error> {
    let memberships: Vec<Membership> = app.store.all(&app.store.user_workspaces(user)).await?;
    let mut workspaces = Vec::with_capacity(memberships.len());
    for membership in memberships {
        workspaces.push((get(app, &membership.workspace).await?, membership.role));
    }
    Ok(workspaces)
}
