//! What each column of a contact file means.
//!
//! Headers are matched by name; an explicit mapping wins. A header that is neither becomes a custom
//! attribute, so that nothing of the file is silently dropped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{InvalidField, attribute_key};

/// Where the values of one column go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    Name,
    Phone,
    Email,
    Groups,
    #[serde(rename = "attribute")]
    Attribute(String),
    Ignore,
}

/// An explicit mapping: header → target, where a target is `name`, `phone`, `email`, `groups`,
/// `ignore` or `attributes.<key>`.
pub type ColumnMapping = BTreeMap<String, String>;

/// Decides the columns of a file from its header row.
///
/// # Errors
/// A mapping names a header the file lacks or a target that does not exist, two columns claim the
/// phone, or no column holds it.
pub fn columns(headers: &[String], mapping: &ColumnMapping) -> Result<Vec<Column>, InvalidField> {
    for header in mapping.keys() {
        if !headers.iter().any(|present| same(present, header)) {
            return Err(InvalidField::new(
                format!("mapping.{header}"),
                format!(
                    "the file has no column {header:?}; its columns are: {}",
                    headers.join(", ")
                ),
            ));
        }
    }
    let mut columns = Vec::with_capacity(headers.len());
    for header in headers {
        let column = match mapping.iter().find(|(name, _)| same(name, header)) {
            Some((_, target)) => explicit(header, target)?,
            None => by_name(header),
        };
        if column != Column::Ignore && columns.contains(&column) {
            return Err(InvalidField::new(
                format!("mapping.{header}"),
                "two columns go to the same place; map one of them to \"ignore\"",
            ));
        }
        columns.push(column);
    }
    if columns.contains(&Column::Phone) {
        Ok(columns)
    } else {
        Err(InvalidField::new(
            "mapping",
            format!(
                "no column holds the phone number; name one \"phone\" or map it. The columns are: {}",
                headers.join(", ")
            ),
        ))
    }
}

fn explicit(header: &str, target: &str) -> Result<Column, InvalidField> {
    Ok(match target {
        "name" => Column::Name,
        "phone" => Column::Phone,
        "email" => Column::Email,
        "groups" => Column::Groups,
        "ignore" => Column::Ignore,
        _ => match target.strip_prefix("attributes.") {
            Some(key) => Column::Attribute(attribute_key(key)?),
            None => {
                return Err(InvalidField::new(
                    format!("mapping.{header}"),
                    "map a column to name, phone, email, groups, ignore or attributes.<key>",
                ));
            }
        },
    })
}

fn by_name(header: &str) -> Column {
    let key = slug(header);
    match key.as_str() {
        "name" | "full_name" | "fullname" | "nama" => Column::Name,
        "phone" | "phone_number" | "mobile" | "mobile_number" | "whatsapp" | "whatsapp_number"
        | "telepon" | "no_hp" | "nomor" => Column::Phone,
        "email" | "e_mail" | "email_address" => Column::Email,
        "groups" | "group" | "tags" | "grup" => Column::Groups,
        "" => Column::Ignore,
        _ => attribute_key(&key).map_or(Column::Ignore, Column::Attribute),
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn slug(header: &str) -> String {
    let mut slug = String::new();
    for c in header.trim().to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn headers_are_matched_by_name_and_the_rest_are_attributes() {
        let columns = columns(
            &headers(&["Full Name", "WhatsApp", "E-Mail", "City of birth"]),
            &ColumnMapping::new(),
        );
        assert_eq!(
            columns.unwrap(),
            [
                Column::Name,
                Column::Phone,
                Column::Email,
                Column::Attribute("city_of_birth".into())
            ]
        );
    }

    #[test]
    fn an_explicit_mapping_wins() {
        let mapping = ColumnMapping::from([
            ("Contact".to_owned(), "phone".to_owned()),
            ("phone".to_owned(), "attributes.landline".to_owned()),
        ]);
        let columns = columns(&headers(&["contact", "phone"]), &mapping).unwrap();
        assert_eq!(
            columns,
            [Column::Phone, Column::Attribute("landline".into())]
        );
    }

    #[test]
    fn a_file_without_a_phone_column_is_refused_with_its_columns() {
        let refused = columns(&headers(&["name", "city"]), &ColumnMapping::new()).unwrap_err();
        assert!(refused.message.contains("name, city"), "{refused}");
    }

    #[test]
    fn a_mapping_of_a_column_that_is_not_there_is_refused() {
        let mapping = ColumnMapping::from([("mobil".to_owned(), "phone".to_owned())]);
        let refused = columns(&headers(&["mobile"]), &mapping).unwrap_err();
        assert_eq!(refused.field, "mapping.mobil");
    }
}
