//! Search in what was said: messages of chats by their words, the newest first.
//!
//! What is kept for this is made of the messages and never trusted: a message is shown when, as it is now,
//! it has what was asked for. So words that were kept for a message which was changed, or never written,
//! do no harm, and words are kept before or beside a message without a transaction.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::chat::Amendment;
use domain::id::{ChatId, MessageId};
use domain::search::{Piece, Query, Words};
use domain::workspace::Permission;
use serde::{Deserialize, Serialize};

use crate::chat::{self, Author, Chat, Entry, Listed, Message, Shown};
use crate::page::{Page, PageRequest, cursor};
use crate::store::merge::{Merged, Placed};
use crate::store::read::Span;
use crate::store::{Scope, Write};
use crate::{Actor, App, Error};

/// The most messages that are looked at for one page.
const LOOKED_AT_MAX: usize = 2000;

/// How many messages are looked through for one that was edited.
const EDITED_AMONG: usize = 200;

/// A message that was found.
#[derive(Debug)]
pub struct Hit {
    pub chat: Listed,
    pub shown: Shown,
    /// The part of its text in which it was found.
    pub excerpt: Vec<Piece>,
}

/// A message under a beginning of its words: `{message}#{chat}`, with all that is asked for.
#[derive(Serialize, Deserialize)]
struct Posting {
    #[serde(rename = "sk", skip_serializing)]
    place: String,
    chat: ChatId,
    message: MessageId,
    words: Words,
}

impl Placed for Posting {
    fn place(&self) -> &str {
        &self.place
    }
}

/// Messages whose words are asked for, of one chat or of all, the newest first. A page may be short
/// although more follow.
///
/// # Errors
/// The text asks for nothing that is found, the chat does not exist in this workspace, or the page request
/// is not acceptable.
pub async fn messages(
    app: &App,
    actor: &Actor,
    text: &str,
    chat: Option<&ChatId>,
    page: &PageRequest,
) -> Result<Page<Hit>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let query = Query::parse("search", text)?;
    let (limit, after) = (page.limit()?, page.place()?);
    if let Some(chat) = chat {
        chat::find(app, scope, chat).await?;
    }
    let ranges = scope.postings(query.beginning()).collect();
    let merged = Merged::newest_first(&app.store, ranges, after.as_deref(), limit);
    let takes = |posting: &Posting| {
        chat.is_none_or(|chat| *chat == posting.chat) && query.finds(&posting.words)
    };
    let found = merged.page(limit, LOOKED_AT_MAX, takes).await?;
    Ok(Page {
        items: hits(app, scope, &query, &found.items).await?,
        next: found.next.as_deref().map(cursor),
    })
}

/// Keeps what a message is found by.
///
/// # Errors
/// The store cannot be reached; doing it again is harmless.
pub(crate) async fn keep(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    message: &Message,
    amendment: Option<&Amendment>,
) -> Result<(), Error> {
    let Some(text) = searched(message, amendment) else {
        return Ok(());
    };
    let posting = Posting {
        place: String::new(),
        chat: chat.clone(),
        message: message.id().clone(),
        words: Words::of(&text),
    };
    let beginnings = posting.words.beginnings();
    let writes = beginnings
        .into_iter()
        .map(|beginning| Write::put(scope.posting(beginning, message.id(), chat), &posting))
        .collect::<Result<_, _>>()?;
    app.store.put_all(writes).await
}

/// Keeps what a person's message is found by after they edited it. Meta allows that for some minutes, so the
/// message is among the last of its chat; a message that comes after its edit is kept as it is then.
///
/// # Errors
/// The store cannot be reached; doing it again is harmless.
pub(crate) async fn keep_edited(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    wamid: &str,
) -> Result<(), Error> {
    let last = Span::first(EDITED_AMONG).newest_first();
    let page = app
        .store
        .page::<Message>(&scope.messages(chat), last)
        .await?;
    let mut messages = page.items.into_iter();
    let Some(message) = messages.find(|message| message.wamid() == Some(wamid)) else {
        return Ok(());
    };
    let amendments = chat::amend::of(app, scope, &[(chat, wamid)]).await?;
    let amendment = amendments.into_iter().flatten().next();
    keep(app, scope, chat, &message, amendment.as_ref()).await
}

/// The text that a message is found by: what people wrote to each other. Templates and automatic answers
/// say the same to everybody, so they would stand in the way of what is looked for.
fn searched<'a>(message: &'a Message, amendment: Option<&Amendment>) -> Option<Cow<'a, str>> {
    match message {
        // What changes another message is found there.
        Message::Inbound(message) if !message.content.is_said() => None,
        Message::Inbound(message) => match amendment {
            None => Some(message.content.words().into()),
            Some(amendment) if amendment.revoked_at().is_some() => None,
            Some(amendment) => {
                let content = amendment.content(&message.content);
                Some(content.words().to_owned().into())
            }
        },
        Message::Outbound(message) if message.by == Author::Automatic => None,
        Message::Outbound(message) => Some(message.content.words().into()),
        Message::Note(note) => Some(note.text.as_str().into()),
        Message::Activity(_) => None,
    }
}

/// What was found as it is now.
async fn hits(
    app: &App,
    scope: Scope<'_>,
    query: &Query,
    postings: &[Posting],
) -> Result<Vec<Hit>, Error> {
    let keys: Vec<_> = postings
        .iter()
        .map(|posting| scope.message(&posting.chat, &posting.message))
        .collect();
    let mut ids: Vec<&ChatId> = postings.iter().map(|posting| &posting.chat).collect();
    ids.sort_unstable();
    ids.dedup();
    let chats: Vec<_> = ids.iter().map(|chat| scope.chat(chat)).collect();
    // Boxed, because several calls are under way in it at once.
    let (mut messages, chats) = Box::pin(async {
        tokio::try_join!(
            app.store.get_many::<Message>(&keys),
            app.store.get_many::<Chat>(&chats),
        )
    })
    .await?;
    messages.sort_unstable_by_key(|(place, _)| *place);
    let chats = chats.into_iter().map(|(_, chat)| chat).collect();
    let chats: HashMap<ChatId, Listed> = chat::with_contacts(app, scope, chats)
        .await?
        .into_iter()
        .map(|listed| (listed.chat.id.clone(), listed))
        .collect();
    let mut amendments = vec![None; messages.len()];
    let amended: Vec<usize> = (0..messages.len())
        .filter(|place| {
            let (place, message) = &messages[*place];
            let chat = chats.get(&postings[*place].chat);
            chat.is_some_and(|listed| listed.chat.amended) && message.wamid().is_some()
        })
        .collect();
    let named: Vec<(&ChatId, &str)> = amended
        .iter()
        .filter_map(|place| {
            let (place, message) = &messages[*place];
            Some((&postings[*place].chat, message.wamid()?))
        })
        .collect();
    let found = Box::pin(chat::amend::of(app, scope, &named)).await?;
    for (place, amendment) in amended.into_iter().zip(found) {
        amendments[place] = amendment;
    }
    let messages = messages.into_iter().zip(amendments);
    let hits = messages.filter_map(|((place, message), amendment)| {
        let chat = chats.get(&postings[place].chat)?.clone();
        let text = searched(&message, amendment.as_ref())?;
        if !query.finds(&Words::of(&text)) {
            return None;
        }
        let excerpt = query.excerpt(&text);
        let entry = Entry::Message(Box::new(message));
        Some(Hit {
            chat,
            shown: Shown { entry, amendment },
            excerpt,
        })
    });
    Ok(hits.collect())
}
