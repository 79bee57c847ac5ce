//! Every sample event, given to its function as Lambda gives it: through the function's shell, to the code
//! that runs in Lambda, over the application in process.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};

use app::App;
use app::task::{QueueName, Task};
use aws::access::Access;
use aws::sqs::SqsQueue;
use aws_sdk_sqs::config::Credentials;
use axum::Router;
use jiff::SignedDuration;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

use crate::support::{Caller, TestApp};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
const FUNCTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions");

/// What a function answers to an event.
async fn answer(world: &World, function: &str, event: Value) -> Value {
    match function {
        "api-workspace" => http(world, api_workspace::router(), event).await,
        "api-contacts" => http(world, api_contacts::router(), event).await,
        "api-campaigns" => http(world, api_campaigns::router(), event).await,
        "api-chat" => http(world, api_chat::router(), event).await,
        "webhook-ingest" => http(world, webhook_ingest::router(), event).await,
        "contact-import" => queue(world, event, contact_import::handle).await,
        "campaign-plan" => queue(world, event, campaign_plan::handle).await,
        "campaign-dispatch" => queue(world, event, campaign_dispatch::handle).await,
        "campaign-export" => queue(world, event, campaign_export::handle).await,
        "webhook-process" => queue(world, event, webhook_process::handle).await,
        "message-send" => {
            let event = serde_json::from_value(event).unwrap();
            let handlers = (&message_send::campaign, &message_send::chat);
            let response = aws::queue::either(&world.app, &world.sqs, event, handlers).await;
            serde_json::to_value(response.unwrap()).unwrap()
        }
        "campaign-tick" => {
            let ran = aws::schedule::run(&world.app, &campaign_tick::handle).await;
            json!(ran.map_err(|error| error.to_string()))
        }
        "media-fetch" => queue(world, event, media_fetch::handle).await,
        "notify" => queue(world, event, notify::handle).await,
        "broadcast" => queue(world, event, broadcast::handle).await,
        "realtime" => {
            let event = serde_json::from_value(event).unwrap();
            let answer = aws::websocket::answer(&world.app, event, &realtime::handle).await;
            serde_json::to_value(answer).unwrap()
        }
        other => panic!("say here which shell {other} has"),
    }
}

#[tokio::test]
async fn every_sample_event_is_answered_as_before() {
    let (functions, events) = (names(FUNCTIONS), names(EVENTS));
    for function in &functions {
        let own = |event: &String| owner(&functions, event) == *function;
        assert!(events.iter().any(own), "{function} has no sample event");
    }
    for name in events {
        let world = World::new().await;
        let text = std::fs::read_to_string(format!("{EVENTS}/{name}.json")).unwrap();
        let event = world.real(serde_json::from_str(&text).unwrap());
        let answer = answer(&world, owner(&functions, &name), event).await;
        let mut queued = Vec::new();
        for queue in QueueName::ALL {
            let count = world.t.queue.stats(queue).await.unwrap().ready;
            queued.extend((count > 0).then(|| json!({ queue.as_str(): count })));
        }
        let asked = std::mem::take(&mut *world.asked.lock().unwrap());
        let whole = json!({"answer": scrubbed(answer), "queued": queued, "asked of SQS": asked});
        insta::assert_json_snapshot!(name, whole);
    }
}

/// The names of the files or folders in a folder, without their endings.
fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(Path::new(folder)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The function whose event this is; it begins with the function's name.
fn owner<'a>(functions: &'a [String], event: &str) -> &'a str {
    let own = functions.iter().filter(|name| event.starts_with(*name));
    own.max_by_key(|name| name.len())
        .unwrap_or_else(|| panic!("{event} is nobody's event"))
}

