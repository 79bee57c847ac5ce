//! The tenant, its people, and who may do what: one table, in one place.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The time zone a workspace lives in, by its IANA name: `Asia/Jakarta`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

/// The text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such time zone; write one such as Asia/Jakarta or Europe/Berlin")]
pub struct InvalidZone;

impl Zone {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its rules. A zone that the present database does not know any more counts as UTC.
    #[must_use]
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    /// A name in any spelling of its letters; it is kept in its own.
    fn try_from(text: String) -> Result<Self, InvalidZone> {
        let zone = TimeZone::get(text.trim()).map_err(|_| InvalidZone)?;
        let name = zone.iana_name().ok_or(InvalidZone)?;
        Ok(Self(name.to_owned()))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

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
    #[serde(rename = "chats:read")]
    ReadChats,
    #[serde(rename = "chats:write")]
    WriteChats,
    #[serde(rename = "channels:read")]
    ReadChannels,
    #[serde(rename = "channels:write")]
    WriteChannels,
    #[serde(rename = "api_keys:write")]
    WriteApiKeys,
    #[serde(rename = "members:read")]
    ReadMembers,
    #[serde(rename = "members:write")]
    WriteMembers,
    #[serde(rename = "audit:read")]
    ReadAudit,
    #[serde(rename = "workspace:write")]
    WriteWorkspace,
}

impl Permission {
    pub const ALL: [Self; 13] = [
        Self::ReadContacts,
        Self::WriteContacts,
        Self::ReadCampaigns,
        Self::WriteCampaigns,
        Self::ReadChats,
        Self::WriteChats,
        Self::ReadChannels,
        Self::WriteChannels,
        Self::WriteApiKeys,
        Self::ReadMembers,
        Self::WriteMembers,
        Self::ReadAudit,
        Self::WriteWorkspace,
    ];

    /// The scope's name, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadContacts => "contacts:read",
            Self::WriteContacts => "contacts:write",
            Self::ReadCampaigns => "campaigns:read",
            Self::WriteCampaigns => "campaigns:write",
            Self::ReadChats => "chats:read",
            Self::WriteChats => "chats:write",
            Self::ReadChannels => "channels:read",
            Self::WriteChannels => "channels:write",
            Self::WriteApiKeys => "api_keys:write",
            Self::ReadMembers => "members:read",
            Self::WriteMembers => "members:write",
            Self::ReadAudit => "audit:read",
            Self::WriteWorkspace => "workspace:write",
        }
    }
}

impl Role {
    /// The role's name, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Agent => "agent",
        }
    }

    /// The permission table.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        match self {
            Self::Owner | Self::Admin => true,
            Self::Agent => match permission {
                Permission::ReadContacts
                | Permission::WriteContacts
                | Permission::ReadCampaigns
                | Permission::ReadChats
                | Permission::WriteChats
                | Permission::ReadChannels
                | Permission::ReadMembers => true,
                Permission::WriteCampaigns
                | Permission::WriteChannels
                | Permission::WriteApiKeys
                | Permission::WriteMembers
                | Permission::ReadAudit
                | Permission::WriteWorkspace => false,
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
        assert!(Role::Agent.may(Permission::WriteChats));
        assert!(!Role::Agent.may(Permission::WriteCampaigns));
        assert!(!Role::Agent.may(Permission::WriteApiKeys));
    }

    #[test]
    fn a_time_zone_has_a_name_that_exists() {
        let zone = Zone::try_from("asia/jakarta".to_owned()).unwrap();
        assert_eq!(zone.as_str(), "Asia/Jakarta");
        for wrong in ["", "Mars/Olympus", "+07:00", "WIB"] {
            assert_eq!(
                Zone::try_from(wrong.to_owned()),
                Err(InvalidZone),
                "{wrong}"
            );
        }
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
