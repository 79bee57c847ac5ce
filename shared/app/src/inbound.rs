//! Messages that people wrote to a number: each finds its contact, follows a wish to be left alone,
//! takes its place in the chat, and answers a campaign.
//!
//! Meta tells of a message at least once and in no order. Every step says the same however often and
//! whenever it is taken: the contact's and the message's ids are derived, a wish has its time, the
//! customer service window only moves up, and a campaign message is answered once.

use std::collections::HashMap;

use domain::chat::Status;
use domain::contact::{ConsentChange, ConsentSource};
use domain::event::{InboundContent, InboundMessage};
use domain::id::{ChannelId, ChatId, ContactId, MessageId};
use domain::realtime::{Direction, Event};
use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;

use crate::automatic::Asked;
use crate::channel::Route;
use crate::chat::change::{ATTEMPTS, busy, line, written};
use crate::chat::{Author, Chat, Inbound, Message, What};
use crate::store::{Committed, Scope, Write};
use crate::{
    App, Error, assignment, automatic, campaign, channel, chat, contact, media, pacer, realtime,
    search,
};

/// How many people's messages are taken in at a time.
const CONCURRENCY: usize = 8;

/// Takes in the messages of one number. One that cannot be taken in holds up no other.
///
/// # Errors
/// The first failure, after every message was tried; taking all of them in again is harmless.
pub(crate) async fn take_in(
    app: &App,
    route: &Route,
    messages: Vec<InboundMessage>,
) -> Result<(), Error> {
    let arrivals: Vec<Timestamp> = messages.iter().map(|message| message.at).collect();
    // What comes in is counted beside, because a number that sends is often contended for.
    let (counted, (kept, results)) = tokio::join!(
        Box::pin(count(app, route, &arrivals)),
        Box::pin(keep_all(app, route, messages)),
    );
    // Told before replies are counted, because somebody waits for it at a screen. Also what was kept before:
    // whoever did so may have died before telling.
    let scope = app.store.workspace(&route.workspace);
    let events = kept.iter().flatten().map(Kept::event).collect();
    let published = realtime::publish(app, scope, events).await;
    let followed = stream::iter(kept)
        .map(async |kept| follow(app, scope, &route.channel, &kept).await)
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    results
        .into_iter()
        .chain(followed)
        .fold(counted.and(published), Result::and)
}

/// Does what follows from one person's messages: each step for all of them, and whatever fails, the rest.
async fn follow(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    kept: &[Kept],
) -> Result<(), Error> {
    let mut result = Ok(());
    for kept in kept {
        let (chat, message) = (&kept.chat, &kept.message);
        let content = &kept.said.content;
        let fetched = media::fetch::enqueue(app, scope, channel, chat, message, content);
        result = result.and(fetched.await);
        result = result.and(Box::pin(amend(app, scope, kept)).await);
        if content.is_said() && !kept.blocked {
            let assigned = assignment::assign(app, scope, chat, message);
            result = result.and(Box::pin(assigned).await);
        }
    }
    for kept in kept.iter().filter(|kept| kept.said.content.is_said()) {
        let marked = campaign::reply::mark(app, scope, &kept.chat, &kept.said).await;
        result = result.and(marked);
    }
    for kept in kept {
        let asked = Asked {
            channel,
            contact: &kept.contact,
            chat: &kept.chat,
            message: &kept.message,
            said: &kept.said,
        };
        let answered = Box::pin(automatic::answer(app, scope, &asked)).await;
        result = result.and(answered);
    }
    result
}

/// Lets a message that is about an earlier one change it, and keeps what is found by words.
async fn amend(app: &App, scope: Scope<'_>, kept: &Kept) -> Result<(), Error> {
    let Kept {
        chat,
        amended,
        said,
        ..
    } = kept;
    chat::amend::hear(app, scope, chat, said).await?;
    if let InboundContent::Edit { of_wamid, .. } = &said.content {
        return search::keep_edited(app, scope, chat, of_wamid).await;
    }
    // It may have been edited before it came.
    let amendment = match amended {
        true => chat::amend::of(app, scope, &[(chat, &said.wamid)]).await?,
        false => Vec::new(),
    };
    let amendment = amendment.first().and_then(Option::as_ref);
    let message = Message::Inbound(Inbound::new(said));
    search::keep(app, scope, chat, &message, amendment).await
}

/// A message in its chat.
struct Kept {
    contact: ContactId,
    chat: ChatId,
    message: MessageId,
    /// Some message of the chat was amended.
    amended: bool,
    /// The workspace blocked the person: the message is kept, and nobody's attention is asked for.
    blocked: bool,
    said: InboundMessage,
}

