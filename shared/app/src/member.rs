//! The people of a workspace: who they are, what they may do, and how they go.
//!
//! A role is read with every request, so a change takes effect at once and no session has to be looked
//! for. What else a person could use after they went goes in the same transaction: the API keys they made,
//! whose secrets they may have kept, and the invitations they wrote, by which they could come back.

use domain::id::UserId;
use domain::realtime::Event;
use domain::workspace::{Permission, Role};
use jiff::Timestamp;

use crate::actor::Who;
use crate::audit::{self, Action};
use crate::session::{self, Session};
use crate::store::{Committed, Scope, Write};
use crate::user::User;
use crate::workspace::Membership;
use crate::{Actor, App, Error, api_key, invitation, realtime};

#[derive(Debug, Clone)]
pub struct Member {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub joined_at: Timestamp,
}

/// Everybody, in the order in which their accounts were made.
///
/// # Errors
/// The actor may not see the members.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Member>, Error> {
    actor.require(Permission::ReadMembers)?;
    let scope = app.store.workspace(&actor.workspace);
    let memberships: Vec<Membership> = app.store.all(&scope.workspace_members()).await?;
    named(app, memberships).await
}

/// Gives a member another role.
///
/// # Errors
/// There is no such member, the actor may not, or the workspace would be left without an owner.
pub async fn change_role(
    app: &App,
    actor: &Actor,
    user: &UserId,
    role: Role,
) -> Result<Member, Error> {
    actor.require(Permission::WriteMembers)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, user).await?;
    may_touch(actor, old.role)?;
    may_touch(actor, role)?;
    let new = Membership {
        role,
        ..old.clone()
    };
    if old.role != role {
        let mut writes = moves(app, scope, &old, Some(role))?;
        let details = [("from", old.role.as_str()), ("to", role.as_str())];
        let action = Action::MemberRoleChanged;
        writes.push(audit::detailed(
            app,
            actor,
            action,
            user.as_str(),
            &details,
        )?);
        let (keys, rest) = taken(app, scope, user, Some(role)).await?;
        writes.extend(keys);
        commit(app, writes, rest, &old).await?;
        changed(app, scope, user).await;
    }
    let mut member = named(app, vec![new]).await?;
    member.pop().ok_or_else(|| Error::not_found("the member"))
}

/// Removes a member. It takes effect at once, for sessions, keys and invitations alike.
///
/// # Errors
/// There is no such member, the actor may not, or it is the last owner.
pub async fn remove(app: &App, actor: &Actor, user: &UserId) -> Result<(), Error> {
    actor.require(Permission::WriteMembers)?;
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, user).await?;
    may_touch(actor, old.role)?;
    go(app, actor, &old, Action::MemberRemoved).await
}

/// Leaves the workspace of the actor, who is the session's person.
///
/// # Errors
/// It is the last owner.
pub async fn leave(app: &App, own: &Session, actor: &Actor) -> Result<(), Error> {
    let scope = app.store.workspace(&actor.workspace);
    let old = find(app, scope, &own.user).await?;
    go(app, actor, &old, Action::MemberLeft).await?;
    if own.workspace.as_ref() == Some(&actor.workspace) {
        let left = crate::workspace::ids_of_user(app, &own.user).await?;
        session::move_to(app, own, left.first()).await?;
    }
    Ok(())
}

async fn go(app: &App, actor: &Actor, old: &Membership, action: Action) -> Result<(), Error> {
    let scope = app.store.workspace(&actor.workspace);
    let mut writes = moves(app, scope, old, None)?;
    let details = [("role", old.role.as_str())];
    writes.push(audit::detailed(
        app,
        actor,
        action,
        old.user.as_str(),
        &details,
    )?);
    let (keys, rest) = taken(app, scope, &old.user, None).await?;
    writes.extend(keys);
    commit(app, writes, rest, old).await?;
    changed(app, scope, &old.user).await;
    Ok(())
}

/// Open screens are told, but not the person's own: what they may read has changed, so they begin anew or
/// not at all.
async fn changed(app: &App, scope: Scope<'_>, user: &UserId) {
    realtime::cut_off(app, scope, &realtime::Holder::Member(user.clone())).await;
    let event = Event::MemberUpdated { user: user.clone() };
    realtime::announce(app, scope, event).await;
}

