//! The results of a campaign as CSV files.
//!
//! A step writes one file of at most a thousand chunks, a hundred thousand recipients, and of no more than
//! its invocation has time for, and moves the checkpoint past them; most campaigns are one file. A step that is repeated writes the same file
//! again. A campaign keeps its last export, and a new one begins from what is known by then.

mod table;

use std::time::Duration;

use domain::id::{CampaignId, WorkspaceId};
use domain::workspace::Permission;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::find;
use super::item::{Campaign, Progress};
use crate::ports::Served;
use crate::store::{Scope, Write};
use crate::task::CampaignExport;
use crate::{Actor, App, Error};

/// How many chunks one file holds: fewer rows than a spreadsheet takes, and little enough memory.
const FILE_CHUNKS: u32 = 1_000;

/// How long the files are kept; the template says the same.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a link to a file works.
const LINK_EXPIRES: Duration = Duration::from_secs(900);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    Running,
    Completed,
}

/// The last export of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Export {
    /// Counts the exports of the campaign.
    number: u32,
    pub state: ExportState,
    /// Every chunk before this one is in a file.
    chunk: u32,
    files: u32,
    /// How many recipients the files hold.
    pub rows: u64,
    pub created_at: Timestamp,
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
}

/// A file to fetch, while its link works.
#[derive(Debug, Clone)]
pub struct ExportFile {
    pub name: String,
    pub url: String,
}

/// Begins an export; while one is running there is no other, and asking again only queues it again.
///
/// # Errors
/// The campaign does not exist in this workspace, or has not started.
pub async fn start(app: &App, actor: &Actor, id: &CampaignId) -> Result<Export, Error> {
    let (scope, campaign) = found(app, actor, id).await?;
    if campaign.state.editable() {
        return Err(Error::refused(
            "wrong_state",
            "the campaign has not started, so it has no results yet",
        ));
    }
    let old: Option<Export> = app.store.get(&scope.export(id)).await?;
    let export = match old {
        Some(running) if running.state == ExportState::Running => running,
        old => {
            let new = Export {
                number: old.as_ref().map_or(1, |old| old.number + 1),
                state: ExportState::Running,
                chunk: 0,
                files: 0,
                rows: 0,
                created_at: app.now(),
                finished_at: None,
            };
            let write = match old {
                None => Write::create(scope.export(id), &new)?,
                Some(old) => {
                    Write::put(scope.export(id), &new)?.if_equals("number", &old.number)?
                }
            };
            app.store
                .write(write)
                .await?
                .or(|| Error::refused("conflict", "an export was begun at the same moment"))?;
            new
        }
    };
    enqueue(app, &actor.workspace, id, &export).await?;
    Ok(export)
}

/// The last export, with links to its files once they are all there.
///
/// # Errors
/// The campaign does not exist in this workspace, or has no export whose files are kept.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
) -> Result<(Export, Vec<ExportFile>), Error> {
    let (scope, campaign) = found(app, actor, id).await?;
    let export: Option<Export> = app.store.get(&scope.export(id)).await?;
    let export = export
        .filter(|export| app.now().duration_since(export.created_at) < KEPT)
        .ok_or_else(|| Error::not_found("the export"))?;
    let mut files = Vec::new();
    if export.state == ExportState::Completed {
        for place in 0..export.files {
            let name = name(&campaign, &export, place);
            let key = key(&actor.workspace, id, export.number, place);
            let served = Served::saved(&name);
            let link = app.files.presign_get(&key, served, LINK_EXPIRES).await?;
            files.push(ExportFile {
                name,
                url: link.url,
            });
        }
    }
    Ok((export, files))
}

/// Writes the next file of an export, and queues the step after it when there is more.
///
/// # Errors
/// The store or the files cannot be reached; the step may be repeated.
pub async fn run(app: App, task: CampaignExport) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let export: Option<Export> = app.store.get(&scope.export(&task.campaign)).await?;
    let Some(export) = export
        .filter(|export| export.number == task.number && export.state == ExportState::Running)
    else {
        return Ok(());
    };
    let campaign = find(&app, scope, &task.campaign).await?;
    let progress: Progress = app
        .store
        .get(&scope.progress(&campaign.id))
        .await?
        .unwrap_or_default();
    let until = progress.chunks.min(export.chunk + FILE_CHUNKS);
    let table = table::write(&app, scope, &campaign, export.chunk..until).await?;
    let key = key(&task.workspace, &campaign.id, export.number, export.files);
    app.files.put(&key, table.bytes).await?;
    let moved = Export {
        chunk: table.next,
        files: export.files + 1,
        rows: export.rows + table.rows,
        ..export.clone()
    };
    let ended = table.next >= progress.chunks;
    if !commit(&app, scope, &campaign.id, &export, &moved, ended).await? {
        // Another step wrote this file and goes on.
        return Ok(());
    }
    if !ended {
        enqueue(&app, &task.workspace, &campaign.id, &moved).await?;
    }
    Ok(())
}

/// Moves the checkpoint past a file; whether it was still where this step believed it to be.
async fn commit(
    app: &App,
    scope: Scope<'_>,
    campaign: &CampaignId,
    from: &Export,
    to: &Export,
    ended: bool,
) -> Result<bool, Error> {
    let mut write = Write::update(scope.export(campaign))
        .set("chunk", &to.chunk)?
        .set("files", &to.files)?
        .set("rows", &to.rows)?
        .if_equals("number", &from.number)?
        .if_equals("files", &from.files)?
        .if_equals("state", &ExportState::Running)?;
    if ended {
        write = write
            .set("state", &ExportState::Completed)?
            .set("finished_at", &app.now())?;
    }
    Ok(app.store.write(write).await?.yes())
}

/// The campaign, for somebody who may see its recipients by name.
async fn found<'a>(
    app: &App,
    actor: &'a Actor,
    id: &CampaignId,
) -> Result<(Scope<'a>, Campaign), Error> {
    actor.require(Permission::ReadCampaigns)?;
    actor.require(Permission::ReadContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    Ok((scope, find(app, scope, id).await?))
}

async fn enqueue(
    app: &App,
    workspace: &WorkspaceId,
    campaign: &CampaignId,
    export: &Export,
) -> Result<(), Error> {
    let task = CampaignExport {
        workspace: workspace.clone(),
        campaign: campaign.clone(),
        number: export.number,
    };
    app.enqueue(&task, Duration::ZERO).await
}

fn key(workspace: &WorkspaceId, campaign: &CampaignId, number: u32, place: u32) -> String {
    format!("exports/{workspace}/{campaign}/{number}-{place}.csv")
}

/// The name under which a file is saved. A campaign's name may hold what a file's may not.
fn name(campaign: &Campaign, export: &Export, place: u32) -> String {
    let mut name: String = campaign
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    if export.files > 1 {
        name.push_str(&format!("-{}", place + 1));
    }
    format!("{name}.csv")
}
