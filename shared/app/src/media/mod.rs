//! Media: files that were uploaded to be shown in messages.
//!
//! The client uploads straight to where files are kept. What arrived is looked at once, when somebody
//! first asks for it, because a name and an announced type prove nothing. The file stays private; the
//! numbers that show it get copies of their own ([`hand_over`]).

mod hand_over;

use std::time::Duration;

use domain::id::{MediaId, WorkspaceId};
use domain::media::{HEAD, MediaType, file_name};
use domain::workspace::Permission;
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::FieldError;
use crate::ports::Presigned;
use crate::store::{Scope, Write};
use crate::{Actor, App, Error};

pub(crate) use hand_over::{Handed, hand_over};

const UPLOAD_EXPIRES: Duration = Duration::from_secs(3600);

/// How long a link to look at a file is good for.
const LINK_EXPIRES: Duration = Duration::from_secs(900);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// Not uploaded yet.
    Waiting,
    /// Uploaded, and what it was announced to be.
    Ready,
    /// Uploaded, and something else.
    Refused,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Media {
    pub id: MediaId,
    pub file_name: String,
    pub mime_type: MediaType,
    pub size: u64,
    pub state: MediaState,
    pub created_at: Timestamp,
}

/// What a caller announces.
#[derive(Debug, Clone)]
pub struct NewMedia {
    pub file_name: String,
    pub mime_type: String,
    pub size: u64,
}

impl Media {
    /// Why the file cannot be used, in words.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self.state {
            MediaState::Ready => None,
            MediaState::Waiting => Some("the file is not uploaded yet".to_owned()),
            MediaState::Refused => Some(format!(
                "the file is not what its type {} says; upload it again under its own type",
                self.mime_type
            )),
        }
    }

    fn file(&self, workspace: &WorkspaceId) -> String {
        format!("media/{workspace}/{}", self.id)
    }
}

/// Announces a file and says where to upload it.
///
/// # Errors
/// WhatsApp does not take such a file, or one so large; every refused field is named.
pub async fn create(app: &App, actor: &Actor, new: NewMedia) -> Result<(Media, Presigned), Error> {
    actor.require(Permission::WriteCampaigns)?;
    let mut refused: Vec<FieldError> = Vec::new();
    let name = file_name(&new.file_name).map_err(|fault| refused.push(fault.into()));
    let mime_type = MediaType::parse(&new.mime_type).map_err(|fault| refused.push(fault.into()));
    if let Some(message) = wrong_size(new.size, mime_type.ok()) {
        let field = "size".to_owned();
        refused.push(FieldError { field, message });
    }
    let (Ok(file_name), Ok(mime_type), []) = (name, mime_type, refused.as_slice()) else {
        return Err(Error::Invalid(refused));
    };
    let media = Media {
        id: MediaId::fresh(),
        file_name,
        mime_type,
        size: new.size,
        state: MediaState::Waiting,
        created_at: app.now(),
    };
    let file = media.file(&actor.workspace);
    let upload = app.files.presign_put(&file, media.size, UPLOAD_EXPIRES);
    let upload = upload.await?;
    let scope = app.store.workspace(&actor.workspace);
    app.store
        .write(Write::create(scope.media(&media.id), &media)?)
        .await?
        .or(|| Error::broken("a media id was used twice"))?;
    Ok((media, upload))
}

/// A file, and where to look at it when it is ready.
///
/// # Errors
/// The file does not exist in this workspace.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: &MediaId,
) -> Result<(Media, Option<Presigned>), Error> {
    actor.require(Permission::ReadCampaigns)?;
    let media = looked_at(app, app.store.workspace(&actor.workspace), id).await?;
    let link = match media.state {
        MediaState::Ready => {
            let file = media.file(&actor.workspace);
            let link = app.files.presign_get(&file, &media.file_name, LINK_EXPIRES);
            Some(link.await?)
        }
        MediaState::Waiting | MediaState::Refused => None,
    };
    Ok((media, link))
}

/// Deletes a file. Numbers that were given it show it for some days more; a campaign that needs it
/// again after that stops, and says why.
///
/// # Errors
/// The file does not exist in this workspace.
pub async fn delete(app: &App, actor: &Actor, id: &MediaId) -> Result<(), Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let media = find(app, scope, id).await?;
    // The file first: whoever repeats a deletion that died half way still finds what is left.
    app.files.delete(&media.file(scope.workspace)).await?;
    app.store.write(Write::delete(scope.media(id))).await?;
    Ok(())
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &MediaId) -> Result<Media, Error> {
    app.store
        .get(&scope.media(id))
        .await?
        .ok_or_else(|| Error::not_found("the file"))
}

/// The file as it stands, once what was uploaded has been looked at.
pub(crate) async fn looked_at(app: &App, scope: Scope<'_>, id: &MediaId) -> Result<Media, Error> {
    let media = find(app, scope, id).await?;
    if media.state != MediaState::Waiting {
        return Ok(media);
    }
    let file = media.file(scope.workspace);
    if app.files.size(&file).await? != Some(media.size) {
        return Ok(media);
    }
    let state = match media.mime_type.matches(&head(app, &file).await?) {
        true => MediaState::Ready,
        false => MediaState::Refused,
    };
    let seen = Write::update(scope.media(id))
        .set("state", &state)?
        .if_equals("state", &MediaState::Waiting)?;
    // Somebody else who looked in the same moment saw the same.
    app.store.write(seen).await?;
    Ok(Media { state, ..media })
}

/// The beginning of a file, as much as tells its type.
async fn head(app: &App, file: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = app.files.open(file, 0).await?;
    let mut head = Vec::with_capacity(HEAD);
    while head.len() < HEAD
        && let Some(piece) = bytes.next().await
    {
        let piece = piece.map_err(|error| Error::unavailable("a file cannot be read", error))?;
        head.extend_from_slice(&piece);
    }
    head.truncate(HEAD);
    Ok(head)
}

fn wrong_size(size: u64, mime_type: Option<MediaType>) -> Option<String> {
    if size == 0 {
        return Some("the file is empty".to_owned());
    }
    let kind = mime_type?.kind();
    let most = kind.size_max();
    (size > most).then(|| {
        format!(
            "WhatsApp takes {} of at most {} MB",
            kind.in_words(),
            most >> 20
        )
    })
}
