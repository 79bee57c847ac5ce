mod faults;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update};
use jiff::Timestamp;

use super::*;
use crate::template::Stack;
use app::clock::SystemClock;

fn memory() -> Place {
    Place::Memory(Arc::new(SystemClock))
}

fn dynamo() -> Dynamo {
    Dynamo::open(memory(), &Stack::embedded().unwrap().tables).unwrap()
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

async fn put(dynamo: &Dynamo, pk: &str, sk: &str) {
    let request = dynamo
        .client()
        .put_item()
        .table_name("MainTable")
        .item("pk", text(pk))
        .item("sk", text(sk));
    request.send().await.unwrap();
}

#[tokio::test]
async fn a_failed_condition_is_a_typed_error() {
    let dynamo = dynamo();
    put(&dynamo, "a", "1").await;
    let again = dynamo
        .client()
        .put_item()
        .table_name("MainTable")
        .item("pk", text("a"))
        .item("sk", text("1"))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await;
    let error = again.unwrap_err().into_service_error();
    assert!(error.is_conditional_check_failed_exception(), "{error:?}");
}

#[tokio::test]
async fn a_cancelled_transaction_gives_its_reasons_and_changes_nothing() {
    let dynamo = dynamo();
    put(&dynamo, "a", "1").await;
    let fresh = Put::builder()
        .table_name("MainTable")
        .item("pk", text("b"))
        .item("sk", text("1"))
        .build()
        .unwrap();
    let taken = Put::builder()
        .table_name("MainTable")
        .item("pk", text("a"))
        .item("sk", text("1"))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .unwrap();
    let result = dynamo
        .client()
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(fresh).build())
        .transact_items(TransactWriteItem::builder().put(taken).build())
        .send()
        .await;
    let error = result.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("{error:?}")
    };
    let codes: Vec<_> = cancelled
        .cancellation_reasons()
        .iter()
        .map(|reason| reason.code().unwrap())
        .collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    let item = dynamo
        .client()
        .get_item()
        .table_name("MainTable")
        .key("pk", text("b"))
        .key("sk", text("1"));
    assert!(item.send().await.unwrap().item.is_none());
}

/// The client marks every transaction as one and the same request when the caller does not.
#[tokio::test]
async fn equal_transactions_are_both_carried_out() {
    let dynamo = dynamo();
    for _ in 0..2 {
        let update = Update::builder()
            .table_name("MainTable")
            .key("pk", text("count"))
            .key("sk", text("1"))
            .update_expression("ADD n :one")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .build()
            .unwrap();
        let item = TransactWriteItem::builder().update(update).build();
        dynamo
            .client()
            .transact_write_items()
            .transact_items(item)
            .send()
            .await
            .unwrap();
    }
    let item = dynamo
        .client()
        .get_item()
        .table_name("MainTable")
        .key("pk", text("count"))
        .key("sk", text("1"));
    assert_eq!(
        item.send().await.unwrap().item.unwrap()["n"],
        AttributeValue::N("2".into())
    );
}

#[tokio::test]
async fn a_paginator_walks_over_every_page() {
    let dynamo = dynamo();
    for number in 0..25 {
        put(&dynamo, "list", &format!("{number:03}")).await;
    }
    let pages: Vec<_> = dynamo
        .client()
        .query()
        .table_name("MainTable")
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text("list"))
        .into_paginator()
        .page_size(10)
        .send()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        pages.iter().map(|page| page.count()).collect::<Vec<_>>(),
        [10, 10, 5]
    );
}

#[tokio::test]
async fn a_sparse_index_holds_only_items_with_its_keys() {
    let dynamo = dynamo();
    for (sk, indexed) in [("1", true), ("2", false)] {
        let mut request = dynamo
            .client()
            .put_item()
            .table_name("CampaignsTable")
            .item("pk", text("c"))
            .item("sk", text(sk));
        if indexed {
            request = request
                .item("gsi1pk", text("failed"))
                .item("gsi1sk", text("x"));
        }
        request.send().await.unwrap();
    }
    let found = dynamo
        .client()
        .query()
        .table_name("CampaignsTable")
        .index_name("outcomes")
        .key_condition_expression("gsi1pk = :pk")
        .expression_attribute_values(":pk", text("failed"));
    assert_eq!(found.send().await.unwrap().count(), 1);
}

#[tokio::test]
async fn a_refused_request_says_what_dynamodb_says() {
    let dynamo = dynamo();
    let result = dynamo
        .client()
        .get_item()
        .table_name("x")
        .key("pk", text("a"))
        .send()
        .await;
    let error = result.unwrap_err().into_service_error();
    let message = error.meta().message().unwrap();
    assert!(!message.contains("VALIDATION"), "{message}");
    assert_eq!(error.meta().code(), Some("ValidationException"));
}

#[tokio::test]
async fn calls_are_counted_with_their_units() {
    let dynamo = dynamo();
    dynamo.counts().reset();
    put(&dynamo, "a", "1").await;
    put(&dynamo, "a", "2").await;
    let operations = dynamo.counts().operations();
    let put = &operations["PutItem"];
    assert_eq!((put.calls, put.refused), (2, 0));
    assert!((put.units["MainTable"] - 2.0).abs() < 1e-9);
    assert_eq!(dynamo.open_calls(), 0);
}

