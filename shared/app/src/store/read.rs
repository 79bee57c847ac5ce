//! Reads: one item, many by key, or a page of a range. Always strongly consistent, except through an
//! index, which DynamoDB offers only eventually.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::de::DeserializeOwned;

use super::Store;
use super::key::{Key, Range};
use super::write::key_item;
use crate::Error;

/// The most keys one request may name (DynamoDB: BatchGetItem).
const BATCH_MAX: usize = 100;

/// One page of a range, and the sort key to continue after.
#[derive(Debug)]
pub struct PageOf<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// Which part of a range, and in which direction.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    pub after: Option<&'a str>,
    pub limit: usize,
    pub newest_first: bool,
}

impl<'a> Span<'a> {
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self {
            after: None,
            limit,
            newest_first: false,
        }
    }

    #[must_use]
    pub fn after(self, after: Option<&'a str>) -> Self {
        Self { after, ..self }
    }

    #[must_use]
    pub fn newest_first(self) -> Self {
        Self {
            newest_first: true,
            ..self
        }
    }
}

impl Store {
    /// # Errors
    /// DynamoDB cannot be reached, or the item cannot be read.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Error> {
        let output = self
            .client
            .get_item()
            .table_name(self.table(key.table))
            .set_key(Some(key_item(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::unavailable("an item cannot be read", error))?;
        output.item.map(from_item).transpose()
    }

    /// Reads items of one table by key; each comes with its place in `keys`, absent ones are left out.
    ///
    /// # Errors
    /// DynamoDB cannot be reached, or an item cannot be read.
    pub async fn get_many<T: DeserializeOwned>(
        &self,
        keys: &[Key],
    ) -> Result<Vec<(usize, T)>, Error> {
        let places: HashMap<(&str, &str), usize> = keys
            .iter()
            .enumerate()
            .map(|(place, key)| ((key.pk.as_str(), key.sk.as_str()), place))
            .collect();
        let mut found = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH_MAX) {
            let Some(table) = batch.first().map(|key| self.table(key.table)) else {
                continue;
            };
            let mut pending: Vec<_> = batch.iter().map(key_item).collect();
            while !pending.is_empty() {
                let request = KeysAndAttributes::builder()
                    .set_keys(Some(pending))
                    .consistent_read(true)
                    .build()
                    .map_err(|error| Error::internal("a read is incomplete", error))?;
                let output = self
                    .client
                    .batch_get_item()
                    .request_items(table, request)
                    .send()
                    .await
                    .map_err(|error| Error::unavailable("items cannot be read", error))?;
                for item in output
                    .responses
                    .unwrap_or_default()
                    .remove(table)
                    .unwrap_or_default()
                {
                    let place = places.get(&(text(&item, "pk"), text(&item, "sk"))).copied();
                    let place = place.ok_or_else(|| {
                        Error::broken("a batch read answered an item nobody asked for")
                    })?;
                    found.push((place, from_item(item)?));
                }
                pending = output
                    .unprocessed_keys
                    .unwrap_or_default()
                    .remove(table)
                    .map(|rest| rest.keys)
                    .unwrap_or_default();
            }
        }
        Ok(found)
    }

    /// One page of a range.
    ///
    /// # Errors
    /// DynamoDB cannot be reached, or an item cannot be read.
    pub async fn page<T: DeserializeOwned>(
        &self,
        range: &Range,
        span: Span<'_>,
    ) -> Result<PageOf<T>, Error> {
        let (pk, sk) = match range.index {
            Some(index) => (index.pk, index.sk),
            None => ("pk", "sk"),
        };
        let mut query = self
            .client
            .query()
            .table_name(self.table(range.table))
            .set_index_name(range.index.map(|index| index.name.to_owned()))
            .consistent_read(range.index.is_none())
            .scan_index_forward(!span.newest_first)
            .limit(i32::try_from(span.limit.saturating_add(1)).unwrap_or(i32::MAX))
            .expression_attribute_names("#pk", pk)
            .expression_attribute_values(":pk", AttributeValue::S(range.pk.clone()));
        query = match span.after {
            // An index is paged by its own sort key, which names one item.
            Some(after) if range.index.is_some() => query
                .key_condition_expression(match span.newest_first {
                    false => "#pk = :pk AND #sk > :after",
                    true => "#pk = :pk AND #sk < :after",
                })
                .expression_attribute_names("#sk", sk)
                .expression_attribute_values(":after", AttributeValue::S(after.to_owned())),
            after if range.prefix.is_empty() => query
                .key_condition_expression("#pk = :pk")
                .set_exclusive_start_key(after.map(|after| range.start(after))),
            after => query
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
                .expression_attribute_names("#sk", sk)
                .expression_attribute_values(":prefix", AttributeValue::S(range.prefix.clone()))
                .set_exclusive_start_key(after.map(|after| range.start(after))),
        };
        let output = query
            .send()
            .await
            .map_err(|error| Error::unavailable("a page cannot be read", error))?;
        let mut raw = output.items.unwrap_or_default();
        // One item beyond the page, or a page cut at DynamoDB's megabyte, means that there is more.
        let more = raw.len() > span.limit || output.last_evaluated_key.is_some();
        raw.truncate(span.limit);
        let next = if more {
            raw.last().map(|item| text(item, sk).to_owned())
        } else {
            None
        };
        let items = raw.into_iter().map(from_item).collect::<Result<_, _>>()?;
        Ok(PageOf { items, next })
    }

    /// Every item of a range that is known to be small, or is read whole on purpose.
    ///
    /// # Errors
    /// DynamoDB cannot be reached, or an item cannot be read.
    pub async fn all<T: DeserializeOwned>(&self, range: &Range) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self
                .page(range, Span::first(1000).after(after.as_deref()))
                .await?;
            items.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(items),
            }
        }
    }
}

impl Range {
    fn start(&self, after: &str) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(after.to_owned())),
        ])
    }
}

pub(super) fn from_item<T: DeserializeOwned>(
    item: HashMap<String, AttributeValue>,
) -> Result<T, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|error| Error::internal("a stored item cannot be read", error))
}

fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> &'a str {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str)
}
