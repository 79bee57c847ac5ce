//! Labels: words that a team puts on chats. A workspace has few, so all are one item.

use domain::contact::InvalidField;
use domain::id::LabelId;
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::{Scope, Write};
use crate::{Actor, App, Error};

/// The most labels of a workspace; with the longest names they fill an eighth of an item.
const LABELS_MAX: usize = 200;

const NAME_MAX: usize = 50;

/// How often the labels are looked at again when somebody else changes them at the same moment.
const ATTEMPTS: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub id: LabelId,
    pub name: String,
    /// `#` and six hexadecimal digits.
    pub colour: String,
    pub created_at: Timestamp,
}

/// What a caller gives to make a label, or changes of one; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct LabelPatch {
    pub name: Option<String>,
    pub colour: Option<String>,
}

/// The colour of a label that was given none.
const COLOUR: &str = "#667085";

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Labels {
    labels: Vec<Label>,
    version: u64,
}

/// All labels of the workspace, by name.
///
/// # Errors
/// The store cannot be reached.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Label>, Error> {
    actor.require(Permission::ReadChats)?;
    let scope = app.store.workspace(&actor.workspace);
    let mut labels = read(app, scope).await?.labels;
    labels.sort_by_key(|label| label.name.to_lowercase());
    Ok(labels)
}

/// # Errors
/// The name or the colour is not acceptable, the name is taken, or there are too many labels.
pub async fn create(app: &App, actor: &Actor, new: LabelPatch) -> Result<Label, Error> {
    actor.require(Permission::WriteWorkspace)?;
    let label = Label {
        id: LabelId::fresh(),
        name: name(new.name.as_deref().unwrap_or_default())?,
        colour: colour(new.colour.as_deref().unwrap_or(COLOUR))?,
        created_at: app.now(),
    };
    change(app, actor, |labels| {
        if labels.len() == LABELS_MAX {
            let message = format!("a workspace has at most {LABELS_MAX} labels");
            return Err(Error::refused("too_many_labels", message));
        }
        free(labels, &label.id, &label.name)?;
        labels.push(label.clone());
        Ok(label.clone())
    })
    .await
}

/// # Errors
/// The label does not exist, a field is not acceptable, or the name is taken.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: &LabelId,
    patch: LabelPatch,
) -> Result<Label, Error> {
    actor.require(Permission::WriteWorkspace)?;
    let new_name = patch.name.as_deref().map(name).transpose()?;
    let new_colour = patch.colour.as_deref().map(colour).transpose()?;
    change(app, actor, |labels| {
        if let Some(name) = &new_name {
            free(labels, id, name)?;
        }
        let label = labels
            .iter_mut()
            .find(|label| label.id == *id)
            .ok_or_else(missing)?;
        if let Some(name) = &new_name {
            label.name.clone_from(name);
        }
        if let Some(colour) = &new_colour {
            label.colour.clone_from(colour);
        }
        Ok(label.clone())
    })
    .await
}

/// Deletes a label. Chats that had it keep its id, which names nothing any more and is never used again.
///
/// # Errors
/// The label does not exist in this workspace.
pub async fn delete(app: &App, actor: &Actor, id: &LabelId) -> Result<(), Error> {
    actor.require(Permission::WriteWorkspace)?;
    change(app, actor, |labels| {
        let place = labels
            .iter()
            .position(|label| label.id == *id)
            .ok_or_else(missing)?;
        labels.remove(place);
        Ok(())
    })
    .await
}

/// Whether all of these are labels of the workspace.
///
/// # Errors
/// The store cannot be reached.
pub(crate) async fn exist<'a>(
    app: &App,
    scope: Scope<'_>,
    mut ids: impl Iterator<Item = &'a LabelId>,
) -> Result<bool, Error> {
    let labels = read(app, scope).await?.labels;
    Ok(ids.all(|id| labels.iter().any(|label| label.id == *id)))
}

async fn read(app: &App, scope: Scope<'_>) -> Result<Labels, Error> {
    Ok(app.store.get(&scope.labels()).await?.unwrap_or_default())
}

async fn change<T>(
    app: &App,
    actor: &Actor,
    mut edit: impl FnMut(&mut Vec<Label>) -> Result<T, Error>,
) -> Result<T, Error> {
    let scope = app.store.workspace(&actor.workspace);
    for _ in 0..ATTEMPTS {
        let before = read(app, scope).await?;
        let mut after = before.clone();
        let edited = edit(&mut after.labels)?;
        after.version += 1;
        let write = Write::put(scope.labels(), &after)?;
        let write = match before.version {
            0 => write.if_absent(),
            version => write.if_equals("version", &version)?,
        };
        if app.store.write(write).await?.yes() {
            return Ok(edited);
        }
    }
    Err(Error::unavailable(
        "the labels keep changing",
        "gave up after several attempts",
    ))
}

/// Nobody else has the name, in whatever case.
fn free(labels: &[Label], id: &LabelId, name: &str) -> Result<(), Error> {
    let name = name.to_lowercase();
    let taken = labels
        .iter()
        .any(|label| label.id != *id && label.name.to_lowercase() == name);
    if taken {
        return Err(Error::refused(
            "name_taken",
            "there is already a label with this name",
        ));
    }
    Ok(())
}

fn missing() -> Error {
    Error::not_found("the label")
}

fn name(text: &str) -> Result<String, InvalidField> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        let message = format!("a label has a name of 1 to {NAME_MAX} characters on one line");
        return Err(InvalidField::new("name", message));
    }
    Ok(name.to_owned())
}

fn colour(text: &str) -> Result<String, InvalidField> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        let message = "a colour is # and six hexadecimal digits, such as #12b76a";
        return Err(InvalidField::new("colour", message));
    }
    Ok(text.to_lowercase())
}
