//! Writing many items that do not depend on each other: at half the price of a transaction, and some of
//! them may be written when it fails.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};

use super::Store;
use super::write::{Kind, Write, whole};
use crate::Error;

/// The most items one request may write (DynamoDB: BatchWriteItem).
const BATCH_MAX: usize = 25;

/// How often what was not taken is offered again.
const TRIES: u32 = 6;

impl Store {
    /// Puts whole items, without conditions. Repeating it is harmless.
    ///
    /// # Errors
    /// DynamoDB cannot be reached, refused the request itself, or does not take everything.
    pub async fn put_all(&self, writes: Vec<Write>) -> Result<(), Error> {
        for batch in writes.chunks(BATCH_MAX) {
            let mut left: HashMap<String, Vec<WriteRequest>> = HashMap::new();
            for write in batch {
                let table = self.table(write.key.table).to_owned();
                left.entry(table).or_default().push(put(write)?);
            }
            let mut tries = 0;
            while !left.is_empty() {
                if tries == TRIES {
                    let why = "DynamoDB took only some of them";
                    return Err(Error::unavailable("items cannot be written", why));
                }
                if tries > 0 {
                    self.pause(tries).await;
                }
                tries += 1;
                let output = self
                    .client
                    .batch_write_item()
                    .set_request_items(Some(left))
                    .send()
                    .await
                    .map_err(|error| Error::unavailable("items cannot be written", error))?;
                left = output.unprocessed_items.unwrap_or_default();
            }
        }
        Ok(())
    }
}

fn put(write: &Write) -> Result<WriteRequest, Error> {
    let Kind::Put(item) = &write.kind else {
        return Err(Error::broken("a batch only puts whole items"));
    };
    if write.condition().is_some() {
        return Err(Error::broken("a batch knows no conditions"));
    }
    let request = PutRequest::builder()
        .set_item(Some(whole(&write.key, item.clone())))
        .build()
        .map_err(|error| Error::internal("a write is incomplete", error))?;
    Ok(WriteRequest::builder().put_request(request).build())
}
