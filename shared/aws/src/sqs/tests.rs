use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, sqs};

fn message(queue: QueueName, body: &str) -> Outgoing {
    Outgoing {
        queue,
        body: body.to_owned(),
        group: "ws_1".to_owned(),
        delay: Duration::ZERO,
    }
}

/// The bodies of each call.
fn calls(recorder: &Recorder) -> Vec<Vec<Value>> {
    let requests = recorder.requests().into_iter();
    let entries = requests.map(|request| request.json()["Entries"].as_array().unwrap().clone());
    entries
        .map(|entries| {
            entries
                .iter()
                .map(|entry| entry["MessageBody"].clone())
                .collect()
        })
        .collect()
}

#[tokio::test]
async fn a_message_carries_its_group_and_its_delay_in_whole_seconds() {
    let recorder = Recorder::default();
    let mut delayed = message(QueueName::CampaignSend, "one");
    delayed.delay = Duration::from_millis(2_400);
    let mut far = message(QueueName::CampaignSend, "two");
    far.delay = Duration::from_secs(3_600);
    let at_once = message(QueueName::CampaignSend, "three");
    sqs(&recorder)
        .send(vec![delayed, far, at_once])
        .await
        .unwrap();

    let [request] = recorder.requests().try_into().unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.uri, "https://sqs.eu-central-1.amazonaws.com/");
    assert_eq!(
        request.header("x-amz-target"),
        Some("AmazonSQS.SendMessageBatch")
    );
    insta::assert_json_snapshot!(request.json(), @r#"
    {
      "Entries": [
        {
          "DelaySeconds": 3,
          "Id": "0",
          "MessageBody": "one",
          "MessageGroupId": "ws_1"
        },
        {
          "DelaySeconds": 900,
          "Id": "1",
          "MessageBody": "two",
          "MessageGroupId": "ws_1"
        },
        {
          "Id": "2",
          "MessageBody": "three",
          "MessageGroupId": "ws_1"
        }
      ],
      "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/campaign-send"
    }
    "#);
}

#[tokio::test]
async fn messages_go_out_in_tens_each_call_to_one_queue() {
    let recorder = Recorder::default();
    let mut messages: Vec<Outgoing> = (0..12)
        .map(|n| message(QueueName::CampaignSend, &n.to_string()))
        .collect();
    messages.push(message(QueueName::CampaignPlan, "plan"));
    sqs(&recorder).send(messages).await.unwrap();
    let sizes: Vec<usize> = calls(&recorder).iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 2, 1]);
    let last = recorder.requests().pop().unwrap().json();
    assert_eq!(
        last["QueueUrl"],
        "https://sqs.eu-central-1.amazonaws.com/123456789012/campaign-plan"
    );
}

#[tokio::test]
async fn messages_that_are_too_large_together_go_out_apart() {
    let recorder = Recorder::default();
    let large = message(QueueName::Webhook, &"x".repeat(600_000));
    sqs(&recorder)
        .send(vec![large.clone(), large])
        .await
        .unwrap();
    assert_eq!(calls(&recorder).len(), 2);
}

#[tokio::test]
async fn nothing_to_send_asks_nothing() {
    let recorder = Recorder::default();
    sqs(&recorder).send(Vec::new()).await.unwrap();
    assert!(recorder.requests().is_empty());
}

const SECOND_FAILED: &str = r#"{"Successful":[],"Failed":[{"Id":"1","SenderFault":false,"Code":"InternalError","Message":"not now"}]}"#;

#[tokio::test]
async fn only_what_failed_is_sent_again() {
    let recorder = Recorder::answering(&[(200, SECOND_FAILED)]);
    let messages = ["a", "b", "c"].map(|body| message(QueueName::CampaignSend, body));
    sqs(&recorder).send(messages.into()).await.unwrap();
    assert_eq!(json!(calls(&recorder)), json!([["a", "b", "c"], ["b"]]));
}

#[tokio::test]
async fn what_fails_twice_is_an_error_that_a_repetition_may_cure() {
    let recorder = Recorder::answering(&[(200, SECOND_FAILED), (200, SECOND_FAILED)]);
    let messages = ["a", "b"].map(|body| message(QueueName::CampaignSend, body));
    let error = sqs(&recorder).send(messages.into()).await.unwrap_err();
    assert!(error.retryable());
    assert_eq!(
        error.chain(),
        "a message was not queued: InternalError not now"
    );
    assert_eq!(recorder.requests().len(), 2);
}

#[tokio::test]
async fn a_queue_that_refuses_is_an_error_that_names_the_cause() {
    let recorder = Recorder::answering(&[(
        400,
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}"#,
    )]);
    let error = sqs(&recorder)
        .send(vec![message(QueueName::Webhook, "a")])
        .await
        .unwrap_err();
    assert!(error.chain().contains("no such queue"), "{}", error.chain());
}

#[tokio::test]
async fn a_queue_without_an_address_is_a_defect_and_not_an_outage() {
    let config = crate::testing::access().sqs().build();
    let queue = SqsQueue::new(Client::from_conf(config), Queues::default());
    let error = queue
        .send(vec![message(QueueName::Webhook, "a")])
        .await
        .unwrap_err();
    assert!(!error.retryable());
    assert!(error.chain().ends_with("webhook"));
}
