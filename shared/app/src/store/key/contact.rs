//! Contacts, their identities and groups, and the imports that bring them.

use domain::id::{ContactId, GroupId, ImportId};
use domain::phone::Phone;

use super::{Key, Range, Table};
use crate::store::Scope;

impl Scope<'_> {
    #[must_use]
    pub fn contact(&self, contact: &ContactId) -> Key {
        Key::new(
            Table::Contacts,
            self.pk(&format!("#CONTACT#{:x}", contact.shard())),
            contact.as_str(),
        )
    }

    #[must_use]
    pub fn contacts(&self, shard: u8) -> Range {
        Range::new(Table::Contacts, self.pk(&format!("#CONTACT#{shard:x}")), "")
    }

    /// Keeps a phone number unique in the workspace and finds its contact.
    #[must_use]
    pub fn phone(&self, phone: &Phone) -> Key {
        Key::new(
            Table::Contacts,
            self.pk(&format!("#PHONE#{phone}")),
            "IDENTITY",
        )
    }

    /// Finds the contact of a person who hides their number.
    #[must_use]
    pub fn user_id(&self, user_id: &str) -> Key {
        Key::new(
            Table::Contacts,
            self.pk(&format!("#USERID#{user_id}")),
            "IDENTITY",
        )
    }

    #[must_use]
    pub fn membership(&self, group: &GroupId, contact: &ContactId) -> Key {
        let pk = self.pk(&format!("#GROUP#{group}#{:x}", contact.shard()));
        Key::new(Table::Contacts, pk, contact.as_str())
    }

    #[must_use]
    pub fn members(&self, group: &GroupId, shard: u8) -> Range {
        Range::new(
            Table::Contacts,
            self.pk(&format!("#GROUP#{group}#{shard:x}")),
            "",
        )
    }

    #[must_use]
    pub fn group(&self, group: &GroupId) -> Key {
        Key::new(Table::Main, self.pk("#GROUP"), group.as_str())
    }

    #[must_use]
    pub fn groups(&self) -> Range {
        Range::new(Table::Main, self.pk("#GROUP"), "")
    }

    /// Keeps the name of a group unique, in lower case.
    #[must_use]
    pub fn group_name(&self, name: &str) -> Key {
        Key::new(Table::Main, self.pk("#GROUPNAME"), name.to_lowercase())
    }

    #[must_use]
    pub fn import(&self, import: &ImportId) -> Key {
        Key::new(Table::Main, self.pk("#IMPORT"), import.as_str())
    }

    #[must_use]
    pub fn imports(&self) -> Range {
        Range::new(Table::Main, self.pk("#IMPORT"), "")
    }

    /// The rows that one step of an import refused; zero-padded so that they sort by their place.
    #[must_use]
    pub fn import_failures(&self, import: &ImportId, offset: u64) -> Key {
        Key::new(
            Table::Main,
            self.pk(&format!("#IMPORT#{import}")),
            format!("FAILED#{offset:012}"),
        )
    }

    #[must_use]
    pub fn all_import_failures(&self, import: &ImportId) -> Range {
        Range::new(
            Table::Main,
            self.pk(&format!("#IMPORT#{import}")),
            "FAILED#",
        )
    }
}
