//! Answering a message by itself, once.
//!
//! Meta tells of a message at least once and in no order. What holds all the same:
//! - The id of an answer is derived from the message that it answers, so a message has one at most.
//! - An answer is *claimed* before it is said, by a compare-and-set on one item of the chat, which says when
//!   the chat got each answer and for which message. So of two messages at once one gets what is given once.
//! - Whoever dies between claim and answer is followed by the next delivery of the same message, which finds
//!   its own claim and says it.

use std::collections::BTreeMap;

use domain::automatic::{
    Answer, Before, Heard, Line, MAX_AGE, REMEMBERED, candidates, choose, pressed,
};
use domain::campaign::Excluded;
use domain::chat::Content;
use domain::contact::{Consent, ConsentChange, ConsentSource};
use domain::event::InboundMessage;
use domain::id::{AnswerId, ChannelId, ChatId, ContactId, MessageId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::settings::{self, Inbox};
use crate::chat::change::{ATTEMPTS, busy};
use crate::chat::{self, Author, Message, NewMessage};
use crate::contact::Contact;
use crate::idempotency::Once;
use crate::store::read::Span;
use crate::store::{Scope, Write};
use crate::{App, Error};

/// How much of a thread is read to know what was before a message.
const THREAD: usize = 30;

/// A message that was taken in.
pub(crate) struct Asked<'a> {
    pub(crate) channel: &'a ChannelId,
    pub(crate) contact: &'a ContactId,
    pub(crate) chat: &'a ChatId,
    pub(crate) message: &'a MessageId,
    pub(crate) said: &'a InboundMessage,
}

/// What a chat was answered by itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Answered {
    /// The last time of each answer.
    given: BTreeMap<AnswerId, Given>,
    /// The last few, whichever they were.
    recent: Vec<Timestamp>,
    version: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Given {
    /// The message that it was the answer to, and when that was written.
    to: MessageId,
    at: Timestamp,
}

/// Gives a message the answer that it is to get, if any.
///
/// # Errors
/// The store cannot be reached; answering again is harmless.
pub(crate) async fn answer(app: &App, scope: Scope<'_>, asked: &Asked<'_>) -> Result<(), Error> {
    let inbox = settings::of(app, scope).await?;
    let wished = inbox.settings.opt_out.wished(&asked.said.content);
    let fitting = candidates(
        &inbox.settings.answers,
        &inbox.settings.hours,
        &inbox.zone.time_zone(),
        asked.heard(),
    );
    if wished.is_none() && fitting.is_empty() {
        return Ok(());
    }
    // Deleted meanwhile: nobody is left to be answered.
    let Some(contact) = app
        .store
        .get::<Contact>(&scope.contact(asked.contact))
        .await?
    else {
        return Ok(());
    };
    let replying = Replying {
        app,
        scope,
        asked,
        inbox: &inbox,
    };
    // Whoever blocked the person wants to hear nothing more of them, so nothing is said that goes on.
    if contact.barred() == Some(Excluded::Blocked) {
        return Ok(());
    }
    if let Some(wished) = wished
        && asked.changed(&contact, wished)
    {
        return Box::pin(replying.confirm(wished)).await;
    }
    if contact.consent == Consent::OptedOut || fitting.is_empty() {
        return Ok(());
    }
    Box::pin(replying.follow(&fitting)).await
}

impl Asked<'_> {
    fn heard(&self) -> Heard<'_> {
        Heard {
            channel: self.channel,
            content: &self.said.content,
            at: self.said.at,
        }
    }

    /// Whether the contact's consent is as it is because of this message.
    fn changed(&self, contact: &Contact, wished: Consent) -> bool {
        let made = ConsentChange {
            at: self.said.at,
            source: ConsentSource::Person,
        };
        contact.consent == wished && contact.consent_change == Some(made)
    }

    /// What an answer's id is derived from. It stands right after the message, which Meta dates to the second.
    fn once(&self, seed: String) -> Once {
        let after = SignedDuration::from_millis(1);
        Once {
            at: self.said.at.checked_add(after).unwrap_or(self.said.at),
            seed,
        }
    }
}

/// What answering works with.
struct Replying<'a> {
    app: &'a App,
    scope: Scope<'a>,
    asked: &'a Asked<'a>,
    inbox: &'a Inbox,
}

