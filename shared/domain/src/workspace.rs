//! The tenant, its people, and who may do what: one table, in one place.

use serde::{Deserialize, Serialize};

/// What a member of a workspace is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    Agent,
}

/// Something a person or an API key may be allowed to do. Its name is also an API key's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    #[serde(rename = "contacts:read")]
    ReadContacts,
    #[serde(rename = "contacts:write")]
    WriteContacts,
    #[serde(rename = "campaigns:read")]
    ReadCampaigns,
    #[serde(rename = "campaigns:write")]
    WriteCampaigns,
    #[serde(rename = "channels:read")]
    ReadChannels,
    #[serde(rename = "channels:write")]
    WriteChannels,
    #[serde(rename = "api_keys:write")]
    WriteApiKeys,
}

impl Permission {
    pub const ALL: [Self; 7] = [
        Self::ReadContacts,
        Self::WriteContacts,
        Self::ReadCampaigns,
        Self::WriteCampaigns,
        Self::ReadChannels,
        Self::WriteChannels,
        Self::WriteApiKeys,
    ];

    /// The scope's name, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadContacts => "contacts:read",
            Self::WriteContacts => "contacts:write",
            Self::ReadCampaigns => "campaigns:read",
            Self::WriteCampaigns => "campaigns:write",
            Self::ReadChannels => "channels:read",
            Self::WriteChannels => "channels:write",
            Self::WriteApiKeys => "api_keys:write",
        }
    }
}

impl Role {
    /// The permission table.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        match self {
            Self::Owner | Self::Admin => true,
            Self::Agent => match permission {
                Permission::ReadContacts
                | Permission::WriteContacts
                | Permission::ReadCampaigns
                | Permission::ReadChannels => true,
                Permission::WriteCampaigns
                | Permission::WriteChannels
                | Permission::WriteApiKeys => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_answers_customers_but_does_not_spend_money() {
        assert!(Role::Agent.may(Permission::WriteContacts));
        assert!(!Role::Agent.may(Permission::WriteCampaigns));
        assert!(!Role::Agent.may(Permission::WriteApiKeys));
    }

    #[test]
    fn a_scope_has_one_name() {
        for permission in Permission::ALL {
            assert_eq!(
                serde_json::to_value(permission).unwrap(),
                permission.as_str()
            );
        }
    }
}
