//! Taking what is to be said in a chat: the rules that Meta would refuse it by, and the writes after which
//! it is durable and will be sent in its turn.

use std::time::Duration;

use domain::campaign::Excluded;
use domain::chat::{self, Content};
use domain::contact::InvalidField;
use domain::id::{ChatId, MessageId};
use domain::realtime::{Direction, Event};
use domain::template::Unfillable;
use domain::workspace::Permission;
use jiff::Timestamp;

use super::change::{ATTEMPTS, busy, written};
use super::{Author, Chat, Frozen, Message, Outbound, Pending, find, tick};
use crate::contact::Contact;
use crate::error::FieldError;
use crate::idempotency::Once;
use crate::store::{Committed, Scope, Write};
use crate::task::ChatSend;
use crate::{Actor, App, Error, campaign, channel, media, realtime};

/// What a caller gives to say something.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub content: Content,
    /// The message of this chat that is to be quoted.
    pub reply_to: Option<MessageId>,
}

/// Takes a message to be sent. When this returns, it is durable and will be sent after everything that was
/// taken before it.
///
/// # Errors
/// The content is not acceptable, or the person may not be written to now.
pub async fn say(
    app: &App,
    actor: &Actor,
    id: &ChatId,
    new: NewMessage,
    once: &Once,
) -> Result<Outbound, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let chat = find(app, scope, id).await?;
    let draft = Draft {
        id: MessageId::at(once.at, &[&once.seed, id.as_str()]),
        by: Author::of(actor),
        new,
        instead_of: None,
        farewell: false,
    };
    Taking { app, scope }.take(chat, draft).await
}

/// Says something that nobody of the team wrote. However often it is said for one reason, it is one message.
///
/// # Errors
/// As [`say`].
pub(crate) async fn say_as(
    app: &App,
    scope: Scope<'_>,
    id: &ChatId,
    by: Author,
    new: NewMessage,
    once: &Once,
) -> Result<Outbound, Error> {
    by_itself(app, scope, id, by, (new, once), false).await
}

/// Tells a person who opted out that this was understood. It answers what they wrote, and is the one thing
/// that they are still told.
///
/// # Errors
/// As [`say`].
pub(crate) async fn farewell(
    app: &App,
    scope: Scope<'_>,
    id: &ChatId,
    new: NewMessage,
    once: &Once,
) -> Result<Outbound, Error> {
    let by = Author::Automatic;
    by_itself(app, scope, id, by, (new, once), true).await
}

async fn by_itself(
    app: &App,
    scope: Scope<'_>,
    id: &ChatId,
    by: Author,
    (new, once): (NewMessage, &Once),
    farewell: bool,
) -> Result<Outbound, Error> {
    let message = MessageId::at(once.at, &[&once.seed, id.as_str()]);
    // Machines ask again more often than people do, and whatever is not allowed any more was said before.
    if let Some(Message::Outbound(said)) = app.store.get(&scope.message(id, &message)).await? {
        return Ok(said);
    }
    let draft = Draft {
        id: message,
        by,
        new,
        instead_of: None,
        farewell,
    };
    let chat = find(app, scope, id).await?;
    Taking { app, scope }.take(chat, draft).await
}

/// Whether a content could be sent to somebody.
///
/// # Errors
/// Something about it is not acceptable, or it names a file that does not exist.
pub(crate) async fn sendable(app: &App, scope: Scope<'_>, content: &Content) -> Result<(), Error> {
    content.check().map_err(invalid)?;
    if let Content::Media {
        media,
        caption,
        voice,
    } = content
    {
        let taking = Taking { app, scope };
        taking.file(media, caption.as_deref(), *voice).await?;
    }
    Ok(())
}

/// Makes one new attempt of a message that failed or of which nothing more is known. Asked again, it
/// answers the attempt that was made.
///
/// # Errors
/// The message does not exist, is not one that can be tried again, or may not be sent now.
pub async fn retry(
    app: &App,
    actor: &Actor,
    chat: &ChatId,
    message: &MessageId,
) -> Result<Outbound, Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let chat = find(app, scope, chat).await?;
    let taking = Taking { app, scope };
    let Some(Message::Outbound(old)) = app.store.get(&scope.message(&chat.id, message)).await?
    else {
        return Err(Error::not_found("the message"));
    };
    if let Some(attempt) = &old.retried_as {
        return taking.taken(&chat.id, attempt).await;
    }
    if !old.retryable() {
        return Err(Error::refused(
            "not_retryable",
            "only a message that failed, or that may not have been sent, can be sent again",
        ));
    }
    let draft = Draft {
        id: MessageId::written(app.now()),
        by: Author::of(actor),
        new: NewMessage {
            content: old.content.clone(),
            reply_to: old.reply_to.clone(),
        },
        instead_of: Some(old.id),
        farewell: false,
    };
    taking.take(chat, draft).await
}