/// The application, with somebody who may ask it, and an SQS that agrees to everything.
struct World {
    t: TestApp,
    /// As it is within an invocation of a minute.
    app: App,
    member: Caller,
    key: Caller,
    sqs: SqsQueue,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl World {
    async fn new() -> Self {
        let mut t = TestApp::quiet_with(simulator::Settings {
            app_secret: "sample-app-secret".to_owned(),
            verify_token: "sample-verify-token".to_owned(),
            ..simulator::Settings::default()
        })
        .await;
        // What an event queues is not worked on here.
        t.allow_leftovers();
        let member = t.owner("acme").await;
        let key = t
            .key_with(&member, &domain::workspace::Permission::ALL)
            .await;
        let asked = Arc::<Mutex<Vec<Value>>>::default();
        let sqs = SqsQueue::new(
            aws_sdk_sqs::Client::from_conf(agreeing(&asked).await.sqs().build()),
            t.app.config.queues.clone(),
        );
        Self {
            app: t.app.until(t.app.now() + SignedDuration::from_mins(1)),
            t,
            member,
            key,
            sqs,
            asked,
        }
    }

    /// The event with what only this installation knows: who asks, and the names of the queues.
    fn real(&self, mut event: Value) -> Value {
        if event["headers"].get("authorization").is_some() {
            event["headers"]["authorization"] = self.key.header("authorization").into();
        }
        if event.get("cookies").is_some() {
            event["cookies"] = json!([self.member.header("cookie")]);
        }
        for record in event["Records"].as_array_mut().into_iter().flatten() {
            let arn = record["eventSourceARN"].as_str().unwrap().to_owned();
            let queue = QueueName::ALL.into_iter().find(|queue| {
                arn.trim_end_matches(".fifo")
                    .ends_with(&format!("blazz-{}", queue.as_str()))
            });
            let queue = queue.unwrap_or_else(|| panic!("{arn} is no queue"));
            let own = &self.t.app.config.queues.0[&queue];
            record["eventSourceARN"] = format!("arn:aws:sqs:eu-central-1:1:{own}").into();
        }
        event
    }
}

/// An SQS that notes what it is asked and agrees.
async fn agreeing(asked: &Arc<Mutex<Vec<Value>>>) -> Access {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::clone(asked);
    let router = Router::new().fallback(move |body: String| {
        let request = serde_json::from_str(&body).unwrap_or(Value::Null);
        asked.lock().unwrap().push(request);
        async { "{}" }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Access {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::new("AKIASAMPLE", "sample-secret", None, None, "tests"),
        endpoint: Some(endpoint),
    }
}

/// Through the adapter that runs in Lambda.
async fn http(world: &World, router: OpenApiRouter<App>, event: Value) -> Value {
    let request: LambdaRequest = serde_json::from_str(&event.to_string()).unwrap();
    let router = http_api::with_app(http_api::plain(router), world.app.clone());
    let event = LambdaEvent::new(request, Context::default());
    let response = Adapter::from(router).oneshot(event).await.unwrap();
    let mut answer = serde_json::to_value(response).unwrap();
    let body = answer["body"].as_str().unwrap_or_default();
    if let Ok(body) = serde_json::from_str::<Value>(body)
        && body.is_object()
    {
        answer["body"] = body;
    }
    answer
}

async fn queue<T, F, Fut>(world: &World, event: Value, handler: F) -> Value
where
    T: Task,
    F: Fn(App, T) -> Fut,
    Fut: Future<Output = Result<(), app::Error>>,
{
    let event = serde_json::from_value(event).unwrap();
    let response = aws::queue::batch(&world.app, &world.sqs, event, &handler).await;
    serde_json::to_value(response).unwrap()
}

/// Without what is another one each time: ids and tokens, and how long they are.
fn scrubbed(mut answer: Value) -> Value {
    fn scrub(name: &str, value: &mut Value) {
        match value {
            Value::Object(entries) => {
                for (name, value) in entries {
                    scrub(name, value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| scrub(name, item)),
            Value::String(text) if name.ends_with("token") => *text = "a token".to_owned(),
            Value::String(text) => {
                if let Some(kind) = kind_of_id(text) {
                    *text = format!("{kind}_…");
                }
            }
            _ => {}
        }
    }
    // A sample's own id stays.
    fn kind_of_id(text: &str) -> Option<&str> {
        let (kind, id) = text.split_once('_')?;
        let hexadecimal = id.chars().all(|digit| digit.is_ascii_hexdigit());
        (id.len() == 32 && hexadecimal && !id.starts_with("0198c0de")).then_some(kind)
    }
    if let Some(headers) = answer.get_mut("headers").and_then(Value::as_object_mut) {
        headers.remove("content-length");
    }
    scrub("", &mut answer);
    answer
}