/// Whether somebody is a member of the workspace.
pub(crate) async fn belongs(app: &App, scope: Scope<'_>, user: &UserId) -> Result<bool, Error> {
    let membership: Option<Membership> = app.store.get(&scope.member(user)).await?;
    Ok(membership.is_some())
}

/// The writes that put a new member in, or fail when they are one.
pub(crate) fn joins(app: &App, membership: &Membership) -> Result<Vec<Write>, Error> {
    let scope = app.store.workspace(&membership.workspace);
    let back = app
        .store
        .user_workspace(&membership.user, &membership.workspace);
    let mut writes = vec![
        Write::create(scope.member(&membership.user), membership)?,
        Write::create(back, membership)?,
    ];
    if membership.role == Role::Owner {
        writes.push(Write::update(scope.meta()).add("owners", 1).if_present());
    }
    Ok(writes)
}

/// The writes that move a membership on from where it was read: to another role, or out. The first is the
/// membership's; the last, when there is one more, counts the owners.
fn moves(
    app: &App,
    scope: Scope<'_>,
    old: &Membership,
    role: Option<Role>,
) -> Result<Vec<Write>, Error> {
    let places = [
        scope.member(&old.user),
        app.store.user_workspace(&old.user, &old.workspace),
    ];
    let mut writes = Vec::new();
    for place in places {
        let write = match role {
            Some(role) => Write::update(place).set("role", &role)?,
            None => Write::delete(place),
        };
        writes.push(write.if_equals("role", &old.role)?);
    }
    let owners = Write::update(scope.meta());
    match (old.role == Role::Owner, role == Some(Role::Owner)) {
        (true, false) => writes.push(owners.add("owners", -1).if_at_least("owners", &2)?),
        (false, true) => writes.push(owners.add("owners", 1).if_present()),
        (true, true) | (false, false) => {}
    }
    Ok(writes)
}

/// What a person loses with a role: keys that do more than they may now, and when they go, their
/// invitations too. What does not fit one transaction is the second list.
async fn taken(
    app: &App,
    scope: Scope<'_>,
    user: &UserId,
    role: Option<Role>,
) -> Result<(Vec<Write>, Vec<Write>), Error> {
    let mut writes = api_key::revocations(app, scope, user, role).await?;
    writes.extend(invitation::revocations(app, scope, user, role).await?);
    // Far more than anybody makes; in pairs, so that a key never goes without its look-up.
    let rest = writes.split_off(writes.len().min(80));
    Ok((writes, rest))
}

async fn commit(
    app: &App,
    writes: Vec<Write>,
    rest: Vec<Write>,
    old: &Membership,
) -> Result<(), Error> {
    match app.store.transact(writes).await? {
        Committed::Yes => session::finish(app, rest).await,
        // The membership stands as it was read, so it was the count of the owners.
        Committed::No(failed) if !failed.contains(&0) && old.role == Role::Owner => {
            Err(Error::refused(
                "last_owner",
                "a workspace keeps one owner at least; make somebody else an owner first",
            ))
        }
        Committed::No(_) => Err(Error::refused(
            "changed",
            "the member was changed in this moment by someone else; look again",
        )),
    }
}

/// Only owners make owners, and only they touch them. A key belongs to nobody, so it is no owner.
pub(crate) fn may_touch(actor: &Actor, role: Role) -> Result<(), Error> {
    let owner = matches!(
        actor.who,
        Who::Member {
            role: Role::Owner,
            ..
        }
    );
    if role != Role::Owner || owner {
        Ok(())
    } else {
        Err(Error::Forbidden {
            needed: "only an owner can do this to an owner, or make one",
        })
    }
}

async fn find(app: &App, scope: Scope<'_>, user: &UserId) -> Result<Membership, Error> {
    let found = app.store.get(&scope.member(user)).await?;
    found.ok_or_else(|| Error::not_found("the member"))
}

async fn named(app: &App, memberships: Vec<Membership>) -> Result<Vec<Member>, Error> {
    let keys: Vec<_> = memberships
        .iter()
        .map(|membership| app.store.user(&membership.user))
        .collect();
    let mut found: Vec<(usize, User)> = app.store.get_many(&keys).await?;
    found.sort_by_key(|(place, _)| *place);
    let members = found.into_iter().map(|(place, user)| Member {
        user: user.id,
        name: user.name,
        email: user.email,
        role: memberships[place].role,
        joined_at: memberships[place].joined_at,
    });
    Ok(members.collect())
}
