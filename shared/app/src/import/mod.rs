//! The import of a contact file: create, upload, start, and then step by step in the background.
//!
//! The checkpoint (a byte offset and the counts) moves in the same transaction as the contacts it
//! counts, conditional on where it was. So a step that is repeated continues, two steps at once
//! cannot both write, and no row is counted twice.

mod failures;
mod file;
mod step;
mod write;

use std::time::Duration;

use domain::contact::columns::{Column, ColumnMapping};
use domain::id::{GroupId, ImportId};
use domain::phone::Region;
use domain::realtime::Event;
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::page::{self, Order, Page, PageRequest};
use crate::ports::Presigned;
use crate::store::{Scope, Write};
use crate::task::ContactImport;
use crate::{Actor, App, Error, group, realtime};

pub use domain::import::ImportState;
pub use failures::{FailedRow, Problem, failed_rows};
pub use step::run;

/// The largest file, in bytes.
pub const SIZE_MAX: u64 = 100 * 1024 * 1024;

const FILE_NAME_MAX: usize = 200;

/// The most columns that are mapped by hand.
const COLUMNS_MAX: usize = 100;

const UPLOAD_EXPIRES: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    pub id: ImportId,
    pub file_name: String,
    pub(crate) file: String,
    pub size: u64,
    pub state: ImportState,
    pub(crate) default_region: Option<Region>,
    pub(crate) mapping: ColumnMapping,
    pub(crate) update_existing: bool,
    /// Groups that every contact of the file joins.
    pub(crate) groups: Vec<GroupId>,
    /// Known once the header row was read.
    #[serde(default)]
    pub(crate) layout: Option<Layout>,
    /// Every row before this byte is done.
    pub offset: u64,
    /// The number of the last row done, where the header is row 1.
    pub row: u64,
    pub accepted: u64,
    pub updated: u64,
    pub duplicates: u64,
    pub invalid: u64,
    /// Why the import failed, in words.
    #[serde(default)]
    pub reason: Option<String>,
    pub created_at: Timestamp,
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
}

impl Import {
    /// What open screens are told of it.
    fn event(&self, state: ImportState) -> Event {
        Event::ImportUpdated {
            import: self.id.clone(),
            state,
            offset: self.offset,
            size: self.size,
        }
    }
}

/// How the file is to be read: found out once and kept, so that a later step reads it the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) encoding: file::Encoding,
    pub(crate) delimiter: u8,
    pub(crate) columns: Vec<Column>,
}

/// What a caller gives to prepare an import.
#[derive(Debug, Clone)]
pub struct NewImport {
    pub file_name: String,
    pub size: u64,
    pub default_region: Option<Region>,
    pub mapping: ColumnMapping,
    pub update_existing: bool,
    pub groups: Vec<GroupId>,
}

/// Prepares an import and says where to upload its file.
///
/// # Errors
/// The file is empty or too large, or a group does not exist.
pub async fn create(
    app: &App,
    actor: &Actor,
    new: NewImport,
) -> Result<(Import, Presigned), Error> {
    actor.require(Permission::WriteContacts)?;
    if new.file_name.chars().count() > FILE_NAME_MAX || new.mapping.len() > COLUMNS_MAX {
        let message = format!(
            "a file name has at most {FILE_NAME_MAX} characters, and a mapping {COLUMNS_MAX} columns"
        );
        return Err(Error::invalid("file_name", message));
    }
    if new.size == 0 {
        return Err(Error::invalid("size", "the file is empty"));
    }
    if new.size > SIZE_MAX {
        return Err(Error::invalid(
            "size",
            format!("a file may have at most {} MB; split it", SIZE_MAX >> 20),
        ));
    }
    if new.mapping.keys().any(|header| header.trim().is_empty()) {
        let message = "a column is named by its header, which is not empty";
        return Err(Error::invalid("mapping", message));
    }
    let scope = app.store.workspace(&actor.workspace);
    for (place, id) in new.groups.iter().enumerate() {
        if group::find(app, scope, id).await?.is_none() {
            return Err(Error::invalid(
                format!("groups.{place}"),
                format!("there is no group {id}"),
            ));
        }
    }
    let id = ImportId::fresh();
    let import = Import {
        file: format!("imports/{}/{id}.csv", actor.workspace),
        id,
        file_name: new.file_name,
        size: new.size,
        state: ImportState::Waiting,
        default_region: new.default_region,
        mapping: new.mapping,
        update_existing: new.update_existing,
        groups: new.groups,
        layout: None,
        offset: 0,
        row: 0,
        accepted: 0,
        updated: 0,
        duplicates: 0,
        invalid: 0,
        reason: None,
        created_at: app.now(),
        finished_at: None,
    };
    let upload = app
        .files
        .presign_put(&import.file, import.size, UPLOAD_EXPIRES)
        .await?;
    app.store
        .write(Write::create(scope.import(&import.id), &import)?)
        .await?
        .or(|| Error::broken("an import id was used twice"))?;
    Ok((import, upload))
}

/// Starts the import of an uploaded file; starting it again changes nothing.
///
/// # Errors
/// The import does not exist, or its file was not uploaded.
pub async fn start(app: &App, actor: &Actor, id: &ImportId) -> Result<Import, Error> {
    actor.require(Permission::WriteContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    let import = find(app, scope, id).await?;
    match app.files.size(&import.file).await? {
        Some(size) if size == import.size => {}
        Some(_) => {
            return Err(Error::refused(
                "upload_incomplete",
                "the uploaded file does not have the announced size; upload it again",
            ));
        }
        None => return Err(Error::refused("not_uploaded", "upload the file first")),
    }
    let started = Write::update(scope.import(id))
        .set("state", &ImportState::Running)?
        .if_equals("state", &ImportState::Waiting)?;
    app.store.write(started).await?;
    let import = find(app, scope, id).await?;
    if import.state == ImportState::Running {
        let task = ContactImport {
            workspace: actor.workspace.clone(),
            import: id.clone(),
        };
        app.enqueue(&task, Duration::ZERO).await?;
        realtime::announce(app, scope, import.event(ImportState::Running)).await;
    }
    Ok(import)
}

/// # Errors
/// The import does not exist in this workspace.
pub async fn get(app: &App, actor: &Actor, id: &ImportId) -> Result<Import, Error> {
    actor.require(Permission::ReadContacts)?;
    find(app, app.store.workspace(&actor.workspace), id).await
}

/// # Errors
/// The page request is not acceptable.
pub async fn list(app: &App, actor: &Actor, page: &PageRequest) -> Result<Page<Import>, Error> {
    actor.require(Permission::ReadContacts)?;
    let range = app.store.workspace(&actor.workspace).imports();
    page::of_range(app, &range, page, Order::NewestFirst).await
}

pub(crate) async fn find(app: &App, scope: Scope<'_>, id: &ImportId) -> Result<Import, Error> {
    app.store
        .get(&scope.import(id))
        .await?
        .ok_or_else(|| Error::not_found("the import"))
}
