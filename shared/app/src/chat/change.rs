//! Every write of a chat: the item with its places in the lists, and the live counts that it is part of.

use std::collections::BTreeSet;

use domain::chat::Status;
use domain::id::{ChatId, MessageId, UserId};
use domain::realtime::Event;

use super::{Activity, Author, Chat, Message, What};
use crate::store::{Scope, Write};
use crate::{App, Error, realtime};

/// How often a chat is looked at again when it changes at the same moment.
pub(crate) const ATTEMPTS: usize = 12;

/// Changes a chat, and says in its thread what happened. `edit` is called again when somebody else
/// changed the chat meanwhile; what it returns are the lines of the thread. A chat that comes out as it
/// was is not written, whatever it returns.
///
/// # Errors
/// The chat does not exist in this workspace, what `edit` says, or the store cannot be reached.
pub(crate) async fn change(
    app: &App,
    scope: Scope<'_>,
    id: &ChatId,
    by: &Author,
    mut edit: impl FnMut(&mut Chat) -> Result<Vec<What>, Error>,
) -> Result<Chat, Error> {
    for _ in 0..ATTEMPTS {
        let before = super::find(app, scope, id).await?;
        let mut after = before.clone();
        let happened = edit(&mut after)?;
        if after == before {
            return Ok(after);
        }
        let mut writes = written(scope, Some(&before), &mut after)?;
        for what in happened {
            writes.push(line(app, scope, id, by, what)?);
        }
        if app.store.transact(writes).await?.yes() {
            let event = Event::ChatUpdated { chat: id.clone() };
            realtime::announce(app, scope, event).await;
            return Ok(after);
        }
    }
    Err(busy())
}

/// A line of the thread.
pub(crate) fn line(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    by: &Author,
    what: What,
) -> Result<Write, Error> {
    let activity = Activity {
        id: MessageId::written(app.now()),
        at: app.now(),
        by: by.clone(),
        what,
    };
    let key = scope.message(chat, &activity.id);
    Write::create(key, &Message::Activity(activity))
}

/// The writes that put `after` in the place of `before`, or open the chat. They hold only if nobody else
/// has changed it; the first of them is the chat.
pub(crate) fn written(
    scope: Scope<'_>,
    before: Option<&Chat>,
    after: &mut Chat,
) -> Result<Vec<Write>, Error> {
    let chat = match before {
        None => Write::create(scope.chat(&after.id), after)?,
        Some(before) => {
            after.version = before.version + 1;
            Write::put(scope.chat(&after.id), after)?.if_equals("version", &before.version)?
        }
    };
    let (inbox_pk, inbox_sk) = scope.inbox_entry(after.status, &after.id, after.active_at);
    let assignee = after.assignee.as_ref();
    let (assigned_pk, assigned_sk) =
        scope.assigned_entry(assignee, after.status, &after.id, after.active_at);
    let mut chat = chat
        .with("gsi2pk", inbox_pk)
        .with("gsi2sk", inbox_sk)
        .with("gsi3pk", assigned_pk)
        .with("gsi3sk", assigned_sk);
    if let Some(until) = after.snoozed_until {
        let (due_pk, due_at) = scope.due_chat(&after.id, until);
        chat = chat.with("gsi1pk", due_pk).with("gsi1sk", due_at);
    }
    let mut writes = vec![chat];
    writes.extend(counted(scope, before, after));
    Ok(writes)
}

pub(crate) fn busy() -> Error {
    Error::unavailable("a chat keeps changing", "gave up after several attempts")
}

/// Moves the live counts by what is different.
fn counted(scope: Scope<'_>, before: Option<&Chat>, after: &Chat) -> Option<Write> {
    let old = before.map(tallies).unwrap_or_default();
    let new = tallies(after);
    if old == new {
        return None;
    }
    let mut counted = Write::update(scope.chat_counts(&after.id));
    for tally in new.difference(&old) {
        counted = counted.add(tally, 1);
    }
    for tally in old.difference(&new) {
        counted = counted.add(tally, -1);
    }
    Some(counted)
}

/// What a chat is counted under: its status alone, and with each thing that lists are filtered by.
fn tallies(chat: &Chat) -> BTreeSet<String> {
    let status = chat.status;
    let mut tallies = BTreeSet::from([
        tally(status, Tally::All),
        tally(status, Tally::Channel(chat.channel.as_str())),
        match &chat.assignee {
            Some(user) => tally(status, Tally::Assignee(user)),
            None => tally(status, Tally::Unassigned),
        },
    ]);
    if chat.unread > 0 {
        tallies.insert(tally(status, Tally::Unread));
    }
    let labels = chat.labels.iter();
    tallies.extend(labels.map(|label| tally(status, Tally::Label(label.as_str()))));
    tallies
}

/// Something that chats of a status are counted by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tally<'a> {
    All,
    Unread,
    Unassigned,
    Assignee(&'a UserId),
    Channel(&'a str),
    Label(&'a str),
}

/// The attribute of a count.
pub(super) fn tally(status: Status, of: Tally<'_>) -> String {
    let status = status.as_str();
    match of {
        Tally::All => status.to_owned(),
        Tally::Unread => format!("{status}_unread"),
        Tally::Unassigned => format!("{status}_unassigned"),
        Tally::Assignee(user) => format!("{status}_{user}"),
        Tally::Channel(id) | Tally::Label(id) => format!("{status}_{id}"),
    }
}
