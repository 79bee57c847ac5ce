use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use app::task::{
    Broadcast, CampaignDispatch, CampaignPlan, CampaignSend, ChatSend, ContactImport, Webhook,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, World, event, sqs};

/// A batch of tasks, the first of which is chunk 1.
fn chunks(count: u32) -> SqsEvent {
    let sample: SqsEvent = event("message-send");
    let mut event = SqsEvent::default();
    for chunk in 1..=count {
        let mut message = sample.records[0].clone();
        let mut body: Value = serde_json::from_str(message.body.as_deref().unwrap()).unwrap();
        body["chunk"] = chunk.into();
        message.body = Some(body.to_string());
        message.message_id = Some(format!("message {chunk}"));
        message.receipt_handle = Some(format!("receipt {chunk}"));
        event.records.push(message);
    }
    event
}

/// Runs a batch a minute before its deadline; answers what Lambda is told and what SQS was asked.
async fn run<Fut>(
    event: SqsEvent,
    handler: impl Fn(App, CampaignSend) -> Fut,
) -> (Value, Vec<Value>)
where
    Fut: Future<Output = Result<(), app::Error>>,
{
    let recorder = Recorder::default();
    let world = World::new();
    let app = world.app.until(world.app.now() + Duration::from_secs(60));
    let response = batch(&app, &sqs(&recorder), event, &handler).await;
    let asked = recorder.requests();
    (to_json(response), asked.iter().map(|r| r.json()).collect())
}

fn to_json(response: impl Serialize) -> Value {
    serde_json::to_value(response).unwrap()
}

fn failures(ids: &[&str]) -> Value {
    let ids: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "itemIdentifier": id }))
        .collect();
    json!({ "batchItemFailures": ids })
}

