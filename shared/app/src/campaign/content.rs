//! What a campaign says: the template, a source for each of its variables, and the picture, video,
//! document or place at the top. Checked together, because each is acceptable only beside the others.

use domain::contact::InvalidField;
use domain::id::ChannelId;
use domain::template::{
    HeaderContent, HeaderFile, HeaderInput, Mapping, Template, Values, sendable,
};
use whatsapp::UploadedMedia;

use crate::channel::Channel;
use crate::error::FieldError;
use crate::media::Handed;
use crate::store::Scope;
use crate::{App, Error, channel, media, template};

/// What fits together and can be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// As it is to be frozen: without its examples, which no campaign needs once it is written.
    pub(crate) template: Template,
    pub(crate) examples: Values,
    pub(crate) header: Option<HeaderContent>,
}

/// Checks everything that is to be said and adds every refused field to `refused`. Without a content
/// at least one was.
pub(crate) async fn check(
    app: &App,
    scope: Scope<'_>,
    channel: &ChannelId,
    template: &str,
    variables: &Mapping,
    header: Option<&HeaderInput>,
    refused: &mut Vec<FieldError>,
) -> Result<Option<Content>, Error> {
    let before = refused.len();
    let mut refuse = |field: String, message: String| refused.push(FieldError { field, message });
    let channel = found(channel::find(app, scope, channel).await)?;
    match &channel {
        None => refuse(
            "channel".into(),
            "there is no such channel in this workspace".into(),
        ),
        Some(channel) if !channel.is_connected() => refuse(
            "channel".into(),
            "this number is disconnected; connect it again first".into(),
        ),
        Some(_) => {}
    }
    let Some(stored) = found(template::find(app, scope, template).await)? else {
        refuse(
            "template".into(),
            "there is no such template in this workspace; sync the templates".into(),
        );
        return Ok(None);
    };
    if channel.is_some_and(|channel| channel.waba_id != stored.waba_id) {
        refuse(
            "template".into(),
            "the template belongs to another WhatsApp account than the channel".into(),
        );
    }
    if let Err(error) = sendable(&stored.template) {
        refuse("template".into(), error.to_string());
    }
    for error in variables.check(&stored.template).err().unwrap_or_default() {
        refuse(error.field(), error.to_string());
    }
    let header = match header {
        None => stored
            .template
            .needs_no_header()
            .map(|()| None)
            .map_err(|fault| vec![fault]),
        Some(header) => match file(app, scope, header).await? {
            Ok(file) => header.check(&stored.template, file.as_ref()).map(Some),
            Err(message) => Err(vec![InvalidField::new("header.media", message)]),
        },
    };
    let header = match header {
        Ok(header) => header,
        Err(faults) => {
            refused.extend(faults.into_iter().map(FieldError::from));
            None
        }
    };
    let mut template = stored.template;
    let examples = std::mem::take(&mut template.examples);
    Ok((refused.len() == before).then_some(Content {
        template,
        examples,
        header,
    }))
}

/// What is known of the uploaded file that a header names, or why it cannot be used.
async fn file(
    app: &App,
    scope: Scope<'_>,
    header: &HeaderInput,
) -> Result<Result<Option<HeaderFile>, String>, Error> {
    let Some(id) = &header.media else {
        return Ok(Ok(None));
    };
    let Some(media) = found(media::looked_at(app, scope, id).await)? else {
        return Ok(Err("there is no such file in this workspace".to_owned()));
    };
    Ok(match media.reason() {
        Some(reason) => Err(reason),
        None => Ok(Some(HeaderFile {
            kind: media.mime_type.kind(),
            file_name: media.file_name,
        })),
    })
}

/// The top of a message as the channel's number can send it: an uploaded file is handed to the number
/// first. It is asked for whenever a chunk or a test is taken up, so a message never names a file that
/// Meta has forgotten.
///
/// # Errors
/// The store or the files cannot be reached.
pub(crate) async fn header(
    app: &App,
    scope: Scope<'_>,
    content: Option<&HeaderContent>,
    channel: &Channel,
) -> Result<Handed<Option<HeaderContent<UploadedMedia>>>, Error> {
    let Some(content) = content else {
        return Ok(Handed::Over(None));
    };
    let uploaded = match content.media() {
        None => None,
        Some(media) => match media::hand_over(app, scope, channel, media).await? {
            Handed::Over(uploaded) => Some(uploaded),
            Handed::Later(after) => return Ok(Handed::Later(after)),
            Handed::Never(reason) => return Ok(Handed::Never(reason)),
        },
    };
    match content.clone().with_media(uploaded) {
        Some(header) => Ok(Handed::Over(Some(header))),
        None => Err(Error::broken("a file that was handed over has no name")),
    }
}

/// What is not there is one more refused field, not the end of the check.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