/// AWS's arithmetic: a unit for each started KB, twice in a transaction, where a check costs like a
/// write, and one for each index entry that appears, is moved or goes, which a transaction does not
/// double.
#[tokio::test]
async fn units_are_those_that_aws_charges() {
    let dynamo = dynamo();
    put(&dynamo, "checked", "1").await;
    dynamo.counts().reset();
    let indexed = Put::builder()
        .table_name("CampaignsTable")
        .item("pk", text("c"))
        .item("sk", text("1"))
        .item("gsi1pk", text("failed"))
        .item("gsi1sk", text("1"))
        .item("body", text("x".repeat(1500)))
        .build()
        .unwrap();
    let check = ConditionCheck::builder()
        .table_name("MainTable")
        .key("pk", text("checked"))
        .key("sk", text("1"))
        .condition_expression("attribute_exists(pk)")
        .build()
        .unwrap();
    dynamo
        .client()
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(indexed).build())
        .transact_items(TransactWriteItem::builder().condition_check(check).build())
        .send()
        .await
        .unwrap();
    let operations = dynamo.counts().operations();
    let units = &operations["TransactWriteItems"].units;
    // Two KB twice, and the index entry, two KB as well because it holds the whole item.
    assert!((units["CampaignsTable"] - 6.0).abs() < 1e-9, "{units:?}");
    assert!((units["MainTable"] - 2.0).abs() < 1e-9, "{units:?}");

    for consistent in [true, false] {
        dynamo.counts().reset();
        let get = dynamo
            .client()
            .get_item()
            .table_name("CampaignsTable")
            .key("pk", text("c"))
            .key("sk", text("1"))
            .consistent_read(consistent);
        get.send().await.unwrap();
        let expected = if consistent { 1.0 } else { 0.5 };
        let units = dynamo.counts().operations()["GetItem"].total();
        assert!((units - expected).abs() < 1e-9, "{units}");
    }
}

#[tokio::test]
async fn a_write_whose_condition_fails_is_counted_with_what_it_costs_at_least() {
    let dynamo = dynamo();
    put(&dynamo, "a", "1").await;
    dynamo.counts().reset();
    let again = dynamo
        .client()
        .put_item()
        .table_name("MainTable")
        .item("pk", text("a"))
        .item("sk", text("1"))
        .condition_expression("attribute_not_exists(pk)");
    assert!(again.send().await.is_err());
    let operations = dynamo.counts().operations();
    let put = &operations["PutItem"];
    assert_eq!((put.calls, put.refused), (1, 1));
    assert!((put.refused_units - 1.0).abs() < 1e-9);
    assert!(put.total().abs() < 1e-9);
}

#[tokio::test]
async fn a_file_keeps_its_items_and_gains_the_indexes_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::File(folder.path().join("data.db"));
    let mut tables = Stack::embedded().unwrap().tables;
    let campaigns = tables
        .iter_mut()
        .find(|table| table.name == "CampaignsTable")
        .unwrap();
    let (indexes, attributes) = (campaigns.indexes.take(), campaigns.attributes.clone());
    campaigns.attributes.as_array_mut().unwrap().truncate(2);
    let dynamo = Dynamo::open(place(), &tables).unwrap();
    put(&dynamo, "a", "1").await;
    drop(dynamo);
    let campaigns = tables
        .iter_mut()
        .find(|table| table.name == "CampaignsTable")
        .unwrap();
    (campaigns.indexes, campaigns.attributes) = (indexes, attributes);
    let dynamo = Dynamo::open(place(), &tables).unwrap();
    let item = dynamo
        .client()
        .get_item()
        .table_name("MainTable")
        .key("pk", text("a"))
        .key("sk", text("1"));
    assert!(item.send().await.unwrap().item.is_some());
    let query = dynamo
        .client()
        .query()
        .table_name("CampaignsTable")
        .index_name("outcomes")
        .key_condition_expression("gsi1pk = :pk")
        .expression_attribute_values(":pk", text("x"));
    assert_eq!(query.send().await.unwrap().count(), 0);
}

/// The connector must not depend on the wall clock for expiry when it was given another.
#[tokio::test]
async fn expiry_in_memory_follows_the_given_clock() {
    struct Fixed(Timestamp);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            self.0
        }
        fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }
    let tables = Stack::embedded().unwrap().tables;
    let clock = Fixed(Timestamp::from_second(2_000_000_000).unwrap());
    let dynamo = Dynamo::open(Place::Memory(Arc::new(clock)), &tables).unwrap();
    let item = dynamo
        .client()
        .put_item()
        .table_name("EphemeralTable")
        .item("pk", text("s"))
        .item("sk", text("1"));
    item.item("ttl", AttributeValue::N("1999999999".into()))
        .send()
        .await
        .unwrap();
    assert_eq!(dynamo.sweep_expired().await.unwrap(), 1);
}