impl Kept {
    fn event(&self) -> Event {
        if self.blocked {
            return Event::ChatUpdated {
                chat: self.chat.clone(),
            };
        }
        Event::MessageCreated {
            chat: self.chat.clone(),
            message: self.message.clone(),
            direction: Direction::Inbound,
            at: self.said.at,
        }
    }
}

/// Keeps messages: different people's at once, and of each person one after the other.
async fn keep_all(
    app: &App,
    route: &Route,
    messages: Vec<InboundMessage>,
) -> (Vec<Vec<Kept>>, Vec<Result<(), Error>>) {
    let mut people: HashMap<_, Vec<InboundMessage>> = HashMap::new();
    for message in messages {
        let person = message
            .from
            .clone()
            .or_else(|| message.from_user_id.clone());
        people.entry(person).or_default().push(message);
    }
    let all = stream::iter(people.into_values())
        .map(async |mut messages| {
            messages.sort_by_key(|message| message.at);
            let mut result = Ok(());
            let mut kept = Vec::new();
            for message in messages {
                match one(app, route, message).await {
                    Ok(one) => kept.extend(one),
                    Err(error) => result = result.and(Err(error)),
                }
            }
            (kept, result)
        })
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    all.into_iter().unzip()
}

/// Meta counts what comes in against the number's speed.
async fn count(app: &App, route: &Route, arrivals: &[Timestamp]) -> Result<(), Error> {
    let scope = app.store.workspace(&route.workspace);
    let channel = channel::find(app, scope, &route.channel).await?;
    pacer::debit(app, scope, &channel, arrivals).await
}

/// Takes one message into its chat. `None`: nobody wrote it.
async fn one(app: &App, route: &Route, said: InboundMessage) -> Result<Option<Kept>, Error> {
    let scope = app.store.workspace(&route.workspace);
    let Some(person) = contact::of_sender(app, scope, &said).await? else {
        tracing::warn!(channel = %route.channel, "a message of nobody is dropped");
        return Ok(None);
    };
    let id = person.id.clone();
    let blocked = person.blocked_at.is_some();
    let chat = ChatId::of(&route.channel, &id);
    // Before anything else: whoever wants to be left alone is sent nothing more from here on.
    let inbox = automatic::of(app, scope).await?;
    if let Some(wished) = inbox.settings.opt_out.wished(&said.content) {
        let made = ConsentChange {
            at: said.at,
            source: ConsentSource::Person,
        };
        contact::wish(app, scope, person, wished, made, Some(&chat)).await?;
    }
    let (message, amended) = keep(app, scope, &route.channel, &id, blocked, &said).await?;
    Ok(Some(Kept {
        contact: id,
        chat,
        message,
        amended,
        blocked,
        said,
    }))
}

/// Writes the message into its chat, which it opens or brings back. Also says whether messages of the chat were
/// amended: whoever amends one before it is here is seen, because both write the chat.
async fn keep(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    contact: &ContactId,
    blocked: bool,
    message: &InboundMessage,
) -> Result<(MessageId, bool), Error> {
    let inbound = Inbound::new(message);
    let id = inbound.id.clone();
    let chat = ChatId::of(channel, contact);
    let created = Write::create(
        scope.message(&chat, &id),
        &Message::Inbound(inbound.clone()),
    )?;
    for _ in 0..ATTEMPTS {
        let before: Option<Chat> = app.store.get(&scope.chat(&chat)).await?;
        let mut after = match &before {
            Some(before) => before.clone(),
            None => Chat::new(scope, channel, contact, app.now()),
        };
        if blocked {
            // A chat that a blocked person opens waits for nobody.
            if before.is_none() {
                after.status = Status::Resolved;
            }
            after.overhear(&inbound, app.now());
        } else {
            after.hear(&inbound, app.now());
        }
        let mut writes = vec![created.clone()];
        if before.as_ref() != Some(&after) {
            writes.extend(written(scope, before.as_ref(), &mut after)?);
        }
        if before.is_some_and(|before| before.status != after.status) {
            let status = after.status;
            let until = None;
            let what = What::Status { status, until };
            writes.push(line(app, scope, &chat, &Author::Automatic, what)?);
        }
        match app.store.transact(writes).await? {
            Committed::Yes => return Ok((id, after.amended)),
            // It was told before, and the chat was written with it then.
            Committed::No(failed) if failed.contains(&0) => return Ok((id, after.amended)),
            Committed::No(_) => {}
        }
    }
    Err(busy())
}
