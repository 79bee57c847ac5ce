//! The audit log of a workspace: who did what to what, and when.
//!
//! An act adds its entry to the transaction that makes the change, so there is no change without an entry
//! and no entry without a change. Entries name ids and a few words, and never a secret or what was said
//! to a customer. What machines do by the thousand (messages, statuses, imported rows) is not entered.

use std::collections::BTreeMap;

use domain::id::{ApiKeyId, AuditId, UserId};
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::Who;
use crate::page::{self, Order, Page, PageRequest};
use crate::store::{Scope, Write};
use crate::user::User;
use crate::{Actor, App, Error, secret};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    pub id: AuditId,
    pub at: Timestamp,
    pub by: By,
    pub action: Action,
    /// The id of what it was done to.
    pub target: String,
    /// A few words more: the role that was given, the scopes of a key.
    #[serde(default)]
    pub details: BTreeMap<String, String>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    User(UserId),
    ApiKey(ApiKeyId),
}

/// What was done. The name is stored and is part of the API, so none is ever given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    #[serde(rename = "account.signed_in")]
    SignedIn,
    #[serde(rename = "account.password_changed")]
    PasswordChanged,
    #[serde(rename = "account.password_reset")]
    PasswordReset,
    #[serde(rename = "workspace.created")]
    WorkspaceCreated,
    #[serde(rename = "workspace.updated")]
    WorkspaceUpdated,
    #[serde(rename = "member.joined")]
    MemberJoined,
    #[serde(rename = "member.role_changed")]
    MemberRoleChanged,
    #[serde(rename = "member.removed")]
    MemberRemoved,
    #[serde(rename = "member.left")]
    MemberLeft,
    #[serde(rename = "invitation.created")]
    InvitationCreated,
    #[serde(rename = "invitation.revoked")]
    InvitationRevoked,
    #[serde(rename = "api_key.created")]
    ApiKeyCreated,
    #[serde(rename = "api_key.updated")]
    ApiKeyUpdated,
    #[serde(rename = "api_key.revoked")]
    ApiKeyRevoked,
    #[serde(rename = "channel.connected")]
    ChannelConnected,
    #[serde(rename = "channel.updated")]
    ChannelUpdated,
    #[serde(rename = "channel.disconnected")]
    ChannelDisconnected,
    #[serde(rename = "inbox.updated")]
    InboxUpdated,
    #[serde(rename = "campaign.scheduled")]
    CampaignScheduled,
    #[serde(rename = "campaign.unscheduled")]
    CampaignUnscheduled,
    #[serde(rename = "campaign.started")]
    CampaignStarted,
    #[serde(rename = "campaign.paused")]
    CampaignPaused,
    #[serde(rename = "campaign.resumed")]
    CampaignResumed,
    #[serde(rename = "campaign.cancelled")]
    CampaignCancelled,
}

/// The write that enters an act of the actor into the log of its workspace.
///
/// # Errors
/// The entry cannot be expressed in DynamoDB's types.
pub fn entry(app: &App, actor: &Actor, action: Action, target: &str) -> Result<Write, Error> {
    detailed(app, actor, action, target, &[])
}

/// The same with a few words more: `("role", "admin")`.
///
/// # Errors
/// As [`entry`].
pub fn detailed(
    app: &App,
    actor: &Actor,
    action: Action,
    target: &str,
    details: &[(&str, &str)],
) -> Result<Write, Error> {
    let by = match &actor.who {
        Who::Member { user, .. } => By::User(user.clone()),
        Who::Key { key, .. } => By::ApiKey(key.clone()),
    };
    let scope = app.store.workspace(&actor.workspace);
    written(app, scope, by, action, (target, details))
}

/// What somebody did before they were an actor: they joined, or signed in.
pub(crate) fn written(
    app: &App,
    scope: Scope<'_>,
    by: By,
    action: Action,
    (target, details): (&str, &[(&str, &str)]),
) -> Result<Write, Error> {
    let now = app.now();
    let details = details.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    let entry = Entry {
        id: AuditId::at(now, &[secret::random_token().as_str()]),
        at: now,
        by,
        action,
        target: target.to_owned(),
        details: details.collect(),
    };
    Write::create(scope.audit(&entry.id), &entry)
}

/// The entries, newest first, each with the present name of the person behind it.
///
/// # Errors
/// The actor may not read the log, or the cursor is not one of it.
pub async fn list(
    app: &App,
    actor: &Actor,
    request: PageRequest,
) -> Result<Page<(Entry, Option<String>)>, Error> {
    actor.require(Permission::ReadAudit)?;
    let scope = app.store.workspace(&actor.workspace);
    let page: Page<Entry> =
        page::of_range(app, &scope.audits(), &request, Order::NewestFirst).await?;
    let mut people: Vec<UserId> = page.items.iter().filter_map(person).collect();
    people.sort();
    people.dedup();
    let keys: Vec<_> = people.iter().map(|id| app.store.user(id)).collect();
    let found: Vec<(usize, User)> = app.store.get_many(&keys).await?;
    let names: BTreeMap<UserId, String> = found
        .into_iter()
        .map(|(_, user)| (user.id, user.name))
        .collect();
    let named = |entry: Entry| {
        let name = person(&entry).and_then(|id| names.get(&id).cloned());
        (entry, name)
    };
    Ok(Page {
        items: page.items.into_iter().map(named).collect(),
        next: page.next,
    })
}

fn person(entry: &Entry) -> Option<UserId> {
    match &entry.by {
        By::User(user) => Some(user.clone()),
        By::ApiKey(_) => None,
    }
}
