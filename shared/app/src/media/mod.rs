//! Media: files that were uploaded to be shown in messages, and files that people sent.
//!
//! The client uploads straight to where files are kept. What arrived is looked at once, when somebody
//! first asks for it, because a name and an announced type prove nothing. The file stays private; the
//! numbers that show it get copies of their own ([`hand_over`]).
//!
//! What people send is fetched from WhatsApp ([`fetch`]) and kept beside. Nobody is given more of either
//! than a link for some minutes.

pub mod fetch;
mod hand_over;
pub mod message;
mod picture;
pub mod received;
pub mod tick;

use std::time::Duration;

use domain::id::{MediaId, WorkspaceId};
use domain::media::{HEAD, MediaKind, MediaType, file_name, wrong_size};
use domain::workspace::Permission;
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::FieldError;
use crate::ports::{self, Presigned, Served};
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
    /// Why it was refused, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Of a picture, as it is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The type of the small picture, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<MediaType>,
    pub created_at: Timestamp,
}

/// Campaigns show files at the top of templates, and agents send them.
const WRITE: [Permission; 2] = [Permission::WriteCampaigns, Permission::WriteChats];
const READ: [Permission; 2] = [Permission::ReadCampaigns, Permission::ReadChats];

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
            MediaState::Refused => {
                let fault = self.fault.as_deref();
                Some(fault.unwrap_or("the file cannot be used").to_owned())
            }
        }
    }

    fn file(&self, workspace: &WorkspaceId) -> String {
        format!("media/{workspace}/{}", self.id)
    }

    fn served(&self) -> Served<'_> {
        Served {
            name: &self.file_name,
            mime_type: Some(self.mime_type),
        }
    }
}

/// Announces a file and says where to upload it.
///
/// # Errors
/// WhatsApp does not take such a file, or one so large; every refused field is named.
pub async fn create(app: &App, actor: &Actor, new: NewMedia) -> Result<(Media, Presigned), Error> {
    actor.require_any(WRITE)?;
    let mut refused: Vec<FieldError> = Vec::new();
    let name = file_name(&new.file_name).map_err(|fault| refused.push(fault.into()));
    let mime_type = MediaType::parse(&new.mime_type).map_err(|fault| refused.push(fault.into()));
    // An empty file is no file of any kind.
    let kind = mime_type.map_or(MediaKind::Document, MediaType::kind);
    if let Some(message) = wrong_size(new.size, kind) {
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
        fault: None,
        width: None,
        height: None,
        thumbnail: None,
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
    actor.require_any(READ)?;
    let media = looked_at(app, app.store.workspace(&actor.workspace), id).await?;
    let link = match media.state {
        MediaState::Ready => {
            let file = media.file(&actor.workspace);
            let link = app.files.presign_get(&file, media.served(), LINK_EXPIRES);
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
    let file = media.file(scope.workspace);
    app.files.delete(&file).await?;
    if media.thumbnail.is_some() {
        app.files.delete(&picture::small(&file)).await?;
    }
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
    let mut media = media;
    let head = head(app, &file).await?;
    media.fault = media.mime_type.fault(&head, media.size);
    if media.fault.is_none() && media.mime_type.is_picture() {
        measure(app, &file, &mut media).await?;
    }
    media.state = match media.fault {
        None => MediaState::Ready,
        Some(_) => MediaState::Refused,
    };
    // Somebody else who looked in the same moment saw the same.
    let seen = Write::put(scope.media(id), &media)?.if_equals("state", &MediaState::Waiting)?;
    app.store.write(seen).await?;
    Ok(media)
}

/// Looks at an uploaded picture, and keeps a small one beside it.
async fn measure(app: &App, file: &str, media: &mut Media) -> Result<(), Error> {
    let bytes = ports::read(&*app.files, file).await?;
    let Some(picture) = picture::look(media.mime_type, bytes.into()).await else {
        return Ok(());
    };
    let (width, height) = (picture.width, picture.height);
    media.width = Some(width);
    media.height = Some(height);
    media.fault = media.mime_type.kind().misshapen(width, height);
    if let Some(small) = picture.small.filter(|_| media.fault.is_none()) {
        app.files.put(&picture::small(file), small.bytes).await?;
        media.thumbnail = Some(small.mime_type);
    }
    Ok(())
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
