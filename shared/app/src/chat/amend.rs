//! What becomes of messages after they were said, kept beside them: reactions, other words, withdrawals.
//!
//! An amendment is an item of its own under Meta's id of the message, because Meta may tell of it before the
//! message, and because nothing leads from Meta's id to ours. Whoever shows messages reads their amendments
//! with them, if the chat says that there are any.

use domain::chat::{Amendment, amended};
use domain::event::InboundMessage;
use domain::id::{ChatId, MessageId};
use domain::realtime::Event;
use serde::{Deserialize, Serialize};

use super::Message;
use super::change::{ATTEMPTS, busy, written};
use crate::store::{Scope, Write};
use crate::{App, Error, realtime};

/// The longest id of a message that is looked for; Meta's have some sixty letters.
const WAMID_MAX: usize = 500;

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    version: u64,
    /// As JSON text, like all content.
    amendment: String,
}

/// Takes in what a person's message says of an earlier one. The chat exists, because the message is in it.
///
/// # Errors
/// The store cannot be reached; doing it again is harmless.
pub(crate) async fn hear(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    said: &InboundMessage,
) -> Result<(), Error> {
    let Some(of) = amended(&said.content) else {
        return Ok(());
    };
    let edit = |amendment: &mut Amendment| amendment.hear(&said.content, said.at, &said.wamid);
    amend(app, scope, chat, of, edit).await
}

/// Takes in a reaction of the workspace, which WhatsApp has sent.
///
/// # Errors
/// The store cannot be reached; doing it again is harmless.
pub(crate) async fn react(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    to: &MessageId,
    emoji: Option<&str>,
    by: &MessageId,
) -> Result<(), Error> {
    let to: Option<Message> = app.store.get(&scope.message(chat, to)).await?;
    let Some(wamid) = to.as_ref().and_then(Message::wamid) else {
        return Ok(());
    };
    let edit = |amendment: &mut Amendment| amendment.react(emoji, by);
    amend(app, scope, chat, wamid, edit).await
}

/// What became of messages, each by its chat and Meta's id of it, in their order. Whoever knows that a chat
/// was never amended need not ask.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn of(
    app: &App,
    scope: Scope<'_>,
    messages: &[(&ChatId, &str)],
) -> Result<Vec<Option<Amendment>>, Error> {
    let mut amendments = vec![None; messages.len()];
    let asked: Vec<usize> = (0..messages.len())
        .filter(|place| messages[*place].1.len() <= WAMID_MAX)
        .collect();
    let keys: Vec<_> = asked
        .iter()
        .map(|place| scope.amendment(messages[*place].0, messages[*place].1))
        .collect();
    let found: Vec<(usize, Stored)> = app.store.get_many(&keys).await?;
    for (place, stored) in found {
        amendments[asked[place]] = Some(stored.read()?);
    }
    Ok(amendments)
}

async fn amend(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    wamid: &str,
    edit: impl Fn(&mut Amendment) -> bool,
) -> Result<(), Error> {
    if wamid.is_empty() || wamid.len() > WAMID_MAX {
        tracing::warn!(%chat, "an amendment of no message is dropped");
        return Ok(());
    }
    let key = scope.amendment(chat, wamid);
    for _ in 0..ATTEMPTS {
        let stored: Option<Stored> = app.store.get(&key).await?;
        let mut amendment = match &stored {
            Some(stored) => stored.read()?,
            None => Amendment::default(),
        };
        if edit(&mut amendment) {
            let version = stored.as_ref().map_or(0, |stored| stored.version);
            let write = Write::put(key.clone(), &Stored::new(version + 1, &amendment)?)?;
            let mut writes = vec![match &stored {
                None => write.if_absent(),
                Some(stored) => write.if_equals("version", &stored.version)?,
            }];
            let before = super::find(app, scope, chat).await?;
            if !before.amended {
                let mut after = before.clone();
                after.amended = true;
                writes.extend(written(scope, Some(&before), &mut after)?);
            }
            if !app.store.transact(writes).await?.yes() {
                continue;
            }
        }
        // Also when it was kept before: whoever did so may have died before telling.
        let event = Event::ChatUpdated { chat: chat.clone() };
        return realtime::publish(app, scope, vec![event]).await;
    }
    Err(busy())
}

impl Stored {
    fn new(version: u64, amendment: &Amendment) -> Result<Self, Error> {
        let amendment = serde_json::to_string(amendment)
            .map_err(|error| Error::internal("an amendment cannot be written", error))?;
        Ok(Self { version, amendment })
    }

    fn read(&self) -> Result<Amendment, Error> {
        serde_json::from_str(&self.amendment)
            .map_err(|error| Error::internal("an amendment cannot be read", error))
    }
}
