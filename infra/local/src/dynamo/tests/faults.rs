//! What is put between the client and the engine looks to the client like the real thing.

use std::sync::Mutex;

use futures::future::BoxFuture;

use super::super::*;
use super::{memory, text};
use crate::template::Stack;

/// Carries everything out and loses the first answer.
#[derive(Default)]
struct LosesTheFirst(Mutex<u32>);

impl Interceptor for LosesTheFirst {
    fn call(&self, call: Call, next: Next) -> BoxFuture<'static, Result<Answer, Lost>> {
        let mut calls = self.0.lock().unwrap();
        *calls += 1;
        let first = *calls == 1;
        Box::pin(async move {
            let answer = next.run(call).await;
            if first { Err(Lost) } else { Ok(answer) }
        })
    }
}

#[tokio::test]
async fn a_lost_answer_is_an_error_although_the_write_was_made() {
    let tables = Stack::embedded().unwrap().tables;
    let dynamo =
        Dynamo::open_with(memory(), &tables, Some(Arc::new(LosesTheFirst::default()))).unwrap();
    let write = dynamo
        .client()
        .put_item()
        .table_name("MainTable")
        .item("pk", text("a"))
        .item("sk", text("1"));
    let error = write.send().await.unwrap_err();
    assert!(error.as_service_error().is_none(), "{error:?}");
    let item = dynamo
        .client()
        .get_item()
        .table_name("MainTable")
        .key("pk", text("a"))
        .key("sk", text("1"));
    assert!(item.send().await.unwrap().item.is_some());
    assert_eq!(dynamo.open_calls(), 0);
}

struct Throttles;

impl Interceptor for Throttles {
    fn call(&self, _: Call, _: Next) -> BoxFuture<'static, Result<Answer, Lost>> {
        let answer = Answer::error(400, "ProvisionedThroughputExceededException", "slow down");
        Box::pin(std::future::ready(Ok(answer)))
    }
}

#[tokio::test]
async fn a_refusal_that_was_put_in_is_typed_like_a_real_one() {
    let tables = Stack::embedded().unwrap().tables;
    let dynamo = Dynamo::open_with(memory(), &tables, Some(Arc::new(Throttles))).unwrap();
    let write = dynamo
        .client()
        .put_item()
        .table_name("MainTable")
        .item("pk", text("a"))
        .item("sk", text("1"));
    let error = write.send().await.unwrap_err().into_service_error();
    assert!(
        error.is_provisioned_throughput_exceeded_exception(),
        "{error:?}"
    );
}
