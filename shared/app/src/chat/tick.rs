//! The tick: queues again what is on its way out and was not settled for a while, because its task was
//! lost or parked, and brings back chats that were snoozed. What was not lost is queued twice, which is
//! harmless: a message is claimed once.

use std::time::Duration;

use domain::chat::Status;
use domain::id::{ChannelId, ChatId, ContactId, MessageId, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Author, What, change};
use crate::due::{self, Due};
use crate::store::Write;
use crate::task::ChatSend;
use crate::{App, Error};

/// How long a message is left alone after it was queued. The queue delivers within a second, so a lost
/// task is found soon, and what waits for its next try is seldom queued twice.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// An entry of the index: `{milliseconds}#{chat}`, and of a message its place.
#[derive(Debug, Deserialize)]
struct Entry {
    workspace: WorkspaceId,
    channel: ChannelId,
    contact: ContactId,
    gsi1sk: String,
    /// Only a message on its way out has these.
    message: Option<MessageId>,
    place: Option<u64>,
}

/// Looks after everything that is due.
///
/// # Errors
/// The store or the queue cannot be reached; the next tick tries again.
pub async fn run(app: App) -> Result<(), Error> {
    due::look_after::<Entry>(&app, app.store.due_pending()).await
}

/// When a message that was queued now is looked after.
pub(super) fn next(app: &App) -> Timestamp {
    app.now() + PATIENCE
}

impl Due for Entry {
    fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    fn place(&self) -> &str {
        &self.gsi1sk
    }

    async fn look_after(&self, app: &App) -> Result<(), Error> {
        match (&self.message, self.place) {
            (Some(message), Some(place)) => self.send_again(app, message, place).await,
            _ => self.bring_back(app).await,
        }
    }
}

impl Entry {
    async fn send_again(&self, app: &App, message: &MessageId, place: u64) -> Result<(), Error> {
        let scope = app.store.workspace(&self.workspace);
        let chat = ChatId::of(&self.channel, &self.contact);
        let (pk, sk) = scope.due_pending(&chat, place, next(app));
        let postponed = Write::update(scope.pending(&chat, place))
            .set("gsi1pk", &pk)?
            .set("gsi1sk", &sk)?
            .if_present();
        if !app.store.write(postponed).await?.yes() {
            // The index is behind: the message was settled meanwhile.
            return Ok(());
        }
        let task = ChatSend {
            workspace: self.workspace.clone(),
            channel: self.channel.clone(),
            contact: self.contact.clone(),
            message: message.clone(),
            place,
        };
        app.enqueue(&task, Duration::ZERO).await
    }

    /// Opens a chat again whose time out of sight is over.
    async fn bring_back(&self, app: &App) -> Result<(), Error> {
        let scope = app.store.workspace(&self.workspace);
        let chat = ChatId::of(&self.channel, &self.contact);
        let now = app.now();
        change(app, scope, &chat, &Author::Automatic, |chat| {
            let over = chat.snoozed_until.is_some_and(|until| until <= now);
            if !over {
                return Ok(Vec::new());
            }
            chat.status = Status::Open;
            chat.snoozed_until = None;
            Ok(vec![What::Status {
                status: Status::Open,
                until: None,
            }])
        })
        .await?;
        Ok(())
    }
}
