//! The file of a message, for whoever reads the chat: a link that is good for some minutes.

use domain::chat::Content;
use domain::event::InboundContent;
use domain::id::{ChatId, MediaId, MessageId};
use domain::media::MediaType;
use domain::workspace::Permission;
use jiff::Timestamp;

use super::received::{Kept, Received};
use super::{LINK_EXPIRES, picture};
use crate::chat::{self, Inbound, Message, Outbound};
use crate::ports::Served;
use crate::store::Scope;
use crate::{Actor, App, Error};

/// Which of the two pictures of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// A picture of at most 320 points, where there is one.
    Thumbnail,
}

/// Where a file can be looked at, and until when.
#[derive(Debug)]
pub struct Link {
    pub url: String,
    pub expires_at: Timestamp,
    pub file_name: String,
    pub mime_type: Option<MediaType>,
}

/// Where to look at the file of a message.
///
/// # Errors
/// The message does not exist in this workspace or has no such file, or the file is not there yet or not
/// at all.
pub async fn link(
    app: &App,
    actor: &Actor,
    chat: &ChatId,
    message: &MessageId,
    part: Part,
) -> Result<Link, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let found = chat::find(app, scope, chat).await?;
    let stored: Option<Message> = app.store.get(&scope.message(chat, message)).await?;
    if let Some(Message::Inbound(inbound)) = &stored
        && found.amended
    {
        let amendments = chat::amend::of(app, scope, &[(chat, &inbound.wamid)]).await?;
        let amendment = amendments.first().and_then(Option::as_ref);
        if amendment.is_some_and(|amendment| amendment.revoked_at().is_some()) {
            let message = "the person deleted this message, so its file is not shown any more";
            return Err(Error::refused("message_revoked", message));
        }
    }
    match stored {
        Some(Message::Inbound(inbound)) => received(app, scope, chat, &inbound, part).await,
        Some(Message::Outbound(Outbound {
            content: Content::Media { media, .. },
            ..
        })) => uploaded(app, scope, &media, part).await,
        Some(_) => Err(Error::not_found("the file")),
        None => Err(Error::not_found("the message")),
    }
}

async fn received(
    app: &App,
    scope: Scope<'_>,
    chat: &ChatId,
    message: &Inbound,
    part: Part,
) -> Result<Link, Error> {
    let InboundContent::Media(media) = &message.content else {
        return Err(Error::not_found("the file"));
    };
    let kept = match &message.media {
        Some(Received::Ready(kept)) => kept,
        Some(Received::Failed { loss }) => {
            return Err(Error::refused("file_lost", loss.in_words()));
        }
        None => {
            let message = "this file is still being downloaded; try again in a moment";
            return Err(Error::refused("file_downloading", message));
        }
    };
    let whole = Kept::key(scope, chat, &message.id);
    let (key, mime_type) = match part {
        Part::Whole => (whole, kept.mime_type),
        Part::Thumbnail => match kept.thumbnail {
            Some(mime_type) => (picture::small(&whole), Some(mime_type)),
            None => return Err(Error::not_found("the thumbnail")),
        },
    };
    let file_name = match (&media.file_name, part) {
        (Some(name), Part::Whole) => name.clone(),
        _ => {
            let extension = mime_type.map_or("bin", MediaType::extension);
            let day = message.at.strftime("%Y-%m-%d");
            format!("{}-{day}.{extension}", media.kind.as_str())
        }
    };
    served(app, &key, file_name, mime_type).await
}

/// The file that the workspace sent: it is the uploaded one, for as long as nobody deletes it.
async fn uploaded(app: &App, scope: Scope<'_>, media: &MediaId, part: Part) -> Result<Link, Error> {
    let media = super::find(app, scope, media).await?;
    let whole = media.file(scope.workspace);
    match (part, media.thumbnail) {
        (Part::Whole, _) => {
            let mime_type = Some(media.mime_type);
            served(app, &whole, media.file_name, mime_type).await
        }
        (Part::Thumbnail, Some(mime_type)) => {
            let small = picture::small(&whole);
            served(app, &small, media.file_name, Some(mime_type)).await
        }
        (Part::Thumbnail, None) => Err(Error::not_found("the thumbnail")),
    }
}

async fn served(
    app: &App,
    key: &str,
    file_name: String,
    mime_type: Option<MediaType>,
) -> Result<Link, Error> {
    let expires_at = app.now() + LINK_EXPIRES;
    let served = Served {
        name: &file_name,
        mime_type,
    };
    let link = app.files.presign_get(key, served, LINK_EXPIRES).await?;
    Ok(Link {
        url: link.url,
        expires_at,
        file_name,
        mime_type,
    })
}
