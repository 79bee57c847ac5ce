//! Who asks: a member through a session, or a machine through an API key; always for one workspace.

use domain::id::{ApiKeyId, UserId, WorkspaceId};
use domain::workspace::{Permission, Role};

use crate::Error;

/// The proof that a request may act for a workspace. Acts take it and read the workspace from it,
/// never from the request.
#[derive(Debug, Clone)]
pub struct Actor {
    pub workspace: WorkspaceId,
    pub who: Who,
}

#[derive(Debug, Clone)]
pub enum Who {
    Member {
        user: UserId,
        role: Role,
    },
    Key {
        key: ApiKeyId,
        scopes: Vec<Permission>,
    },
}

impl Actor {
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        match &self.who {
            Who::Member { role, .. } => role.may(permission),
            Who::Key { scopes, .. } => scopes.contains(&permission),
        }
    }

    /// # Errors
    /// The role or the key's scopes do not include the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Error> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(Error::Forbidden {
                needed: permission.as_str(),
            })
        }
    }

    /// For what several kinds of work share: any one of the permissions is enough.
    ///
    /// # Errors
    /// The role or the key's scopes include none of them; the first is named.
    pub fn require_any(&self, permissions: [Permission; 2]) -> Result<(), Error> {
        if permissions.iter().any(|permission| self.may(*permission)) {
            return Ok(());
        }
        self.require(permissions[0])
    }
}
