//! The contacts to import: a file that is there, or one that is made up.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::screen::grouped;

/// Where the file lies next to a checkout.
const BESIDE: &str = "shared/data/contacts-10k.csv";
const ROWS: usize = 10_000;

const FIRST: [&str; 10] = [
    "Budi", "Siti", "Agus", "Dewi", "Rizky", "Putri", "Joko", "Ayu", "Bambang", "Kartika",
];
const LAST: [&str; 8] = [
    "Santoso",
    "Wijaya",
    "Anggraini",
    "Hidayat",
    "Lestari",
    "Pratama",
    "Nugroho",
    "Saputra",
];
const COMPANIES: [&str; 5] = [
    "PT Maju Bersama",
    "\"CV Hutasoit, Tbk\"",
    "UD Haryanti",
    "",
    "PT Nusantara",
];
const CITIES: [&str; 6] = ["Jakarta", "Bandung", "Surabaya", "", "Medan", "Denpasar"];
const GROUPS: [&str; 7] = [
    "Customers",
    "Leads",
    "VIP",
    "Jakarta",
    "Newsletter",
    "Customers|Newsletter",
    "Jakarta|VIP",
];
const NOT_NUMBERS: [&str; 4] = ["call me", "12", "+62", ""];

pub(crate) struct Contacts {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Where they come from, for the reader.
    pub(crate) origin: String,
}

impl Contacts {
    /// The file that was named, else the one that lies beside this or an outer folder, else ones
    /// that are made up, so that the demo works on any clone.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = named {
            return Self::read(path);
        }
        let here = std::env::current_dir()?;
        let found = here.ancestors().skip(1).map(|outer| outer.join(BESIDE));
        match found.into_iter().find(|path| path.is_file()) {
            Some(path) => Self::read(&path),
            None => Ok(Self {
                name: "demo-contacts.csv".to_owned(),
                bytes: made_up().into_bytes(),
                origin: format!(
                    "{} made-up contacts, because there is no ../{BESIDE}",
                    grouped(ROWS as u64)
                ),
            }),
        }
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let origin = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self {
            name: name.unwrap_or_else(|| "contacts.csv".to_owned()),
            bytes,
            origin: origin.display().to_string(),
        })
    }

    /// The groups the file names, in lower case; none when it has no column of that name.
    pub(crate) fn groups(&self) -> BTreeSet<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let mut rows = rows(text.trim_start_matches('\u{feff}')).into_iter();
        let header = rows.next().unwrap_or_default();
        let column = header
            .iter()
            .position(|name| name.trim().eq_ignore_ascii_case("groups"));
        let Some(column) = column else {
            return BTreeSet::new();
        };
        rows.filter_map(|row| row.into_iter().nth(column))
            .flat_map(|cell| {
                cell.split('|')
                    .map(|name| name.trim().to_lowercase())
                    .collect::<Vec<_>>()
            })
            .filter(|name| !name.is_empty())
            .collect()
    }
}

/// The cells of every row. Quotes may hold commas, line ends, and quotes that are doubled.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// Always the same contacts. Some repeat a number in another notation, and some have none.
fn made_up() -> String {
    let mut file = String::from("name,phone,email,company,city,groups\n");
    for row in 0..ROWS {
        let (first, last) = (
            FIRST[row % FIRST.len()],
            LAST[row / FIRST.len() % LAST.len()],
        );
        let phone = if row % 131 == 130 {
            NOT_NUMBERS[row % NOT_NUMBERS.len()].to_owned()
        } else if row % 51 == 50 {
            phone(row - 17, row)
        } else {
            phone(row, row)
        };
        let email = format!("{}.{row}@example.com", first.to_lowercase());
        let (company, city) = (COMPANIES[row % COMPANIES.len()], CITIES[row % CITIES.len()]);
        let groups = GROUPS[row % GROUPS.len()];
        // Writing to a text cannot fail.
        let _ = writeln!(
            file,
            "{first} {last},{phone},{email},{company},{city},{groups}"
        );
    }
    file
}

/// The mobile number of a person, in one of the notations people use.
fn phone(person: usize, notation: usize) -> String {
    let digits = (10_000_000 + person * 7_919).to_string();
    match notation % 4 {
        0 => format!("0812{digits}"),
        1 => format!("+62812{digits}"),
        2 => format!("62812{digits}"),
        _ => format!("+62 812-{}-{}", &digits[..4], &digits[4..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(text: &str) -> Contacts {
        Contacts {
            name: "a.csv".into(),
            bytes: text.as_bytes().to_vec(),
            origin: "a".into(),
        }
    }

    #[test]
    fn groups_are_found_behind_quotes_and_a_byte_order_mark() {
        let file =
            contacts("\u{feff}name,Groups\r\n\"a, \"\"b\"\"\nc\",VIP | Leads\r\nd,\r\ne,vip");
        let groups: Vec<_> = file.groups().into_iter().collect();
        assert_eq!(groups, ["leads", "vip"]);
        assert!(contacts("name,phone\na,1\n").groups().is_empty());
    }

    #[test]
    fn made_up_contacts_are_mostly_good() {
        let text = made_up();
        assert_eq!(text, made_up());
        let rows = rows(&text);
        assert_eq!(rows.len(), ROWS + 1);
        assert!(rows.iter().all(|row| row.len() == 6));
        let mut numbers = BTreeSet::new();
        let (mut duplicates, mut invalid) = (0, 0);
        for row in &rows[1..] {
            let digits: String = row[1].chars().filter(char::is_ascii_digit).collect();
            match digits.find("812").map(|place| digits[place..].to_owned()) {
                Some(number) => {
                    assert_eq!(number.len(), 11);
                    duplicates += usize::from(!numbers.insert(number));
                }
                None => invalid += 1,
            }
        }
        assert_eq!(invalid, 76);
        assert!((150..250).contains(&duplicates), "{duplicates}");
        assert_eq!(contacts(&text).groups().len(), 5);
    }
}
