//! Chats: what one contact and one channel say to each other. [`send`] sends what agents write,
//! [`status`] takes Meta's statuses, [`tick`] takes up again what got stuck; what people write is taken in
//! by [`crate::inbound`].

mod item;
pub mod send;
pub(crate) mod status;
pub mod tick;

use std::time::Duration;

use domain::chat;
use domain::contact::Consent;
use domain::id::{ChannelId, ChatId, ContactId, MessageId};
use domain::realtime::{Direction, Event};
use domain::workspace::Permission;

use crate::idempotency::Once;
use crate::page::{self, Order, Page, PageRequest};
use crate::store::commit::Updated;
use crate::store::{Committed, Scope, Write};
use crate::task::ChatSend;
use crate::{Actor, App, Error, channel, contact, realtime};

pub(crate) use item::Pending;
pub use item::{Chat, Inbound, Message, Outbound};

/// What a caller gives to open a chat.
#[derive(Debug, Clone)]
pub struct NewChat {
    pub contact: ContactId,
    pub channel: ChannelId,
}

/// A chat, and whether it was opened just now.
#[derive(Debug)]
pub struct Opened {
    pub chat: Chat,
    pub new: bool,
}

/// Opens the chat of a contact and a channel. There is one, so opening it again is harmless.
///
/// # Errors
/// The contact or the channel does not exist in this workspace.
pub async fn open(app: &App, actor: &Actor, new: NewChat) -> Result<Opened, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let NewChat { contact, channel } = new;
    let missing = |field: &'static str, what: &str| {
        let message = format!("there is no such {what} in this workspace");
        move |error| match error {
            Error::NotFound { .. } => Error::invalid(field, message),
            other => other,
        }
    };
    channel::find(app, scope, &channel)
        .await
        .map_err(missing("channel", "channel"))?;
    contact::find(app, scope, &contact)
        .await
        .map_err(missing("contact", "contact"))?;
    let chat = Chat::new(&channel, &contact, app.now());
    let create = Write::create(scope.chat(&chat.id), &chat)?;
    if app.store.write(create).await?.yes() {
        let event = Event::ChatUpdated {
            chat: chat.id.clone(),
        };
        realtime::announce(app, scope, event).await;
        return Ok(Opened { chat, new: true });
    }
    let chat = find(app, scope, &chat.id).await?;
    Ok(Opened { chat, new: false })
}

/// # Errors
/// The chat does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &ChatId) -> Result<Chat, Error> {
    actor.require(Permission::ReadChats)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

/// The messages of a chat, the newest first. What campaigns sent is not among them.
///
/// # Errors
/// The chat does not exist in this workspace.
pub async fn messages(
    app: &App,
    actor: &Actor,
    id: &ChatId,
    page: &PageRequest,
) -> Result<Page<Message>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    find(app, scope, id).await?;
    page::of_range(app, &scope.messages(id), page, Order::NewestFirst).await
}

/// Takes a text to be sent. When this returns, it is durable and will be sent after everything that was
/// taken before it.
///
/// # Errors
/// The text is not acceptable, or the person may not be written to now.
pub async fn say(
    app: &App,
    actor: &Actor,
    id: &ChatId,
    text: &str,
    once: &Once,
) -> Result<Outbound, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let text = chat::text(text)?;
    // The place in line is taken first; one that stays empty does no harm.
    let line_up = Write::update(scope.chat(id)).add("places", 1).if_present();
    let Updated::Yes(chat) = app.store.update_returning::<Chat>(line_up).await? else {
        return Err(Error::not_found("the chat"));
    };
    channel::connected(&channel::find(app, scope, &chat.channel).await?)?;
    let contact: Option<contact::Contact> = app.store.get(&scope.contact(&chat.contact)).await?;
    let contact = contact.ok_or_else(|| Error::refused("no_contact", "the contact was deleted"))?;
    if contact.consent == Consent::OptedOut {
        return Err(Error::refused(
            "opted_out",
            "this person asked not to be written to; they can take it back by writing START",
        ));
    }
    if contact.phone.is_none() {
        return Err(Error::refused(
            "no_phone",
            "this contact has no phone number to write to",
        ));
    }
    if chat::window(chat.last_inbound_at, app.now()).is_none() {
        return Err(Error::refused(
            "window_closed",
            "it is more than 24 hours since this person last wrote, so WhatsApp delivers only templates; send one instead",
        ));
    }
    let message = Outbound {
        id: MessageId::at(once.at, &[&once.seed, id.as_str()]),
        ..Outbound::new(app.now(), text)
    };
    let task = ChatSend {
        workspace: actor.workspace.clone(),
        channel: chat.channel.clone(),
        contact: chat.contact.clone(),
        message: message.id.clone(),
        place: chat.places,
    };
    if !take(app, scope, id, &task, &message).await?.yes() {
        return said_before(app, scope, id, &message.id).await;
    }
    let event = Event::MessageCreated {
        chat: id.clone(),
        message: message.id.clone(),
        direction: Direction::Outbound,
        at: message.at,
    };
    // The message is taken: what queues after it, or the tick, sends it as well.
    if let Err(error) = app.enqueue(&task, Duration::ZERO).await {
        tracing::warn!(error = error.chain(), chat = %id, "a message was not queued");
    }
    realtime::announce(app, scope, event).await;
    Ok(message)
}

/// Writes the message and the intent to send it.
async fn take(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    task: &ChatSend,
    message: &Outbound,
) -> Result<Committed, Error> {
    let pending = Pending {
        workspace: task.workspace.clone(),
        channel: task.channel.clone(),
        contact: task.contact.clone(),
        message: message.id.clone(),
        place: task.place,
        token: String::new(),
        lease: 0,
        tries: 0,
    };
    let (due_pk, due_at) = scope.due_pending(chat, task.place, tick::next(app));
    let writes = vec![
        Write::create(
            scope.message(chat, &message.id),
            &Message::Outbound(message.clone()),
        )?,
        Write::create(scope.pending(chat, task.place), &pending)?
            .with("gsi1pk", due_pk)
            .with("gsi1sk", due_at),
    ];
    app.store.transact(writes).await
}

/// The message that an earlier attempt at the same request has taken.
async fn said_before(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    id: &MessageId,
) -> Result<Outbound, Error> {
    match app.store.get(&scope.message(chat, id)).await? {
        Some(Message::Outbound(message)) => Ok(message),
        Some(Message::Inbound(_)) | None => Err(Error::broken("a place in line was given twice")),
    }
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &ChatId) -> Result<Chat, Error> {
    app.store
        .get(&scope.chat(id))
        .await?
        .ok_or_else(|| Error::not_found("the chat"))
}
