//! The thread of a chat: its messages, and among them what campaigns sent to the person.

use std::collections::HashMap;

use domain::campaign::RecipientRef;
use domain::chat::Amendment;
use domain::id::{CampaignId, ChatId};
use domain::message::Outcome as Rank;
use domain::template::Rendered;
use domain::workspace::Permission;
use jiff::Timestamp;

use super::{Chat, Message, amend, find};
use crate::campaign;
use crate::page::{Page, PageRequest, cursor};
use crate::store::Scope;
use crate::store::read::Span;
use crate::{Actor, App, Error};

/// One entry of a thread, and what became of it since.
#[derive(Debug)]
pub struct Shown {
    pub entry: Entry,
    pub amendment: Option<Amendment>,
}

/// What was said, written or done.
#[derive(Debug)]
pub enum Entry {
    Message(Box<Message>),
    Campaign(Box<CampaignMessage>),
}

/// What a campaign sent to the person.
#[derive(Debug, Clone)]
pub struct CampaignMessage {
    pub recipient: RecipientRef,
    pub campaign: CampaignId,
    /// The campaign's name.
    pub name: String,
    /// As the person sees it; `None` when what the campaign had planned is gone.
    pub message: Option<Rendered>,
    pub status: Rank,
    pub wamid: Option<String>,
    pub code: Option<i64>,
    /// Why it failed or is unknown, in words.
    pub reason: Option<&'static str>,
    /// When it was sent.
    pub at: Timestamp,
}

/// The thread, the newest first.
///
/// # Errors
/// The chat does not exist in this workspace.
pub async fn messages(
    app: &App,
    actor: &Actor,
    id: &ChatId,
    page: &PageRequest,
) -> Result<Page<Shown>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let limit = page.limit()?;
    let place = page.place()?.map(|place| Place::read(&place)).transpose()?;
    let place = place.unwrap_or_default();
    let chat = find(app, scope, id).await?;
    let (own, sent) = (scope.messages(id), scope.thread(id));
    let own_span = Span::first(limit)
        .after(place.message.as_deref())
        .newest_first();
    let sent_span = Span::first(limit)
        .after(place.sent.as_deref())
        .newest_first();
    // Boxed like what follows, because several calls are under way in it at once.
    let (own, sent) = Box::pin(async {
        tokio::try_join!(
            app.store.page::<Message>(&own, own_span),
            app.store.page::<campaign::Sent>(&sent, sent_span),
        )
    })
    .await?;
    let more =
        own.next.is_some() || sent.next.is_some() || own.items.len() + sent.items.len() > limit;
    let mut next = place;
    let mut entries = Vec::with_capacity(limit);
    let (mut own, mut sent) = (
        own.items.into_iter().peekable(),
        sent.items.into_iter().peekable(),
    );
    while entries.len() < limit {
        let newer = match (own.peek(), sent.peek()) {
            (Some(message), Some(sent)) => message.id().millisecond() >= sent.millisecond(),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => break,
        };
        if newer && let Some(message) = own.next() {
            next.message = Some(scope.message(id, message.id()).sort().to_owned());
            entries.push(Line::Own(Box::new(message)));
        } else if let Some(entry) = sent.next() {
            next.sent = Some(entry.place().to_owned());
            entries.push(Line::Sent(entry));
        }
    }
    let campaigns: Vec<&campaign::Sent> = entries.iter().filter_map(Line::sent).collect();
    let mut rendered: HashMap<String, CampaignMessage> =
        Box::pin(campaign::in_thread(app, scope, &campaigns))
            .await?
            .into_iter()
            .map(|message| (message.recipient.to_string(), message))
            .collect();
    let items = entries.into_iter().filter_map(|line| match line {
        Line::Own(message) => Some(Entry::Message(message)),
        Line::Sent(sent) => {
            let message = rendered.remove(&sent.recipient()?.to_string())?;
            Some(Entry::Campaign(Box::new(message)))
        }
    });
    let items: Vec<Entry> = items.collect();
    Ok(Page {
        items: Box::pin(amended(app, scope, &chat, items)).await?,
        next: more.then(|| cursor(&next.written())),
    })
}

/// Adds what became of each since.
async fn amended(
    app: &App,
    scope: Scope<'_>,
    chat: &Chat,
    entries: Vec<Entry>,
) -> Result<Vec<Shown>, Error> {
    let mut amendments = vec![None; entries.len()];
    if chat.amended {
        let known: Vec<usize> = (0..entries.len())
            .filter(|place| entries[*place].wamid().is_some())
            .collect();
        let named: Vec<(&ChatId, &str)> = entries
            .iter()
            .filter_map(|entry| Some((&chat.id, entry.wamid()?)))
            .collect();
        let found = amend::of(app, scope, &named).await?;
        for (place, amendment) in known.into_iter().zip(found) {
            amendments[place] = amendment;
        }
    }
    let shown = entries.into_iter().zip(amendments);
    let shown = shown.map(|(entry, amendment)| Shown { entry, amendment });
    Ok(shown.collect())
}

impl Entry {
    fn wamid(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.wamid(),
            Self::Campaign(message) => message.wamid.as_deref(),
        }
    }
}

enum Line {
    Own(Box<Message>),
    Sent(campaign::Sent),
}

impl Line {
    fn sent(&self) -> Option<&campaign::Sent> {
        match self {
            Self::Sent(sent) => Some(sent),
            Self::Own(_) => None,
        }
    }
}

/// Where a page ended in both of the lists that it was merged from.
#[derive(Default)]
struct Place {
    message: Option<String>,
    sent: Option<String>,
}

impl Place {
    fn read(text: &str) -> Result<Self, Error> {
        let (message, sent) = text.split_once('|').ok_or_else(|| {
            Error::invalid("cursor", "use the value of \"next\" from the page before")
        })?;
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Self {
            message: some(message),
            sent: some(sent),
        })
    }

    fn written(&self) -> String {
        let text = |place: &Option<String>| place.clone().unwrap_or_default();
        format!("{}|{}", text(&self.message), text(&self.sent))
    }
}
