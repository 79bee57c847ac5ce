//! Writes: one item with conditions, or up to a hundred as one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValue, TransactWriteItem, Update,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Store;
use super::key::Key;
use crate::Error;

/// The most writes one transaction may hold (DynamoDB: TransactWriteItems).
pub const TRANSACTION_MAX: usize = 100;

/// How often a transaction that collided with another is repeated at once.
const COLLISIONS: u32 = 8;

type Item = HashMap<String, AttributeValue>;

/// One write, made by its constructors and refined by its methods.
#[derive(Debug, Clone)]
#[must_use]
pub struct Write {
    key: Key,
    kind: Kind,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    conditions: Vec<String>,
}

#[derive(Debug, Clone)]
enum Kind {
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

    fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    fn expression(&self) -> String {
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

impl Store {
    /// Writes one item.
    ///
    /// # Errors
    /// DynamoDB cannot be reached or refused the request itself.
    pub async fn write(&self, write: Write) -> Result<Committed, Error> {
        self.transact(vec![write]).await
    }

    /// Writes all or nothing. A collision with another transaction is repeated; a condition that does
    /// not hold is an answer, not an error.
    ///
    /// # Errors
    /// DynamoDB cannot be reached or refused the request itself.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<Committed, Error> {
        if let [write] = writes.as_slice() {
            return self.write_one(write).await;
        }
        let items = writes
            .into_iter()
            .map(|write| self.transact_item(write))
            .collect::<Result<Vec<_>, _>>()?;
        let mut collisions = 0;
        loop {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .send()
                .await;
            let error = match sent {
                Ok(_) => return Ok(Committed::Yes),
                Err(error) => error,
            };
            match cancelled(&error) {
                Some(Cancelled::Conditions(failed)) => return Ok(Committed::No(failed)),
                Some(Cancelled::Collision) if collisions < COLLISIONS => collisions += 1,
                Some(Cancelled::Collision) | None => {
                    return Err(Error::unavailable("a transaction failed", error));
                }
            }
        }
    }

    /// Changes one item and returns it as it is afterwards, or `None` when a condition did not hold.
    ///
    /// # Errors
    /// DynamoDB cannot be reached or refused the request itself.
    pub async fn update_returning<T: DeserializeOwned>(
        &self,
        write: Write,
    ) -> Result<Option<T>, Error> {
        let (condition, expression) = (write.condition(), write.expression());
        let sent = self
            .client
            .update_item()
            .table_name(self.table(write.key.table))
            .set_key(Some(key_item(&write.key)))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(some(write.names))
            .set_expression_attribute_values(some(write.values))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match sent {
            Ok(output) => output.attributes.map(super::read::from_item).transpose(),
            Err(error) => failed(error).map_or(Ok(None), Err),
        }
    }

    async fn write_one(&self, write: &Write) -> Result<Committed, Error> {
        let write = write.clone();
        let table = self.table(write.key.table);
        let (condition, expression) = (write.condition(), write.expression());
        let (names, values) = (some(write.names), some(write.values));
        let outcome = match write.kind {
            Kind::Put(item) => self
                .client
                .put_item()
                .table_name(table)
                .set_item(Some(whole(&write.key, item)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .send()
                .await
                .map(|_| ())
                .map_err(failed),
            Kind::Update { .. } => self
                .client
                .update_item()
                .table_name(table)
                .set_key(Some(key_item(&write.key)))
                .update_expression(expression)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .send()
                .await
                .map(|_| ())
                .map_err(failed),
            Kind::Delete => self
                .client
                .delete_item()
                .table_name(table)
                .set_key(Some(key_item(&write.key)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .send()
                .await
                .map(|_| ())
                .map_err(failed),
            Kind::Check => Err(Some(Error::broken("a check alone writes nothing"))),
        };
        match outcome {
            Ok(()) => Ok(Committed::Yes),
            Err(None) => Ok(Committed::No(vec![0])),
            Err(Some(error)) => Err(error),
        }
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, Error> {
        let table = self.table(write.key.table).to_owned();
        let (condition, expression) = (write.condition(), write.expression());
        let (names, values) = (some(write.names), some(write.values));
        let item = TransactWriteItem::builder();
        let item = match write.kind {
            Kind::Put(attributes) => item.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(whole(&write.key, attributes)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(incomplete)?,
            ),
            Kind::Update { .. } => item.update(
                Update::builder()
                    .table_name(table)
                    .set_key(Some(key_item(&write.key)))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(incomplete)?,
            ),
            Kind::Delete => item.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(key_item(&write.key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(incomplete)?,
            ),
            Kind::Check => item.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key_item(&write.key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(incomplete)?,
            ),
        };
        Ok(item.build())
    }
}

enum Cancelled {
    Conditions(Vec<usize>),
    Collision,
}

fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let codes: Vec<_> = cancelled
        .cancellation_reasons()
        .iter()
        .map(|reason| reason.code().unwrap_or("None"))
        .collect();
    let failed: Vec<usize> = codes
        .iter()
        .enumerate()
        .filter(|(_, code)| **code == "ConditionalCheckFailed")
        .map(|(place, _)| place)
        .collect();
    if !failed.is_empty() {
        return Some(Cancelled::Conditions(failed));
    }
    codes
        .contains(&"TransactionConflict")
        .then_some(Cancelled::Collision)
}

/// `None` stands for a condition that did not hold.
fn failed<E>(error: E) -> Option<Error>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    (error.code() != Some("ConditionalCheckFailedException"))
        .then(|| Error::unavailable("an item cannot be written", error))
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::internal("a write is incomplete", error)
}

fn some<T>(map: HashMap<String, T>) -> Option<HashMap<String, T>> {
    (!map.is_empty()).then_some(map)
}

fn to_item<T: Serialize>(item: &T) -> Result<Item, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(item)
        .map_err(|error| Error::internal("an item cannot be written", error))
}

fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<AttributeValue, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value)
        .map_err(|error| Error::internal("a value cannot be written", error))
}

fn whole(key: &Key, mut item: Item) -> Item {
    item.extend(key_item(key));
    item
}

pub(super) fn key_item(key: &Key) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}
