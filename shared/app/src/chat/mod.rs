//! Chats: what one contact and one channel say to each other. [`list`] lists them, [`say`] takes what agents
//! write, [`send`] sends it, [`status`] takes Meta's statuses, [`receipt`] tells people what was read, and
//! [`tick`] takes up again what got stuck; what people write is taken in by [`crate::inbound`].

pub(crate) mod amend;
pub(crate) mod change;
mod counts;
mod edit;
mod item;
mod list;
mod note;
mod outgoing;
mod receipt;
mod say;
pub mod send;
pub(crate) mod status;
mod thread;
pub mod tick;

use domain::id::{ChannelId, ChatId, ContactId};
use domain::realtime::Event;
use domain::workspace::Permission;

use crate::store::Scope;
use crate::{Actor, App, Error, channel, contact, realtime};

pub(crate) use change::change;
pub use counts::{Counts, counts};
pub use edit::{Patch, read, update};
pub(crate) use item::Pending;
pub use item::{Activity, Author, Chat, Frozen, Inbound, Line, Message, Note, Outbound, What};
pub(crate) use list::with_contacts;
pub use list::{Assignee, Filter, Listed, list, with_contact};
pub use note::note;
pub use receipt::typing;
pub use say::{NewMessage, retry, say};
pub(crate) use say::{farewell, say_as, sendable};
pub use thread::{CampaignMessage, Entry, Shown, messages};

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
    let mut chat = Chat::new(scope, &channel, &contact, app.now());
    let writes = change::written(scope, None, &mut chat)?;
    if app.store.transact(writes).await?.yes() {
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

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &ChatId) -> Result<Chat, Error> {
    app.store
        .get(&scope.chat(id))
        .await?
        .ok_or_else(|| Error::not_found("the chat"))
}