/// What is to be said, before it was looked at.
struct Draft {
    id: MessageId,
    by: Author,
    new: NewMessage,
    /// The message that this is a new attempt of.
    instead_of: Option<MessageId>,
    farewell: bool,
}

struct Taking<'a> {
    app: &'a App,
    scope: Scope<'a>,
}

impl Taking<'_> {
    async fn take(&self, mut chat: Chat, draft: Draft) -> Result<Outbound, Error> {
        let Self { app, scope } = *self;
        let key = scope.contact(&chat.contact);
        let (channel, contact) = tokio::try_join!(
            channel::find(app, scope, &chat.channel),
            app.store.get::<Contact>(&key),
        )?;
        channel::connected(&channel)?;
        let contact =
            contact.ok_or_else(|| Error::refused("no_contact", "the contact was deleted"))?;
        allowed(&chat, &contact, &draft, app.now())?;
        draft.new.content.check().map_err(invalid)?;
        let frozen = self.frozen(&chat, &contact, &draft.new.content).await?;
        self.answerable(&chat.id, &draft.new).await?;
        let message = Outbound {
            id: draft.id,
            by: draft.by,
            content: draft.new.content,
            frozen,
            reply_to: draft.new.reply_to,
            at: app.now(),
            status: None,
            status_at: None,
            sent_at: None,
            played_at: None,
            wamid: None,
            code: None,
            unsent: None,
            farewell: draft.farewell,
            retried_as: None,
        };
        for _ in 0..ATTEMPTS {
            let mut after = chat.clone();
            after.places += 1;
            after.show(message.line());
            let task = ChatSend {
                workspace: scope.workspace.clone(),
                channel: chat.channel.clone(),
                contact: chat.contact.clone(),
                message: message.id.clone(),
                place: after.places,
            };
            let mut writes = self.writes(&chat.id, &task, &message)?;
            if let Some(old) = &draft.instead_of {
                let retried = Write::update(scope.message(&chat.id, old))
                    .set("retried_as", &message.id)?
                    .if_missing("retried_as");
                writes.push(retried);
            }
            let own = writes.len();
            writes.extend(written(scope, Some(&chat), &mut after)?);
            match app.store.transact(writes).await? {
                Committed::Yes => return Ok(self.begun(&chat.id, &task, message).await),
                // An earlier attempt at the same request, or at the same retry, has taken it.
                Committed::No(failed) if failed.iter().any(|place| *place < own) => {
                    return self
                        .taken_before(&chat.id, &message.id, &draft.instead_of)
                        .await;
                }
                Committed::No(_) => chat = find(app, scope, &chat.id).await?,
            }
        }
        Err(busy())
    }

    /// The message and the intent to send it.
    fn writes(
        &self,
        chat: &ChatId,
        task: &ChatSend,
        message: &Outbound,
    ) -> Result<Vec<Write>, Error> {
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
        let scope = self.scope;
        let (due_pk, due_at) = scope.due_pending(chat, task.place, tick::next(self.app));
        Ok(vec![
            Write::create(
                scope.message(chat, &message.id),
                &Message::Outbound(message.clone()),
            )?,
            Write::put(scope.pending(chat, task.place), &pending)?
                .with("gsi1pk", due_pk)
                .with("gsi1sk", due_at),
        ])
    }

    /// The message is taken: what queues after it, or the tick, sends it as well if queueing fails.
    async fn begun(&self, chat: &ChatId, task: &ChatSend, message: Outbound) -> Outbound {
        let event = Event::MessageCreated {
            chat: chat.clone(),
            message: message.id.clone(),
            direction: Direction::Outbound,
            at: message.at,
        };
        if let Err(error) = self.app.enqueue(task, Duration::ZERO).await {
            tracing::warn!(error = error.chain(), chat = %chat, "a message was not queued");
        }
        realtime::announce(self.app, self.scope, event).await;
        message
    }

    async fn taken_before(
        &self,
        chat: &ChatId,
        message: &MessageId,
        instead_of: &Option<MessageId>,
    ) -> Result<Outbound, Error> {
        let Some(old) = instead_of else {
            return self.taken(chat, message).await;
        };
        match self.app.store.get(&self.scope.message(chat, old)).await? {
            Some(Message::Outbound(Outbound {
                retried_as: Some(attempt),
                ..
            })) => self.taken(chat, &attempt).await,
            _ => Err(busy()),
        }
    }

    async fn taken(&self, chat: &ChatId, message: &MessageId) -> Result<Outbound, Error> {
        match self
            .app
            .store
            .get(&self.scope.message(chat, message))
            .await?
        {
            Some(Message::Outbound(message)) => Ok(message),
            _ => Err(Error::broken("a place in line was given twice")),
        }
    }

    /// What the content names, as it is now.
    async fn frozen(
        &self,
        chat: &Chat,
        contact: &Contact,
        content: &Content,
    ) -> Result<Option<Frozen>, Error> {
        match content {
            Content::Media {
                media,
                caption,
                voice,
            } => self.file(media, caption.as_deref(), *voice).await.map(Some),
            Content::Template(template) => {
                let mut refused = Vec::new();
                let checked = campaign::content::check(
                    self.app,
                    self.scope,
                    &chat.channel,
                    &template.template,
                    &template.variables,
                    template.header.as_ref(),
                    &mut refused,
                )
                .await?;
                let Some(checked) = checked else {
                    return Err(below_content(refused));
                };
                let profile = contact.profile();
                let values = template
                    .variables
                    .fill(&checked.template, &profile)
                    .map_err(|error| unfillable(&error))?;
                Ok(Some(Frozen::Template {
                    template: Box::new(checked.template),
                    header: checked.header,
                    values,
                }))
            }
            _ => Ok(None),
        }
    }

    async fn file(
        &self,
        media: &domain::id::MediaId,
        caption: Option<&str>,
        voice: bool,
    ) -> Result<Frozen, Error> {
        let refuse = |field: &str, message: &str| Err(Error::invalid(field, message.to_owned()));
        let file = match media::looked_at(self.app, self.scope, media).await {
            Err(Error::NotFound { .. }) => {
                return refuse("content.media", "there is no such file in this workspace");
            }
            file => file?,
        };
        if let Some(reason) = file.reason() {
            return refuse("content.media", &reason);
        }
        let kind = file.mime_type.kind();
        if let Err(fault) = kind.caption(caption.unwrap_or_default()) {
            return refuse("content.caption", &fault.message);
        }
        if voice && !file.mime_type.is_voice() {
            return refuse(
                "content.voice",
                "only Ogg sound with Opus can be a voice note",
            );
        }
        Ok(Frozen::File {
            file_name: file.file_name,
            mime_type: file.mime_type,
            size: file.size,
        })
    }

    /// What is quoted or reacted to is a message of this chat that WhatsApp knows, or will by then: it is
    /// sent before this one.
    async fn answerable(&self, chat: &ChatId, new: &NewMessage) -> Result<(), Error> {
        let reaction = match &new.content {
            Content::Reaction { message, .. } => Some(("content.message", message)),
            _ => None,
        };
        let quoted = new.reply_to.as_ref().map(|message| ("reply_to", message));
        for (field, message) in reaction.into_iter().chain(quoted) {
            let refused = match self
                .app
                .store
                .get(&self.scope.message(chat, message))
                .await?
            {
                Some(Message::Inbound(_)) => None,
                Some(Message::Outbound(message)) if !message.retryable() => None,
                Some(Message::Outbound(_)) => Some("this message did not reach WhatsApp"),
                Some(Message::Note(_) | Message::Activity(_)) => {
                    Some("this is nothing that the person has seen")
                }
                None => Some("there is no such message in this chat"),
            };
            if let Some(refused) = refused {
                return Err(Error::invalid(field, refused));
            }
        }
        Ok(())
    }
}

