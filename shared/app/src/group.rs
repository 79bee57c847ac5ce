//! Groups of contacts: what campaigns are sent to.

use domain::contact;
use domain::id::GroupId;
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::page::{self, Order, Page, PageRequest};
use crate::store::{Scope, Write};
use crate::{Actor, App, Error};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    /// Counted in the transactions that change memberships.
    pub members: i64,
    pub created_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct NameIdentity {
    group: GroupId,
}

/// # Errors
/// The name is not acceptable or taken.
pub async fn create(app: &App, actor: &Actor, name: &str) -> Result<Group, Error> {
    actor.require(Permission::WriteContacts)?;
    let name = contact::group_name(name)?;
    try_create(app, app.store.workspace(&actor.workspace), name)
        .await?
        .ok_or_else(|| Error::refused("name_taken", "there is already a group with this name"))
}

/// # Errors
/// The group does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &GroupId) -> Result<Group, Error> {
    actor.require(Permission::ReadContacts)?;
    find(app, app.store.workspace(&actor.workspace), id)
        .await?
        .ok_or_else(|| Error::not_found("the group"))
}

/// # Errors
/// The page request is not acceptable.
pub async fn list(app: &App, actor: &Actor, page: &PageRequest) -> Result<Page<Group>, Error> {
    actor.require(Permission::ReadContacts)?;
    let range = app.store.workspace(&actor.workspace).groups();
    page::of_range(app, &range, page, Order::OldestFirst).await
}

/// # Errors
/// The group does not exist, or the name is not acceptable or taken.
pub async fn rename(app: &App, actor: &Actor, id: &GroupId, name: &str) -> Result<Group, Error> {
    actor.require(Permission::WriteContacts)?;
    let name = contact::group_name(name)?;
    let scope = app.store.workspace(&actor.workspace);
    let group = find(app, scope, id)
        .await?
        .ok_or_else(|| Error::not_found("the group"))?;
    let mut writes = vec![
        Write::update(scope.group(id))
            .set("name", &name)?
            .if_equals("name", &group.name)?,
    ];
    if name.to_lowercase() != group.name.to_lowercase() {
        writes.push(Write::create(
            scope.group_name(&name),
            &NameIdentity { group: id.clone() },
        )?);
        writes.push(Write::delete(scope.group_name(&group.name)));
    }
    app.store
        .transact(writes)
        .await?
        .or(|| Error::refused("name_taken", "there is already a group with this name"))?;
    Ok(Group { name, ..group })
}

/// Deletes a group; its contacts stay. Their memberships are left behind unread: a deleted group is
/// never an audience again, and its id is never used twice.
///
/// # Errors
/// The group does not exist in this workspace.
pub async fn delete(app: &App, actor: &Actor, id: &GroupId) -> Result<(), Error> {
    actor.require(Permission::WriteContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    let group = find(app, scope, id)
        .await?
        .ok_or_else(|| Error::not_found("the group"))?;
    app.store
        .transact(vec![
            Write::delete(scope.group(id)).if_equals("name", &group.name)?,
            Write::delete(scope.group_name(&group.name)),
        ])
        .await?
        .or(|| Error::not_found("the group"))
}

pub(crate) async fn find(
    app: &App,
    scope: Scope<'_>,
    id: &GroupId,
) -> Result<Option<Group>, Error> {
    app.store.get(&scope.group(id)).await
}

/// The group with this name, made when there is none.
pub(crate) async fn find_or_create(
    app: &App,
    scope: Scope<'_>,
    name: &str,
) -> Result<GroupId, Error> {
    let name = contact::group_name(name)?;
    loop {
        let identity: Option<NameIdentity> = app.store.get(&scope.group_name(&name)).await?;
        if let Some(identity) = identity {
            if find(app, scope, &identity.group).await?.is_some() {
                return Ok(identity.group);
            }
            // A name that outlived its group is given free.
            let stale =
                Write::delete(scope.group_name(&name)).if_equals("group", &identity.group)?;
            app.store.write(stale).await?;
        }
        if let Some(group) = try_create(app, scope, name.clone()).await? {
            return Ok(group.id);
        }
    }
}

/// Those of the groups that exist, in the order of their ids, each once.
pub(crate) async fn existing(
    app: &App,
    scope: Scope<'_>,
    asked: &[GroupId],
) -> Result<Vec<GroupId>, Error> {
    let mut ids = asked.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let keys: Vec<_> = ids.iter().map(|id| scope.group(id)).collect();
    let mut found: Vec<(usize, Group)> = app.store.get_many(&keys).await?;
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, group)| group.id).collect())
}

/// The write that counts contacts joining or leaving; it also refuses a group that is gone.
pub(crate) fn counted(scope: Scope<'_>, group: &GroupId, by: i64) -> Write {
    Write::update(scope.group(group))
        .add("members", by)
        .if_present()
}

/// `None` when the name is taken.
async fn try_create(app: &App, scope: Scope<'_>, name: String) -> Result<Option<Group>, Error> {
    let group = Group {
        id: GroupId::fresh(),
        name,
        members: 0,
        created_at: app.now(),
    };
    let committed = app
        .store
        .transact(vec![
            Write::create(
                scope.group_name(&group.name),
                &NameIdentity {
                    group: group.id.clone(),
                },
            )?,
            Write::create(scope.group(&group.id), &group)?,
        ])
        .await?;
    Ok(committed.yes().then_some(group))
}
