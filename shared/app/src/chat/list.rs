//! The list of chats, the latest activity first.
//!
//! A list is spread over some partitions, and is read from all of them at once and merged. A filter that
//! has no list of its own is applied to what is read. A page stays right while chats move: a cursor names
//! an instant, and a chat that gets a message moves above it, where the live events of the workspace show
//! it; below the cursor nothing is skipped and nothing comes twice.

use std::collections::HashMap;

use domain::chat::Status;
use domain::id::{ChannelId, ContactId, LabelId, UserId};
use domain::workspace::Permission;
use serde::Deserialize;

use super::Chat;
use crate::actor::Who;
use crate::contact::Contact;
use crate::page::{Page, PageRequest, cursor};
use crate::store::Scope;
use crate::store::key::Range;
use crate::store::merge::{Merged, Placed};
use crate::{Actor, App, Error};

/// How many chats are looked at for one page. A filter that few chats meet answers with a short page and
/// the cursor of the next.
const LOOKED_AT_MAX: usize = 1000;

/// Which chats are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// None: of every status.
    pub status: Option<Status>,
    pub assignee: Option<Assignee>,
    pub unread: bool,
    pub label: Option<LabelId>,
    pub channel: Option<ChannelId>,
    pub contact: Option<ContactId>,
}

/// Whose chats are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    Nobody,
    User(UserId),
}

impl Assignee {
    /// # Errors
    /// The text names nobody: it is a member's id, `me` or `nobody`.
    pub fn parse(actor: &Actor, text: &str) -> Result<Self, Error> {
        let refused = |message: &str| Err(Error::invalid("assignee", message));
        match (text, &actor.who) {
            ("nobody", _) => Ok(Self::Nobody),
            ("me", Who::Member { user, .. }) => Ok(Self::User(user.clone())),
            ("me", Who::Key { .. }) => refused("an API key is nobody; give the id of a member"),
            (id, _) => match id.parse() {
                Ok(user) => Ok(Self::User(user)),
                Err(_) => refused("give the id of a member, \"me\" or \"nobody\""),
            },
        }
    }
}

/// A chat as it is listed: with the person it is with, unless the contact was deleted.
#[derive(Debug, Clone)]
pub struct Listed {
    pub chat: Chat,
    pub contact: Option<Contact>,
}

/// # Errors
/// The limit or the cursor is not acceptable.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Listed>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let limit = page.limit()?;
    let after = page.place()?;
    let ranges: Vec<Range> = statuses(filter)
        .flat_map(|status| -> Vec<Range> {
            match &filter.assignee {
                None => scope.inbox(status).collect(),
                Some(Assignee::Nobody) => scope.assigned(None, status).collect(),
                Some(Assignee::User(user)) => scope.assigned(Some(user.clone()), status).collect(),
            }
        })
        .collect();
    let merged = Merged::newest_first(&app.store, ranges, after.as_deref(), limit);
    let takes = |entry: &Entry| filter.takes(&entry.chat);
    let found = merged.page(limit, LOOKED_AT_MAX, takes).await?;
    let chats = found.items.into_iter().map(|entry| entry.chat).collect();
    Ok(Page {
        items: with_contacts(app, scope, chats).await?,
        next: found.next.as_deref().map(cursor),
    })
}

/// Adds to a chat whom it is with.
///
/// # Errors
/// The store cannot be reached.
pub async fn with_contact(app: &App, actor: &Actor, chat: Chat) -> Result<Listed, Error> {
    let scope = app.store.workspace(&actor.workspace);
    let contact = app.store.get(&scope.contact(&chat.contact)).await?;
    Ok(Listed { chat, contact })
}

/// The same of several, in their order.
pub(crate) async fn with_contacts(
    app: &App,
    scope: Scope<'_>,
    chats: Vec<Chat>,
) -> Result<Vec<Listed>, Error> {
    // Whoever writes to several numbers of a workspace has several chats.
    let mut places: HashMap<ContactId, usize> = HashMap::new();
    let mut keys = Vec::new();
    for chat in &chats {
        places.entry(chat.contact.clone()).or_insert_with(|| {
            keys.push(scope.contact(&chat.contact));
            keys.len() - 1
        });
    }
    let contacts: HashMap<usize, Contact> = app.store.get_many(&keys).await?.into_iter().collect();
    let listed = chats.into_iter().map(|chat| {
        let contact = places
            .get(&chat.contact)
            .and_then(|place| contacts.get(place));
        let contact = contact.cloned();
        Listed { chat, contact }
    });
    Ok(listed.collect())
}

fn statuses(filter: &Filter) -> impl Iterator<Item = Status> + use<> {
    let wanted = filter.status;
    Status::ALL
        .into_iter()
        .filter(move |status| wanted.is_none_or(|wanted| wanted == *status))
}

impl Filter {
    fn takes(&self, chat: &Chat) -> bool {
        (!self.unread || chat.unread > 0)
            && self
                .label
                .as_ref()
                .is_none_or(|label| chat.labels.contains(label))
            && self
                .channel
                .as_ref()
                .is_none_or(|channel| *channel == chat.channel)
            && self
                .contact
                .as_ref()
                .is_none_or(|contact| *contact == chat.contact)
    }
}

/// A chat, and its place in the list: `{milliseconds}#{chat}`.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "gsi2sk")]
    place: String,
    #[serde(flatten)]
    chat: Chat,
}

impl Placed for Entry {
    fn place(&self) -> &str {
        &self.place
    }
}
