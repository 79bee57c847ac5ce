//! The way to the data: DynamoDB through its real client.
//!
//! Tenant data is reached only from [`Store::workspace`], whose keys all start with the workspace.
//! The few look-ups that cross workspaces are named in [`global`]. A [`key::Key`] is made by a
//! constructor in [`key`] and nowhere else, and there is deliberately no scan.

mod batch;
pub mod commit;
pub mod global;
pub mod key;
pub(crate) mod merge;
pub mod read;
pub mod write;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use domain::id::WorkspaceId;

use crate::Config;
use crate::config::Tables;
use crate::ports::Clock;
use key::Table;

pub use read::PageOf;
pub use write::{Committed, Write};

pub struct Store {
    client: Client,
    tables: Tables,
    clock: Arc<dyn Clock>,
}

/// The data of one workspace: the maker of its keys.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub(crate) workspace: &'a WorkspaceId,
}

impl Store {
    #[must_use]
    pub fn new(client: Client, config: &Config, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            tables: config.tables.clone(),
            clock,
        }
    }

    /// The data of one workspace, and of no other.
    #[must_use]
    pub fn workspace<'a>(&self, workspace: &'a WorkspaceId) -> Scope<'a> {
        Scope { workspace }
    }

    fn table(&self, table: Table) -> &str {
        match table {
            Table::Main => &self.tables.main,
            Table::Contacts => &self.tables.contacts,
            Table::Campaigns => &self.tables.campaigns,
            Table::Chats => &self.tables.chats,
            Table::Search => &self.tables.search,
            Table::Ephemeral => &self.tables.ephemeral,
        }
    }
}
