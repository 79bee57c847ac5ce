//! What a campaign says: the template, a source for each of its variables, and the picture, video,
//! document or place at the top. Checked together, because each is acceptable only beside the others.

use domain::contact::InvalidField;
use domain::id::ChannelId;
use domain::template::{HeaderContent, HeaderInput, Mapping, Template, Values, sendable};

use crate::error::FieldError;
use crate::store::Scope;
use crate::{App, Error, channel, template};

/// What fits together and can be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    /// As it is to be frozen: without its examples, which no campaign needs once it is written.
    pub(super) template: Template,
    pub(super) header: Option<HeaderContent>,
}

/// Checks everything that is to be said and adds every refused field to `refused`. Without a content
/// at least one was.
pub(super) async fn check(
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
    if channel.is_none() {
        refuse(
            "channel".into(),
            "there is no such channel in this workspace".into(),
        );
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
        Some(HeaderInput { media: Some(_), .. }) => Err(vec![InvalidField::new(
            "header.media",
            "there is no such file in this workspace",
        )]),
        Some(header) => header.check(&stored.template, None).map(Some),
    };
    let header = match header {
        Ok(header) => header,
        Err(faults) => {
            refused.extend(faults.into_iter().map(FieldError::from));
            None
        }
    };
    let template = Template {
        examples: Values::default(),
        ..stored.template
    };
    Ok((refused.len() == before).then_some(Content { template, header }))
}

/// What is not there is one more refused field, not the end of the check.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
