//! The rows that an import did not take, and the file that lists them.

use domain::id::ImportId;
use domain::workspace::Permission;
use serde::{Deserialize, Serialize};

use super::find;
use crate::cell::harmless;
use crate::{Actor, App, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    Invalid,
    Duplicate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRow {
    /// The row's number in the file, where the header is row 1.
    pub row: u64,
    pub problem: Problem,
    pub field: String,
    pub reason: String,
    /// What stood there, shortened.
    pub value: String,
}

/// The failed rows of one step, stored with the checkpoint that passed them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Failures {
    pub(super) rows: Vec<FailedRow>,
}

/// The failed rows so far, in the order of the file, as CSV with a header.
///
/// # Errors
/// The import does not exist in this workspace.
pub async fn failed_rows(app: &App, actor: &Actor, id: &ImportId) -> Result<String, Error> {
    actor.require(Permission::ReadContacts)?;
    let scope = app.store.workspace(&actor.workspace);
    find(app, scope, id).await?;
    let steps: Vec<Failures> = app.store.all(&scope.all_import_failures(id)).await?;
    to_csv(steps.into_iter().flat_map(|step| step.rows))
}

fn to_csv(rows: impl Iterator<Item = FailedRow>) -> Result<String, Error> {
    let broken = |error| Error::internal("the failed rows cannot be written", error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(["row", "problem", "field", "reason", "value"])
        .map_err(broken)?;
    for row in rows {
        let problem = match row.problem {
            Problem::Invalid => "invalid",
            Problem::Duplicate => "duplicate",
        };
        writer
            .write_record([
                &row.row.to_string(),
                problem,
                &row.field,
                &row.reason,
                &harmless(&row.value),
            ])
            .map_err(broken)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Error::internal("the failed rows cannot be written", error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Error::internal("the failed rows are not text", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_a_failed_row_is_only_text() {
        let row = FailedRow {
            row: 7,
            problem: Problem::Invalid,
            field: "phone".into(),
            reason: "not a number".into(),
            value: "=HYPERLINK(\"http://x\")".into(),
        };
        let csv = to_csv([row].into_iter()).unwrap();
        assert!(csv.contains("'=HYPERLINK"), "{csv}");
    }
}
