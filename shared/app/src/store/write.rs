//! A write: one item and the conditions under which it takes place. [`super::commit`] carries it out.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::key::Key;
use crate::Error;

pub(super) type Item = HashMap<String, AttributeValue>;

/// One write, made by its constructors and refined by its methods.
#[derive(Debug, Clone)]
#[must_use]
pub struct Write {
    pub(super) key: Key,
    pub(super) kind: Kind,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
    conditions: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Put(Item),
    Update {
        sets: Vec<String>,
        adds: Vec<String>,
        removes: Vec<String>,
    },
    Delete,
    Check,
}

/// Whether a write with conditions took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    Yes,
    /// Nothing was written; these writes' conditions did not hold, by their place in the transaction.
    No(Vec<usize>),
}

impl Committed {
    #[must_use]
    pub fn yes(&self) -> bool {
        *self == Self::Yes
    }

    /// Turns a failed condition into the error it meant at this call.
    ///
    /// # Errors
    /// What `meaning` says.
    pub fn or(self, meaning: impl FnOnce() -> Error) -> Result<(), Error> {
        match self {
            Self::Yes => Ok(()),
            Self::No(_) => Err(meaning()),
        }
    }
}

impl Write {
    /// Writes a whole item.
    ///
    /// # Errors
    /// The item cannot be expressed in DynamoDB's types.
    pub fn put<T: Serialize>(key: Key, item: &T) -> Result<Self, Error> {
        let item = to_item(item)?;
        Ok(Self::new(key, Kind::Put(item)))
    }

    /// Writes a whole item that must not exist yet.
    ///
    /// # Errors
    /// The item cannot be expressed in DynamoDB's types.
    pub fn create<T: Serialize>(key: Key, item: &T) -> Result<Self, Error> {
        Ok(Self::put(key, item)?.if_absent())
    }

    /// Changes attributes of an item, which is created when absent unless a condition forbids it.
    pub fn update(key: Key) -> Self {
        Self::new(
            key,
            Kind::Update {
                sets: Vec::new(),
                adds: Vec::new(),
                removes: Vec::new(),
            },
        )
    }

    pub fn delete(key: Key) -> Self {
        Self::new(key, Kind::Delete)
    }

    /// Writes nothing, but the transaction holds only if the conditions do.
    pub fn check(key: Key) -> Self {
        Self::new(key, Kind::Check)
    }

    fn new(key: Key, kind: Kind) -> Self {
        Self {
            key,
            kind,
            names: HashMap::new(),
            values: HashMap::new(),
            conditions: Vec::new(),
        }
    }

    /// # Errors
    /// The value cannot be expressed in DynamoDB's types.
    pub fn set<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Result<Self, Error> {
        let clause = self.pair(name, to_value(value)?, " = ");
        if let Kind::Update { sets, .. } = &mut self.kind {
            sets.push(clause);
        }
        Ok(self)
    }

    pub fn add(mut self, name: &str, by: i64) -> Self {
        let clause = self.pair(name, AttributeValue::N(by.to_string()), " ");
        if let Kind::Update { adds, .. } = &mut self.kind {
            adds.push(clause);
        }
        self
    }

    pub fn remove(mut self, name: &str) -> Self {
        let name = self.name(name);
        if let Kind::Update { removes, .. } = &mut self.kind {
            removes.push(name);
        }
        self
    }

    /// Adds an attribute to a whole item that is being put, for the sparse indexes.
    pub fn with(mut self, name: &str, value: String) -> Self {
        if let Kind::Put(item) = &mut self.kind {
            item.insert(name.to_owned(), AttributeValue::S(value));
        }
        self
    }

    pub fn if_absent(mut self) -> Self {
        let name = self.name("pk");
        self.conditions
            .push(format!("attribute_not_exists({name})"));
        self
    }

    pub fn if_present(mut self) -> Self {
        let name = self.name("pk");
        self.conditions.push(format!("attribute_exists({name})"));
        self
    }

    /// The attribute has no value yet.
    pub fn if_missing(mut self, name: &str) -> Self {
        let name = self.name(name);
        self.conditions
            .push(format!("attribute_not_exists({name})"));
        self
    }

    /// # Errors
    /// The value cannot be expressed in DynamoDB's types.
    pub fn if_equals<T: Serialize + ?Sized>(
        mut self,
        name: &str,
        value: &T,
    ) -> Result<Self, Error> {
        let clause = self.pair(name, to_value(value)?, " = ");
        self.conditions.push(clause);
        Ok(self)
    }

    /// The attribute is below the value, or absent.
    ///
    /// # Errors
    /// The value cannot be expressed in DynamoDB's types.
    pub fn if_below<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Result<Self, Error> {
        let below = self.pair(name, to_value(value)?, " < ");
        let name = self.name(name);
        self.conditions
            .push(format!("({below} OR attribute_not_exists({name}))"));
        Ok(self)
    }

    /// # Errors
    /// The value cannot be expressed in DynamoDB's types.
    pub fn if_at_least<T: Serialize + ?Sized>(
        mut self,
        name: &str,
        value: &T,
    ) -> Result<Self, Error> {
        let clause = self.pair(name, to_value(value)?, " >= ");
        self.conditions.push(clause);
        Ok(self)
    }

    fn name(&mut self, name: &str) -> String {
        let alias = format!("#{name}");
        self.names.insert(alias.clone(), name.to_owned());
        alias
    }

    fn pair(&mut self, name: &str, value: AttributeValue, operator: &str) -> String {
        let name = self.name(name);
        let alias = format!(":v{}", self.values.len());
        self.values.insert(alias.clone(), value);
        format!("{name}{operator}{alias}")
    }

    pub(super) fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    pub(super) fn expression(&self) -> String {
        let Kind::Update {
            sets,
            adds,
            removes,
        } = &self.kind
        else {
            return String::new();
        };
        [("SET", sets), ("ADD", adds), ("REMOVE", removes)]
            .into_iter()
            .filter(|(_, clauses)| !clauses.is_empty())
            .map(|(verb, clauses)| format!("{verb} {}", clauses.join(", ")))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn to_item<T: Serialize>(item: &T) -> Result<Item, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(item)
        .map_err(|error| Error::internal("an item cannot be written", error))
}

fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<AttributeValue, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value)
        .map_err(|error| Error::internal("a value cannot be written", error))
}

pub(super) fn whole(key: &Key, mut item: Item) -> Item {
    item.extend(key_item(key));
    item
}

pub(super) fn key_item(key: &Key) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}
