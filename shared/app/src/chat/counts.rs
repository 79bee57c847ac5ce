//! The live counts of a workspace's chats. They change with the chats that they count, so they are exact.

use std::collections::{BTreeMap, HashMap};

use domain::chat::Status;
use domain::id::UserId;
use domain::workspace::Permission;
use serde_json::Value;

use super::change::{Tally, tally};
use crate::actor::Who;
use crate::{Actor, App, Error};

/// How many chats of one status there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub all: u64,
    pub unread: u64,
    pub unassigned: u64,
    /// Of whoever asks; a key has none.
    pub mine: u64,
    /// By the id of whoever is to answer, of the label and of the channel; those without a chat are left out.
    pub assignees: BTreeMap<String, u64>,
    pub labels: BTreeMap<String, u64>,
    pub channels: BTreeMap<String, u64>,
}

/// The counts of every status.
///
/// # Errors
/// The store cannot be reached.
pub async fn counts(app: &App, actor: &Actor) -> Result<Vec<(Status, Counts)>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let shares: Vec<HashMap<String, Value>> = app.store.all(&scope.all_chat_counts()).await?;
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (name, count) in shares.iter().flatten() {
        if let Some(count) = count.as_i64() {
            *sums.entry(name).or_default() += count;
        }
    }
    let me = match &actor.who {
        Who::Member { user, .. } => Some(user),
        Who::Key { .. } => None,
    };
    let all = Status::ALL.into_iter();
    Ok(all.map(|status| (status, of(status, me, &sums))).collect())
}

fn of(status: Status, me: Option<&UserId>, sums: &BTreeMap<&str, i64>) -> Counts {
    let count = |of: Tally<'_>| {
        let sum = sums.get(tally(status, of).as_str()).copied();
        sum.and_then(|sum| u64::try_from(sum).ok())
            .unwrap_or_default()
    };
    let mut counts = Counts {
        all: count(Tally::All),
        unread: count(Tally::Unread),
        unassigned: count(Tally::Unassigned),
        mine: me.map_or(0, |me| count(Tally::Assignee(me))),
        ..Counts::default()
    };
    for (name, sum) in sums {
        let id = name
            .strip_prefix(status.as_str())
            .and_then(|rest| rest.strip_prefix('_'));
        let (Some(id), Ok(sum @ 1..)) = (id, u64::try_from(*sum)) else {
            continue;
        };
        let group = match id.split_once('_').map(|(kind, _)| kind) {
            Some("us") => &mut counts.assignees,
            Some("lb") => &mut counts.labels,
            Some("ch") => &mut counts.channels,
            _ => continue,
        };
        group.insert(id.to_owned(), sum);
    }
    counts
}
