//! The contacts to import: the ten thousand messy ones that the tests know too, or a named file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;

pub(crate) struct Contacts {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Where they come from, for the reader.
    pub(crate) origin: String,
}

impl Contacts {
    /// The file that was named, else the one this program carries.
    ///
    /// # Errors
    /// The named file cannot be read.
    pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        match named {
            Some(path) => Self::read(path),
            None => Ok(Self {
                name: "contacts-10k.csv".to_owned(),
                bytes: include_bytes!("../../../../tests/data/contacts-10k.csv").to_vec(),
                origin: "tests/data/contacts-10k.csv".to_owned(),
            }),
        }
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Ok(Self {
            name: name.unwrap_or_else(|| "contacts.csv".to_owned()),
            bytes,
            origin: path.display().to_string(),
        })
    }

    /// The groups the file names, in lower case; none when it has no column of that name.
    pub(crate) fn groups(&self) -> BTreeSet<String> {
        let mut rows = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(self.bytes.as_slice());
        let header = rows.byte_headers().cloned().unwrap_or_default();
        let is_groups = |name: &[u8]| name.trim_ascii().eq_ignore_ascii_case(b"groups");
        let Some(column) = header.iter().position(is_groups) else {
            return BTreeSet::new();
        };
        rows.byte_records()
            .filter_map(Result::ok)
            .filter_map(|row| {
                row.get(column)
                    .map(|cell| String::from_utf8_lossy(cell).to_lowercase())
            })
            .flat_map(|cell| {
                let names = cell.split('|').map(|name| name.trim().to_owned());
                names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_behind_quotes_and_a_byte_order_mark() {
        let contacts = |text: &str| Contacts {
            name: "a.csv".into(),
            bytes: text.as_bytes().to_vec(),
            origin: "a".into(),
        };
        let file =
            contacts("\u{feff}name,Groups\r\n\"a, \"\"b\"\"\nc\",VIP | Leads\r\nd,\r\ne,vip");
        let groups: Vec<_> = file.groups().into_iter().collect();
        assert_eq!(groups, ["leads", "vip"]);
        assert!(contacts("name,phone\na,1\n").groups().is_empty());
    }

    #[test]
    fn the_file_that_comes_along_names_five_groups() {
        assert_eq!(Contacts::find(None).unwrap().groups().len(), 5);
    }
}
