//! The life of an import.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// The file is not uploaded, or the import not started yet.
    Waiting,
    Running,
    Completed,
    /// The file cannot be read; nothing after the place reached was imported.
    Failed,
}
