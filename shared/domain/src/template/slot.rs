//! The address of a variable inside a template, as people, forms and the API write it:
//! `header.1`, `body.2`, `body.first_name`, `button.0`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where a variable stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    Header(Key),
    Body(Key),
    /// The end of a link, or the code to copy, of the button at this index among all buttons
    /// (Meta: button parameter index). A button has at most one variable, so it needs no key.
    Button(usize),
}

/// What stands between the braces. Numbers sort as numbers: `body.2` before `body.10`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Position(u32),
    Name(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a place for a variable: write `header.1`, `body.2`, `body.first_name` or `button.0`"
)]
pub struct NotASlot(pub String);

impl Key {
    /// Letters, digits and underscores (Meta: named parameters). A number written in any way but
    /// its own, such as `007`, is a name, so that every key prints exactly as it was read.
    pub fn parse(text: &str) -> Option<Self> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.is_empty() || !text.chars().all(word) {
            return None;
        }
        match text.parse::<u32>() {
            Ok(number) if number > 0 && number.to_string() == text => Some(Self::Position(number)),
            _ => Some(Self::Name(text.to_owned())),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(key) => write!(f, "header.{key}"),
            Self::Body(key) => write!(f, "body.{key}"),
            Self::Button(index) => write!(f, "button.{index}"),
        }
    }
}

impl FromStr for Slot {
    type Err = NotASlot;

    fn from_str(text: &str) -> Result<Self, NotASlot> {
        let slot = text
            .split_once('.')
            .and_then(|(part, key)| match part {
                "header" => Key::parse(key).map(Self::Header),
                "body" => Key::parse(key).map(Self::Body),
                "button" => key.parse().map(Self::Button).ok(),
                _ => None,
            })
            // `button.00` and `button.+0` would be second spellings of one slot.
            .filter(|slot| slot.to_string() == text);
        slot.ok_or_else(|| NotASlot(text.to_owned()))
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