impl Replying<'_> {
    /// Tells the person that their wish was understood. Of several messages in one second one changed the
    /// consent, and which one is not known: together they get one answer.
    async fn confirm(&self, wished: Consent) -> Result<(), Error> {
        let Some(text) = self.inbox.settings.opt_out.answer(wished) else {
            return Ok(());
        };
        let content = Content::Text {
            text: text.to_owned(),
        };
        let once = self.asked.once(format!("{wished:?}"));
        self.say(content, &once, wished == Consent::OptedOut).await
    }

    /// Gives the first answer that fits what was before, if the message has none yet.
    async fn follow(&self, fitting: &[&Answer]) -> Result<(), Error> {
        let key = self.scope.answered(self.asked.chat);
        let mut before = None;
        for _ in 0..ATTEMPTS {
            let old: Answered = self.app.store.get(&key).await?.unwrap_or_default();
            if let Some(claimed) = old.to(self.asked.message) {
                let mut answers = self.inbox.settings.answers.iter();
                return match answers.find(|answer| answer.id == *claimed) {
                    Some(answer) => self.give(answer).await,
                    None => Ok(()),
                };
            }
            if self.app.now().duration_since(self.asked.said.at) > MAX_AGE {
                return Ok(());
            }
            let before = match &before {
                Some(before) => before,
                None => before.insert(self.before().await?),
            };
            let given = old.given.iter();
            let given = given.map(|(id, given)| (id.clone(), given.at)).collect();
            let Some(answer) = choose(fitting, self.asked.heard(), before, &given, &old.recent)
            else {
                return Ok(());
            };
            if self.claim(&old, answer).await? {
                return self.give(answer).await;
            }
        }
        Err(busy())
    }

    /// What the thread was before the message.
    async fn before(&self) -> Result<Before, Error> {
        let place = self.scope.message(self.asked.chat, self.asked.message);
        let span = Span::first(THREAD).after(Some(place.sort())).newest_first();
        let thread = self.scope.messages(self.asked.chat);
        let page = self.app.store.page::<Message>(&thread, span).await?;
        let lines = page.items.iter().filter_map(line);
        Ok(Before::of(self.asked.heard(), lines, page.next.is_none()))
    }

    async fn claim(&self, old: &Answered, answer: &Answer) -> Result<bool, Error> {
        let key = self.scope.answered(self.asked.chat);
        let new = old.with(answer, self.asked, self.inbox);
        let write = Write::put(key, &new)?;
        let write = match old.version {
            0 => write.if_absent(),
            version => write.if_equals("version", &version)?,
        };
        Ok(self.app.store.write(write).await?.yes())
    }

    async fn give(&self, answer: &Answer) -> Result<(), Error> {
        let once = self.asked.once(self.asked.message.to_string());
        self.say(answer.content.clone(), &once, false).await
    }

    /// What cannot be said now is not said later: the number may be disconnected, the file deleted, or the
    /// customer service window closed.
    async fn say(&self, content: Content, once: &Once, farewell: bool) -> Result<(), Error> {
        let Self {
            app, scope, asked, ..
        } = *self;
        let new = NewMessage {
            content,
            reply_to: None,
        };
        let said = match farewell {
            true => chat::farewell(app, scope, asked.chat, new, once).await,
            false => chat::say_as(app, scope, asked.chat, Author::Automatic, new, once).await,
        };
        match said {
            Ok(_) => Ok(()),
            Err(error) if error.retryable() => Err(error),
            Err(error) => {
                tracing::info!(chat = %asked.chat, error = error.chain(), "an automatic answer is not said");
                Ok(())
            }
        }
    }
}

impl Answered {
    /// The answer that was claimed for a message.
    fn to(&self, message: &MessageId) -> Option<&AnswerId> {
        let mut given = self.given.iter();
        given
            .find(|(_, given)| given.to == *message)
            .map(|(id, _)| id)
    }

    /// The same after one more; of answers that were deleted nothing is remembered.
    fn with(&self, answer: &Answer, asked: &Asked<'_>, inbox: &Inbox) -> Self {
        let mut new = self.clone();
        let answers = &inbox.settings.answers;
        new.given
            .retain(|id, _| answers.iter().any(|answer| answer.id == *id));
        let given = Given {
            to: asked.message.clone(),
            at: asked.said.at,
        };
        new.given.insert(answer.id.clone(), given);
        new.recent.push(asked.said.at);
        let old = new.recent.len().saturating_sub(REMEMBERED);
        new.recent.drain(..old);
        new.version += 1;
        new
    }
}

/// A line of the thread, as the choice of an answer reads it.
fn line(message: &Message) -> Option<Line<'_>> {
    match message {
        Message::Inbound(inbound) if inbound.content.is_said() => Some(Line::Heard {
            at: inbound.at,
            pressed: pressed(&inbound.content),
        }),
        Message::Outbound(outbound) => Some(match outbound.by {
            Author::Automatic => Line::Automatic {
                words: outbound.content.words(),
            },
            Author::User(_) | Author::ApiKey(_) => Line::Team { at: outbound.at },
        }),
        Message::Inbound(_) | Message::Note(_) | Message::Activity(_) => None,
    }
}
