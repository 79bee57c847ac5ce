//! Telling people that what they wrote was read, and that somebody is typing (Meta: mark as read, typing
//! indicator).

use std::time::Duration;

use domain::id::ChatId;
use domain::workspace::Permission;
use jiff::SignedDuration;
use whatsapp::ApiError;

use super::{Message, find};
use crate::store::{Scope, Write};
use crate::task::ChatReceipt;
use crate::{Actor, App, Error, channel};

/// A sign of typing that is older than this is not shown any more.
const TYPING_FRESH: SignedDuration = SignedDuration::from_secs(10);

/// How soon Meta is asked again when it could not be reached.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows the person that somebody is typing: until the next message, or for 25 seconds. Meta shows it only
/// together with a receipt for what the person wrote last.
///
/// # Errors
/// The chat does not exist, or the person has not written yet.
pub async fn typing(app: &App, actor: &Actor, id: &ChatId) -> Result<(), Error> {
    actor.require(Permission::WriteChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let chat = find(app, scope, id).await?;
    let heard = chat.last_inbound.ok_or_else(|| {
        Error::refused(
            "nothing_read",
            "this person has written nothing that could be answered",
        )
    })?;
    let receipt = ChatReceipt {
        workspace: actor.workspace.clone(),
        channel: chat.channel,
        contact: chat.contact,
        read: heard.message,
        typing_at: Some(app.now()),
    };
    app.enqueue(&receipt, Duration::ZERO).await
}

/// Tells Meta of a receipt. A plain one is claimed on its message first, so it is told once.
///
/// # Errors
/// [`Error::Later`] when Meta certainly was not told; or the store cannot be reached.
pub(super) async fn run(app: &App, task: &ChatReceipt) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let chat = ChatId::of(&task.channel, &task.contact);
    let typing = match task.typing_at {
        Some(at) if app.now().duration_since(at) > TYPING_FRESH => return Ok(()),
        Some(_) => true,
        None => false,
    };
    let key = scope.message(&chat, &task.read);
    let Some(Message::Inbound(message)) = app.store.get(&key).await? else {
        return Ok(());
    };
    let channel = channel::find(app, scope, &task.channel).await?;
    if !channel.is_connected() {
        return Ok(());
    }
    if !claim(app, scope, &chat, task).await? && !typing {
        return Ok(());
    }
    let token = channel::token(app, scope, &channel)?;
    let number = &channel.phone_number_id;
    let told = app
        .whatsapp
        .mark_read(&token, number, &message.wamid, typing)
        .await;
    match told {
        Ok(()) => Ok(()),
        Err(ApiError::Unreachable(why)) if !typing => {
            tracing::warn!(why, "a receipt was not told");
            app.store
                .write(Write::update(key).remove("read_at").if_present())
                .await?;
            Err(Error::Later { after: PATIENCE })
        }
        // It may have been told, or Meta does not want it: messages older than 30 days have none.
        Err(error) => {
            tracing::info!(error = %error, "a receipt was not taken");
            Ok(())
        }
    }
}

async fn claim(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    task: &ChatReceipt,
) -> Result<bool, Error> {
    let claim = Write::update(scope.message(chat, &task.read))
        .set("read_at", &app.now())?
        .if_present()
        .if_missing("read_at");
    Ok(app.store.write(claim).await?.yes())
}
