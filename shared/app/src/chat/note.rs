//! Private notes: what members tell each other in a chat. They are part of its thread and never leave the
//! workspace.

use std::collections::BTreeSet;

use domain::chat::TEXT_MAX;
use domain::id::{ChatId, MessageId, UserId};
use domain::realtime::{Direction, Event};
use domain::workspace::Permission;

use super::{Author, Message, Note, find};
use crate::idempotency::Once;
use crate::store::Write;
use crate::{Actor, App, Error, member, realtime, search};

/// The most members whom one note is for.
const MENTIONS_MAX: usize = 20;

/// Writes a note into a chat. It neither moves the chat in the list nor marks it as read.
///
/// # Errors
/// The chat does not exist, the text is empty or too long, or somebody mentioned is no member.
pub async fn note(
    app: &App,
    actor: &Actor,
    id: &ChatId,
    text: &str,
    mentions: Vec<UserId>,
    once: &Once,
) -> Result<Note, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    find(app, scope, id).await?;
    if text.trim().is_empty() || text.chars().count() > TEXT_MAX {
        let message = format!("a note has 1 to {TEXT_MAX} characters");
        return Err(Error::invalid("text", message));
    }
    if mentions.len() > MENTIONS_MAX {
        let message = format!("a note is for at most {MENTIONS_MAX} members");
        return Err(Error::invalid("mentions", message));
    }
    for (place, user) in mentions.iter().enumerate() {
        if !member::belongs(app, scope, user).await? {
            let field = format!("mentions[{place}]");
            return Err(Error::invalid(
                field,
                "this person is no member of the workspace",
            ));
        }
    }
    // Each once, in the order in which they are named.
    let mut named = BTreeSet::new();
    let mentions = mentions.into_iter();
    let mentions = mentions.filter(|user| named.insert(user.clone())).collect();
    let note = Note {
        id: MessageId::at(once.at, &[&once.seed, id.as_str()]),
        at: app.now(),
        by: Author::of(actor),
        text: text.to_owned(),
        mentions,
    };
    let key = scope.message(id, &note.id);
    let message = Message::Note(note.clone());
    // Before the note: whoever dies in between leaves words of no note, which are never shown.
    search::keep(app, scope, id, &message, None).await?;
    let create = Write::create(key.clone(), &message)?;
    let note = if app.store.write(create).await?.yes() {
        note
    } else {
        // An earlier attempt at the same request has written it, and may have died before it told anybody.
        match app.store.get(&key).await? {
            Some(Message::Note(note)) => note,
            _ => return Err(Error::broken("the id of a note was used twice")),
        }
    };
    realtime::announce_all(app, scope, events(id, &note)).await;
    Ok(note)
}

/// Everybody is told of the note, and whom it is for of the mention.
fn events(chat: &ChatId, note: &Note) -> Vec<Event> {
    let mut events = vec![Event::MessageCreated {
        chat: chat.clone(),
        message: note.id.clone(),
        direction: Direction::Internal,
        at: note.at,
    }];
    let others = note.mentions.iter();
    let others = others.filter(|user| note.by != Author::User((*user).clone()));
    events.extend(others.map(|user| Event::MentionCreated {
        chat: chat.clone(),
        message: note.id.clone(),
        user: user.clone(),
    }));
    events
}
