//! Invocations that are nearly over: what is not begun goes back whole, what is under way is handed over,
//! and nothing is done twice or lost.

use std::future::Future;

use app::task::{self, QueueName, Task, Verdict};
use app::{App, Error};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::journey::{phone, text};

/// Runs the next message of a queue within an invocation that has so much time left, and settles it as its
/// host would.
async fn hurried<T, F, Fut>(t: &TestApp, seconds_left: i64, handler: F) -> Verdict
where
    T: Task,
    F: Fn(App, T) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    let message = t.queue.receive(T::QUEUE, 1).await.unwrap();
    let message = message.into_iter().next().expect("a message is ready");
    let app = t
        .app
        .until(t.app.now() + SignedDuration::from_secs(seconds_left));
    let body = message.body.clone();
    let run = tokio::spawn(async move { task::run(app, &body, handler).await });
    t.go_on_until(async || run.is_finished()).await;
    let verdict = run.await.unwrap();
    match verdict {
        Verdict::Done => t.queue.delete(&message).await.unwrap(),
        Verdict::Retry { after } => {
            let after = after.expect("it ended by itself");
            t.queue.retry(&message, after).await.unwrap()
        }
    };
    verdict
}

#[tokio::test]
async fn an_import_hands_over_after_the_rows_at_hand() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let mut file = "phone\n".to_owned();
    for n in 0..1_000 {
        file.push_str(&format!("{}\n", phone(n)));
    }
    let id = t.upload(&owner, file.as_bytes(), json!({})).await;
    let path = format!("/v1/imports/{id}");
    owner
        .post(&t, &format!("{path}/start"), Value::Null)
        .await
        .expect(202);
    hurried(&t, 5, contact_import::handle).await;
    let import = owner.get(&t, &path).await.expect(200);
    assert_eq!(import["state"], "running");
    let done = import["accepted"].as_u64().unwrap();
    assert!((1..1_000).contains(&done), "{import}");
    t.drain().await;
    let import = owner.get(&t, &path).await.expect(200);
    assert_eq!(
        (&import["state"], &import["accepted"]),
        (&json!("completed"), &json!(1_000))
    );
    t.finish().await;
}

#[tokio::test]
async fn planning_hands_over_after_the_page_at_hand() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(250).await;
    t.start(&owner, &campaign).await;
    hurried(&t, 5, campaign_plan::handle).await;
    let planned = t.campaign(&owner, &campaign).await;
    assert_eq!(planned["state"], "preparing");
    t.drain().await;
    assert_eq!(t.figures(&owner, &campaign).await["sent"], 250);
    t.finish().await;
}

#[tokio::test]
async fn a_sender_launches_nobody_whose_answer_it_could_not_await() {
    let t = TestApp::quiet().await;
    let (owner, campaign, _) = t.prepared(100).await;
    t.start(&owner, &campaign).await;
    t.run_once(QueueName::CampaignPlan).await;
    t.run_once(QueueName::CampaignDispatch).await;
    // Of 46 seconds 45 are kept for answers.
    assert_eq!(hurried(&t, 46, message_send::campaign).await, Verdict::Done);
    let launched = t.ledger().await["accepted"].as_u64().unwrap();
    assert!((1..100).contains(&launched), "{launched}");
    t.drain().await;
    let ledger = t.ledger().await;
    assert_eq!(ledger["accepted"], 100, "{ledger}");
    assert_eq!(t.figures(&owner, &campaign).await["sent"], 100);
    assert_eq!(t.campaign(&owner, &campaign).await["state"], "completed");
    t.finish().await;
}

#[tokio::test]
async fn an_agents_message_that_is_not_begun_goes_back_untouched() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let channel = t.connect(&owner).await;
    let contact = t.contact(&owner, 1, &[]).await;
    let chat = t
        .chat(&owner, &channel, contact["id"].as_str().unwrap())
        .await;
    t.writes(&phone(1), "wamid.hello", "Hello").await;
    let say = json!({"text": "Good morning"});
    let path = format!("/v1/chats/{chat}/messages");
    owner.post(&t, &path, say).await.expect(202);
    let verdict = hurried(&t, 20, message_send::chat).await;
    assert!(matches!(verdict, Verdict::Retry { .. }), "{verdict:?}");
    assert_eq!(t.ledger().await["accepted"], 0);
    t.drain().await;
    assert_eq!(t.ledger().await["accepted"], 1);
    t.finish().await;
}

#[tokio::test]
async fn an_export_ends_its_file_early_and_goes_on_in_the_next() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(250).await;
    t.start(&owner, &campaign).await;
    t.drain().await;
    let path = format!("/v1/campaigns/{campaign}/export");
    owner.post(&t, &path, Value::Null).await.expect(202);
    hurried(&t, 20, campaign_export::handle).await;
    let export = owner.get(&t, &path).await.expect(200);
    assert_eq!(
        (&export["state"], &export["rows"]),
        (&json!("running"), &json!(100))
    );
    t.drain().await;
    let export = owner.get(&t, &path).await.expect(200);
    assert_eq!(
        (&export["state"], &export["rows"]),
        (&json!("completed"), &json!(250))
    );
    let files: Vec<_> = export["files"].as_array().unwrap().iter().collect();
    assert_eq!(files.len(), 2);
    let mut rows = 0;
    for file in files {
        let url = text(&file["url"]);
        let link = url.strip_prefix(&t.app.config.public_url).unwrap();
        let answer = crate::support::Caller::anonymous().get(&t, link).await;
        rows += csv::Reader::from_reader(answer.text.as_bytes())
            .records()
            .count();
    }
    assert_eq!(rows, 250);
    t.finish().await;
}

#[tokio::test]
async fn a_tick_without_time_leaves_everything_to_the_next() {
    let t = TestApp::new().await;
    let (owner, campaign, _) = t.prepared(3).await;
    t.start(&owner, &campaign).await;
    t.lose(QueueName::CampaignPlan).await;
    t.advance(SignedDuration::from_mins(2));
    let app = t.app.until(t.app.now() + SignedDuration::from_secs(5));
    campaign_tick::handle(app).await.unwrap();
    assert!(
        t.queue
            .stats(QueueName::CampaignPlan)
            .await
            .unwrap()
            .is_at_rest()
    );
    t.tick().await;
    t.drain().await;
    assert_eq!(t.figures(&owner, &campaign).await["sent"], 3);
    t.finish().await;
}
