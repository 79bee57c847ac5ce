//! A message as Meta wants it: files handed over to the number, quotes by Meta's ids, templates filled.

use std::time::Duration;

use domain::chat::Content as Said;
use domain::id::{ChatId, MessageId};
use whatsapp::{Action, Content, Interactive, TemplateMessage};

use super::{Frozen, Message, Outbound};
use crate::channel::Channel;
use crate::media::{self, Handed};
use crate::store::Scope;
use crate::{App, Error, budget, campaign};

/// Whether a message can go out now.
pub(super) enum Ready {
    Yes(Outgoing),
    /// Ask again after this time.
    Later(Duration),
    /// It cannot go out, for this reason.
    Never(String),
}

/// What goes out.
pub(super) struct Outgoing {
    pub(super) content: Content,
    /// Meta's id of the message that is quoted.
    pub(super) context: Option<String>,
}

const UNREACHED: &str = "The message that it answers did not reach WhatsApp.";

/// Where a message is sent from.
pub(super) type Place<'a> = (&'a App, Scope<'a>, &'a Channel, &'a ChatId);

/// The message as it goes out.
///
/// # Errors
/// The store or the files cannot be reached.
pub(super) async fn ready(at: Place<'_>, message: &Outbound) -> Result<Ready, Error> {
    let context = match &message.reply_to {
        None => None,
        Some(quoted) => match wamid(at, quoted).await? {
            Some(wamid) => Some(wamid),
            None => return Ok(Ready::Never(UNREACHED.to_owned())),
        },
    };
    let content = match Box::pin(content(at, message)).await? {
        Handed::Over(content) => content,
        Handed::Later(after) => return Ok(Ready::Later(after)),
        Handed::Never(why) => return Ok(Ready::Never(why)),
    };
    Ok(Ready::Yes(Outgoing { content, context }))
}

async fn content(at: Place<'_>, message: &Outbound) -> Result<Handed<Content>, Error> {
    let interactive = |header: &Option<String>, text: &str, footer: &Option<String>, action| {
        Content::Interactive(Interactive {
            header: header.clone(),
            text: text.to_owned(),
            footer: footer.clone(),
            action,
        })
    };
    let content = match message.content.clone() {
        Said::Text { text } => Content::Text {
            body: text,
            preview_url: true,
        },
        Said::Media {
            media,
            caption,
            voice,
        } => return file(at, message, &media, caption, voice).await,
        Said::Location {
            latitude,
            longitude,
            name,
            address,
        } => Content::Location {
            latitude,
            longitude,
            name,
            address,
        },
        Said::Contacts { contacts } => Content::Contacts(contacts),
        Said::Reaction { message, emoji } => match wamid(at, &message).await? {
            Some(wamid) => Content::Reaction { wamid, emoji },
            None => return Ok(Handed::Never(UNREACHED.to_owned())),
        },
        Said::Buttons {
            header,
            text,
            footer,
            buttons,
        } => interactive(&header, &text, &footer, Action::Buttons(buttons)),
        Said::List {
            header,
            text,
            footer,
            button,
            sections,
        } => interactive(&header, &text, &footer, Action::List { button, sections }),
        Said::Link {
            header,
            text,
            footer,
            label,
            url,
        } => interactive(&header, &text, &footer, Action::Link { label, url }),
        Said::Template(_) => return template(at, message).await,
    };
    Ok(Handed::Over(content))
}

async fn file(
    (app, scope, channel, _): Place<'_>,
    message: &Outbound,
    media: &domain::id::MediaId,
    caption: Option<String>,
    voice: bool,
) -> Result<Handed<Content>, Error> {
    let Some(Frozen::File {
        file_name,
        mime_type,
        ..
    }) = &message.frozen
    else {
        return Err(Error::broken("a message with a file does not know it"));
    };
    let over = |media| Content::Media {
        kind: mime_type.kind(),
        media,
        caption,
        file_name: file_name.clone(),
        voice,
    };
    Ok(match media::hand_over(app, scope, channel, media).await? {
        Handed::Over(media) => Handed::Over(over(media)),
        Handed::Later(after) => Handed::Later(after),
        Handed::Never(why) => Handed::Never(why),
    })
}

async fn template(
    (app, scope, channel, chat): Place<'_>,
    message: &Outbound,
) -> Result<Handed<Content>, Error> {
    let Some(Frozen::Template {
        template,
        header,
        values,
    }) = &message.frozen
    else {
        return Err(Error::broken("a message with a template does not know it"));
    };
    let header = match campaign::content::header(app, scope, header.as_ref(), channel).await? {
        Handed::Over(header) => header,
        Handed::Later(after) => return Ok(Handed::Later(after)),
        Handed::Never(why) => return Ok(Handed::Never(why)),
    };
    // Meta counts whoever is written to without having written (Meta: messaging limits).
    if budget::take(app, channel, 1).await?.people == 0 {
        return Ok(Handed::Never(budget::USED_UP.to_owned()));
    }
    let answer = domain::chat::MessageRef {
        chat: chat.clone(),
        message: message.id.clone(),
    };
    let filled = TemplateMessage::new(template, header.as_ref(), values, &answer.to_string());
    Ok(Handed::Over(Content::Template(filled)))
}

/// Meta's id of a message of this chat, if it has one.
async fn wamid(
    (app, scope, _, chat): Place<'_>,
    message: &MessageId,
) -> Result<Option<String>, Error> {
    let message: Option<Message> = app.store.get(&scope.message(chat, message)).await?;
    Ok(message.as_ref().and_then(Message::wamid).map(str::to_owned))
}
