//! People who do not exist, in any number: what a run sends to.

use std::fmt::Write;

/// The group that all of them are in.
pub const GROUP: &str = "Customers";

/// A file to import: a header, and a line for each of `count` people with numbers of their own. Two
/// ranges that do not overlap share nobody.
#[must_use]
pub fn file(first: u32, count: u32) -> Vec<u8> {
    let mut file = "name,phone,company,city,groups\n".to_owned();
    for person in first..first + count {
        // Writing to a text cannot fail.
        let _ = writeln!(
            file,
            "Person {person},+62812{:08},Toko {person},Bandung,{GROUP}",
            10_000_000 + person
        );
    }
    file.into_bytes()
}
