//! The list of chats, the latest activity first.
//!
//! A list is spread over some partitions, and is read from all of them at once and merged. A filter that
//! has no list of its own is applied to what is read. A page stays right while chats move: a cursor names
//! an instant, and a chat that gets a message moves above it, where the live events of the workspace show
//! it; below the cursor nothing is skipped and nothing comes twice.

use std::collections::{HashMap, VecDeque};

use domain::chat::Status;
use domain::id::{ChannelId, ContactId, LabelId, UserId};
use domain::workspace::Permission;
use futures::future::try_join_all;
use serde::Deserialize;

use super::Chat;
use crate::actor::Who;
use crate::contact::Contact;
use crate::page::{Page, PageRequest, cursor};
use crate::store::key::Range;
use crate::store::read::Span;
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
#[derive(Debug)]
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
    let mut merged = Merged::new(app, ranges, after.as_deref(), limit);
    let mut found = Vec::with_capacity(limit);
    let mut last = None;
    let mut looked_at = 0;
    let next = loop {
        if found.len() == limit || looked_at == LOOKED_AT_MAX {
            break match merged.is_empty().await? {
                true => None,
                false => last,
            };
        }
        let Some(entry) = merged.next().await? else {
            break None;
        };
        looked_at += 1;
        last = Some(entry.place);
        if filter.takes(&entry.chat) {
            found.push(entry.chat);
        }
    };
    Ok(Page {
        items: with_contacts(app, actor, found).await?,
        next: next.as_deref().map(cursor),
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

async fn with_contacts(app: &App, actor: &Actor, chats: Vec<Chat>) -> Result<Vec<Listed>, Error> {
    let scope = app.store.workspace(&actor.workspace);
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
struct Entry {
    place: String,
    chat: Chat,
}

#[derive(Deserialize)]
struct Stored {
    gsi2sk: String,
    #[serde(flatten)]
    chat: Chat,
}

/// Several ranges as one, the greatest sort key first.
struct Merged<'a> {
    app: &'a App,
    streams: Vec<Stream>,
    /// How many entries are read at once of each range: somewhat more than its share of a page.
    step: usize,
}

struct Stream {
    range: Range,
    read: VecDeque<Entry>,
    /// Where the range is read on; `None` at its end.
    after: Option<Option<String>>,
}

impl<'a> Merged<'a> {
    fn new(app: &'a App, ranges: Vec<Range>, after: Option<&str>, page: usize) -> Self {
        let step = (page / ranges.len().max(1) * 2).clamp(5, 100);
        let streams = ranges.into_iter().map(|range| Stream {
            range,
            read: VecDeque::new(),
            after: Some(after.map(str::to_owned)),
        });
        Self {
            app,
            streams: streams.collect(),
            step,
        }
    }

    async fn next(&mut self) -> Result<Option<Entry>, Error> {
        self.fill().await?;
        let newest = self
            .streams
            .iter_mut()
            .filter(|stream| !stream.read.is_empty())
            .max_by(|a, b| a.head().cmp(&b.head()));
        Ok(newest.and_then(|stream| stream.read.pop_front()))
    }

    async fn is_empty(&mut self) -> Result<bool, Error> {
        self.fill().await?;
        Ok(self.streams.iter().all(|stream| stream.read.is_empty()))
    }

    /// Reads on wherever nothing is left of what was read.
    async fn fill(&mut self) -> Result<(), Error> {
        let (app, step) = (self.app, self.step);
        let empty = self
            .streams
            .iter_mut()
            .filter(|stream| stream.read.is_empty());
        try_join_all(empty.map(|stream| stream.fill(app, step))).await?;
        Ok(())
    }
}

impl Stream {
    fn head(&self) -> Option<&str> {
        self.read.front().map(|entry| entry.place.as_str())
    }

    async fn fill(&mut self, app: &App, step: usize) -> Result<(), Error> {
        let Some(after) = self.after.take() else {
            return Ok(());
        };
        let span = Span::first(step).after(after.as_deref()).newest_first();
        let page = app.store.page::<Stored>(&self.range, span).await?;
        self.after = page.next.map(Some);
        self.read.extend(page.items.into_iter().map(|stored| Entry {
            place: stored.gsi2sk,
            chat: stored.chat,
        }));
        Ok(())
    }
}