#[tokio::test]
async fn every_sample_event_of_a_queue_is_read_as_its_task() {
    async fn all<T: Task>(name: &str) {
        let world = World::new();
        let handled = AtomicUsize::new(0);
        let event: SqsEvent = event(name);
        let count = event.records.len();
        let handler = async |_: App, _: T| {
            handled.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let queue = sqs(&Recorder::default());
        let response = batch(&world.app, &queue, event, &handler).await;
        assert_eq!(to_json(response), failures(&[]), "{name}");
        assert_eq!(handled.into_inner(), count, "{name}");
    }
    all::<CampaignPlan>("campaign-plan").await;
    all::<CampaignDispatch>("campaign-dispatch").await;
    all::<CampaignSend>("message-send").await;
    all::<ChatSend>("message-send-chat").await;
    all::<ContactImport>("contact-import").await;
    all::<Webhook>("webhook-process").await;
    all::<Broadcast>("broadcast").await;
    all::<Webhook>("webhook-process-news").await;
}

#[tokio::test]
async fn a_batch_goes_to_the_handler_of_its_queue() {
    async fn run(sample: &str, queue: &str) -> Result<(usize, usize), Error> {
        let world = World::new();
        let (chunks, chats) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let chunk = async |_: App, _: CampaignSend| {
            chunks.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let chat = async |_: App, _: ChatSend| {
            chats.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let mut event: SqsEvent = event(sample);
        for record in &mut event.records {
            record.event_source_arn =
                Some(format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"));
        }
        let sqs = sqs(&Recorder::default());
        let response = either(&world.app, &sqs, event, (&chunk, &chat)).await?;
        assert_eq!(to_json(response), failures(&[]), "{queue}");
        Ok((chunks.into_inner(), chats.into_inner()))
    }
    assert_eq!(run("message-send", "campaign-send").await.unwrap(), (1, 0));
    assert_eq!(run("message-send-chat", "chat-send").await.unwrap(), (0, 1));
    assert!(run("message-send", "webhook").await.is_err());
}

#[tokio::test]
async fn only_the_message_that_fails_is_reported() {
    let (response, asked) = run(chunks(3), async |_, task| match task.chunk {
        2 => Err(app::Error::broken("this one")),
        _ => Ok(()),
    })
    .await;
    insta::assert_json_snapshot!(response, @r#"
    {
      "batchItemFailures": [
        {
          "itemIdentifier": "message 2"
        }
      ]
    }
    "#);
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["VisibilityTimeout"], 5, "it is parked soon");
}

#[tokio::test]
async fn a_panic_fails_its_own_message_alone() {
    let (response, _) = run(chunks(3), async |_, task| {
        assert!(task.chunk != 1, "chunk one is cursed");
        Ok(())
    })
    .await;
    assert_eq!(response, failures(&["message 1"]));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_reported_and_no_handler_sees_it() {
    let mut event = chunks(3);
    event.records[0].body = Some("not JSON".to_owned());
    event.records[2].body = None;
    let (response, asked) = run(event, async |_, task| {
        assert_eq!(task.chunk, 2);
        Ok(())
    })
    .await;
    assert_eq!(response, failures(&["message 1", "message 3"]));
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn a_message_that_is_to_come_later_is_hidden_for_as_long_as_the_verdict_says() {
    let (response, asked) = run(chunks(2), async |_, task| {
        let after = match task.chunk {
            1 => Duration::from_millis(2_100),
            _ => Duration::from_secs(24 * 60 * 60),
        };
        Err(app::Error::Later { after })
    })
    .await;
    assert_eq!(response, failures(&["message 1", "message 2"]));
    insta::assert_json_snapshot!(asked, @r#"
    [
      {
        "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/campaign-send",
        "ReceiptHandle": "receipt 1",
        "VisibilityTimeout": 3
      },
      {
        "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/campaign-send",
        "ReceiptHandle": "receipt 2",
        "VisibilityTimeout": 43200
      }
    ]
    "#);
}

#[tokio::test]
async fn a_verdict_stands_when_sqs_cannot_be_asked_to_hide_the_message() {
    let recorder = Recorder::answering(&[(400, r#"{"__type":"ReceiptHandleIsInvalid"}"#)]);
    let world = World::new();
    let later = async |_: App, _: CampaignSend| {
        Err(app::Error::Later {
            after: Duration::from_secs(3),
        })
    };
    let response = batch(&world.app, &sqs(&recorder), chunks(1), &later).await;
    assert_eq!(to_json(response), failures(&["message 1"]));
}

#[tokio::test]
async fn near_the_deadline_no_message_is_taken_and_the_rest_goes_back_at_once() {
    let recorder = Recorder::default();
    let world = World::new();
    let taken = AtomicUsize::new(0);
    let slow = async |_: App, _: CampaignSend| {
        taken.fetch_add(1, Ordering::Relaxed);
        world.clock.advance(Duration::from_secs(56));
        Ok(())
    };
    let deadline = world.app.now() + Duration::from_secs(60);
    let app = world.app.until(deadline);
    let response = batch(&app, &sqs(&recorder), chunks(3), &slow).await;
    assert_eq!(to_json(response), failures(&["message 2", "message 3"]));
    assert_eq!(taken.into_inner(), 1);
    let asked = recorder.requests();
    let hidden: Vec<Value> = asked
        .iter()
        .map(|r| r.json()["VisibilityTimeout"].take())
        .collect();
    assert_eq!(hidden, [0, 0]);
}

/// The messages 1 to 4 of a FIFO queue: of one chat all but the third.
fn chats() -> SqsEvent {
    let sample: SqsEvent = event("message-send-chat");
    let mut event = SqsEvent::default();
    for place in 1..=4 {
        let mut message = sample.records[0].clone();
        let mut body: Value = serde_json::from_str(message.body.as_deref().unwrap()).unwrap();
        body["place"] = place.into();
        message.body = Some(body.to_string());
        message.message_id = Some(format!("message {place}"));
        if place == 3 {
            let group = ("MessageGroupId".to_owned(), "another chat".to_owned());
            message.attributes.extend([group]);
        }
        event.records.push(message);
    }
    event
}

#[tokio::test]
async fn after_a_failure_in_a_fifo_queue_its_group_waits_and_the_others_go_on() {
    let recorder = Recorder::default();
    let world = World::new();
    let taken = std::sync::Mutex::new(Vec::new());
    let handler = async |_: App, task: ChatSend| {
        taken.lock().unwrap().push(task.place);
        match task.place {
            1 => Err(app::Error::Later {
                after: Duration::from_secs(4),
            }),
            _ => Ok(()),
        }
    };
    let response = batch(&world.app, &sqs(&recorder), chats(), &handler).await;
    assert_eq!(
        to_json(response),
        failures(&["message 1", "message 2", "message 4"])
    );
    assert_eq!(taken.into_inner().unwrap(), [1, 3]);
    let asked = recorder.requests();
    let hidden: Vec<Value> = asked
        .iter()
        .map(|r| r.json()["VisibilityTimeout"].take())
        .collect();
    assert_eq!(hidden, [4, 4, 4]);
}

#[tokio::test]
async fn a_fifo_queue_keeps_its_order_and_a_panic_ends_it_too() {
    let world = World::new();
    let taken = std::sync::Mutex::new(Vec::new());
    let handler = async |_: App, task: ChatSend| {
        taken.lock().unwrap().push(task.place);
        assert!(task.place != 2, "the second is cursed");
        Ok(())
    };
    let queue = sqs(&Recorder::default());
    let response = batch(&world.app, &queue, chats(), &handler).await;
    assert_eq!(to_json(response), failures(&["message 2", "message 4"]));
    let mut taken = taken.into_inner().unwrap();
    taken.retain(|place| *place != 3);
    assert_eq!(taken, [1, 2]);
}

#[tokio::test]
async fn no_more_than_five_messages_are_worked_on_at_once() {
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (response, _) = run(chunks(10), async |_, _| {
        most.fetch_max(
            running.fetch_add(1, Ordering::Relaxed) + 1,
            Ordering::Relaxed,
        );
        tokio::task::yield_now().await;
        running.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    })
    .await;
    assert_eq!(response, failures(&[]));
    assert_eq!(most.into_inner(), CONCURRENCY);
}

#[test]
fn a_function_does_not_start_behind_a_trigger_that_drops_failures() {
    assert!(reports_partial_failures(Some("1")).is_ok());
    for value in [None, Some(""), Some("0")] {
        let error = reports_partial_failures(value).unwrap_err().to_string();
        assert!(error.contains("REPORT_BATCH_ITEM_FAILURES"), "{error}");
    }
}

#[test]
fn every_function_has_a_sample_event_and_every_event_has_its_function() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let names = |folder: &str| -> Vec<String> {
        let files = std::fs::read_dir(root.join(folder)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.map(|name| name.replace(".json", "")).collect()
    };
    let (functions, events) = (names("functions"), names("events"));
    for function in &functions {
        let own = |event: &String| event.starts_with(function.as_str());
        assert!(events.iter().any(own), "{function} has no sample event");
    }
    for event in &events {
        let own = |function: &String| event.starts_with(function.as_str());
        assert!(functions.iter().any(own), "{event} is nobody's event");
    }
}