/// Whether the person may be written to now.
fn allowed(chat: &Chat, contact: &Contact, draft: &Draft, now: Timestamp) -> Result<(), Error> {
    match contact.barred() {
        None => {}
        Some(Excluded::OptedOut) if draft.farewell => {}
        Some(Excluded::OptedOut) => {
            return Err(Error::refused(
                "opted_out",
                "this person asked not to be written to; they can take it back by writing START",
            ));
        }
        Some(barred) => return Err(Error::refused(barred.as_str(), barred.reason())),
    }
    if contact.phone.is_none() && contact.user_id.is_none() {
        return Err(Error::refused(
            "no_phone",
            "this contact has no phone number to write to",
        ));
    }
    let anything = chat::window(chat.last_inbound_at, now).is_some();
    if !anything && !matches!(draft.new.content, Content::Template(_)) {
        return Err(Error::refused(
            "window_closed",
            "it is more than 24 hours since this person last wrote, so WhatsApp delivers only templates; send one instead",
        ));
    }
    Ok(())
}

fn invalid(faults: Vec<InvalidField>) -> Error {
    Error::Invalid(faults.into_iter().map(FieldError::from).collect())
}

fn below_content(refused: Vec<FieldError>) -> Error {
    let below = refused
        .into_iter()
        .map(|FieldError { field, message }| FieldError {
            field: format!("content.{field}"),
            message,
        });
    Error::Invalid(below.collect())
}

fn unfillable(error: &Unfillable) -> Error {
    let field = match error {
        Unfillable::MissingValue { slot } | Unfillable::Unfit { slot, .. } => {
            format!("content.variables.{slot}")
        }
        Unfillable::BodyTooLong { .. } | Unfillable::HeaderTooLong { .. } => {
            "content.variables".to_owned()
        }
    };
    Error::invalid(field, error.to_string())
}
