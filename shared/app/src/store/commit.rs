//! Carrying out writes: one by itself, or up to a hundred as one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use jiff::SignedDuration;
use serde::de::DeserializeOwned;

use super::Store;
use super::write::{Committed, Kind, Write, key_item, whole};
use crate::Error;

/// The most writes one transaction may hold (DynamoDB: TransactWriteItems).
pub const TRANSACTION_MAX: usize = 100;

/// How often a write that collided with another is repeated.
const TRIES: u32 = 6;

/// The longest first pause; each is twice the one before.
const PAUSE_MS: i64 = 20;

/// The reasons for which the same write may succeed in a moment (DynamoDB: TransactWriteItems).
const CONTENDED: [&str; 3] = [
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
];

/// What became of a conditional update whose item is wanted back.
#[derive(Debug)]
pub enum Updated<T> {
    /// The item as it is now.
    Yes(T),
    /// The item as it stands, if it exists; nothing was changed.
    No(Option<T>),
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
            let mut tries = 0;
            loop {
                match self.write_one(write).await {
                    Err(Failed::Condition) => return Ok(Committed::No(vec![0])),
                    Err(Failed::Contended(_)) if tries < TRIES => {
                        self.pause_again(&mut tries).await
                    }
                    Err(Failed::Contended(error) | Failed::Other(error)) => return Err(error),
                    Ok(()) => return Ok(Committed::Yes),
                }
            }
        }
        let items = writes
            .into_iter()
            .map(|write| self.transact_item(write))
            .collect::<Result<Vec<_>, _>>()?;
        let mut tries = 0;
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
                Some(Cancelled::Contended) if tries < TRIES => self.pause_again(&mut tries).await,
                Some(Cancelled::Contended) | None => {
                    return Err(Error::unavailable("a transaction failed", error));
                }
            }
        }
    }

    async fn pause_again(&self, tries: &mut u32) {
        self.pause(*tries).await;
        *tries += 1;
    }

    /// Waits a little longer each time, and never as long as somebody else who collided.
    pub(super) async fn pause(&self, tries: u32) {
        let longest = PAUSE_MS << tries;
        let pause = SignedDuration::from_millis(rand::random_range(longest / 2..=longest));
        self.clock.sleep_until(self.clock.now() + pause).await;
    }

    /// Changes one item and returns it as it is afterwards, or as it stands when a condition did not
    /// hold.
    ///
    /// # Errors
    /// DynamoDB cannot be reached or refused the request itself.
    pub async fn update_returning<T: DeserializeOwned>(
        &self,
        write: Write,
    ) -> Result<Updated<T>, Error> {
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
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(output) => {
                let item = output.attributes.unwrap_or_default();
                super::read::from_item(item).map(Updated::Yes)
            }
            Err(error) => {
                if let Some(UpdateItemError::ConditionalCheckFailedException(failed)) =
                    error.as_service_error()
                {
                    let item = failed
                        .item
                        .clone()
                        .map(super::read::from_item)
                        .transpose()?;
                    return Ok(Updated::No(item));
                }
                match failed(error) {
                    Failed::Condition => Ok(Updated::No(None)),
                    Failed::Contended(error) | Failed::Other(error) => Err(error),
                }
            }
        }
    }

    async fn write_one(&self, write: &Write) -> Result<(), Failed> {
        let write = write.clone();
        let table = self.table(write.key.table);
        let (condition, expression) = (write.condition(), write.expression());
        let (names, values) = (some(write.names), some(write.values));
        macro_rules! send {
            ($request:expr) => {
                $request
                    .table_name(table)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .send()
                    .await
                    .map(|_| ())
                    .map_err(failed)
            };
        }
        let key = Some(key_item(&write.key));
        match write.kind {
            Kind::Put(item) => send!(
                self.client
                    .put_item()
                    .set_item(Some(whole(&write.key, item)))
            ),
            Kind::Update { .. } => {
                send!(
                    self.client
                        .update_item()
                        .set_key(key)
                        .update_expression(expression)
                )
            }
            Kind::Delete => send!(self.client.delete_item().set_key(key)),
            Kind::Check => Err(Failed::Other(Error::broken("a check alone writes nothing"))),
        }
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, Error> {
        let table = self.table(write.key.table).to_owned();
        let (condition, expression) = (write.condition(), write.expression());
        let (names, values) = (some(write.names), some(write.values));
        macro_rules! built {
            ($builder:expr) => {
                $builder
                    .table_name(table)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(incomplete)?
            };
        }
        let key = Some(key_item(&write.key));
        let item = TransactWriteItem::builder();
        let item = match write.kind {
            Kind::Put(attributes) => item.put(built!(
                Put::builder().set_item(Some(whole(&write.key, attributes)))
            )),
            Kind::Update { .. } => item.update(built!(
                Update::builder().set_key(key).update_expression(expression)
            )),
            Kind::Delete => item.delete(built!(Delete::builder().set_key(key))),
            Kind::Check => item.condition_check(built!(ConditionCheck::builder().set_key(key))),
        };
        Ok(item.build())
    }
}

enum Cancelled {
    Conditions(Vec<usize>),
    /// Another transaction was at the same items, or there was too much at once.
    Contended,
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
    let contended = |code: &&str| CONTENDED.contains(code);
    codes.iter().any(contended).then_some(Cancelled::Contended)
}

/// Why one write did not take place.
enum Failed {
    Condition,
    Contended(Error),
    Other(Error),
}

fn failed<E>(error: E) -> Failed
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let contended = match error.code() {
        Some("ConditionalCheckFailedException") => return Failed::Condition,
        code => code == Some("TransactionConflictException"),
    };
    let error = Error::unavailable("an item cannot be written", error);
    if contended {
        Failed::Contended(error)
    } else {
        Failed::Other(error)
    }
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::internal("a write is incomplete", error)
}

fn some<T>(map: HashMap<String, T>) -> Option<HashMap<String, T>> {
    (!map.is_empty()).then_some(map)
}
