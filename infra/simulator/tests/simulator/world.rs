//! A simulator, a callback that records what it is told, and a clock that stands still.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use simulator::{Channel, Settings, Simulator, Time, universe};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt;

/// In place of an answer of the callback: it never comes.
pub(crate) const NEVER: u16 = 0;

pub(crate) const START_MS: i64 = 1_795_000_000_000;

/// Stands still until it is moved, and knows for which instants somebody waits.
pub(crate) struct ManualTime {
    now_us: Arc<AtomicI64>,
    moved: watch::Sender<()>,
    waiting: Arc<Mutex<BTreeSet<(i64, u64)>>>,
    next: AtomicU64,
}

struct Waiting(Arc<Mutex<BTreeSet<(i64, u64)>>>, (i64, u64));

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.lock().unwrap().remove(&self.1);
    }
}

impl ManualTime {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            now_us: Arc::new(AtomicI64::new(START_MS * 1000)),
            moved: watch::Sender::new(()),
            waiting: Arc::default(),
            next: AtomicU64::new(0),
        })
    }

    pub(crate) fn advance_us(&self, us: i64) {
        self.now_us.fetch_add(us, Ordering::SeqCst);
        self.moved.send_replace(());
    }

    fn advance_to_next(&self) {
        let next = self.waiting.lock().unwrap().first().copied();
        if let Some((at, _)) = next {
            self.advance_us((at * 1000 - self.now_us()).max(0));
        }
    }
}

impl Time for ManualTime {
    fn now_ms(&self) -> i64 {
        self.now_us() / 1000
    }

    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    fn sleep_until(&self, ms: i64) -> BoxFuture<'static, ()> {
        if self.now_ms() >= ms {
            return Box::pin(async {});
        }
        let place = (ms, self.next.fetch_add(1, Ordering::Relaxed));
        self.waiting.lock().unwrap().insert(place);
        let waiting = Waiting(Arc::clone(&self.waiting), place);
        let mut moved = self.moved.subscribe();
        let now_us = Arc::clone(&self.now_us);
        Box::pin(async move {
            let _waiting = waiting;
            while now_us.load(Ordering::SeqCst) < ms * 1000 && moved.changed().await.is_ok() {}
        })
    }
}

/// A call the callback got.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) at_ms: i64,
    pub(crate) signature: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) answer: u16,
}

pub(crate) struct Callback {
    time: Arc<ManualTime>,
    pub(crate) told: Mutex<Vec<Told>>,
    pub(crate) answers: Mutex<VecDeque<u16>>,
}

pub(crate) struct World {
    pub(crate) time: Arc<ManualTime>,
    pub(crate) callback: Arc<Callback>,
    pub(crate) url: String,
    pub(crate) simulator: Simulator,
    router: Router,
}

/// Settings for tests: answers at once, and strangers may be written to freely.
pub(crate) fn settings() -> Settings {
    Settings {
        answer_latency_ms: 0,
        outside_window: Channel::Off,
        ..Settings::default()
    }
}

impl World {
    pub(crate) async fn new(settings: Settings) -> Self {
        Self::at(ManualTime::new(), settings).await
    }

    pub(crate) async fn at(time: Arc<ManualTime>, mut settings: Settings) -> Self {
        let callback = Arc::new(Callback {
            time: Arc::clone(&time),
            told: Mutex::default(),
            answers: Mutex::default(),
        });
        let routes = Router::new()
            .route("/hook", post(hear).get(prove))
            .with_state(Arc::clone(&callback));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        if settings.webhook_url == "here" {
            settings.webhook_url.clone_from(&url);
        }
        let simulator = Simulator::start(settings, Arc::clone(&time) as Arc<dyn Time>).unwrap();
        let router = simulator.router();
        Self {
            time,
            callback,
            url,
            simulator,
            router,
        }
    }

    pub(crate) async fn with_callback(settings: Settings) -> Self {
        Self::new(Settings {
            webhook_url: "here".into(),
            ..settings
        })
        .await
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.call_as("simulated-token", method, path, body).await
    }

    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let (status, bytes) = self
            .raw(token, method, path, "application/json", body)
            .await;
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// A call whose body and answer are bytes.
    pub(crate) async fn raw(
        &self,
        token: &str,
        method: &str,
        path: &str,
        content_type: &str,
        body: Body,
    ) -> (StatusCode, Bytes) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type)
            .header("host", "graph.example")
            .body(body)
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        (
            status,
            to_bytes(answer.into_body(), usize::MAX).await.unwrap(),
        )
    }

    pub(crate) async fn send(&self, message: Value) -> (StatusCode, Value) {
        let path = format!("/v26.0/{}/messages", universe::NUMBER);
        self.call("POST", &path, Some(message)).await
    }

    pub(crate) async fn send_from(&self, number: &str, message: Value) -> (StatusCode, Value) {
        let path = format!("/v26.0/{number}/messages");
        self.call("POST", &path, Some(message)).await
    }

    /// A call of the control plane that must succeed.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self
            .call(method, &format!("/_control/{path}"), Some(body))
            .await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Adds a rule and returns its id.
    pub(crate) async fn rule(&self, matching: Value, effect: Value) -> u64 {
        let rule = json!({"match": matching, "effect": effect});
        self.control("POST", "rules", rule).await["id"]
            .as_u64()
            .unwrap()
    }

    pub(crate) async fn report(&self) -> Value {
        self.call("GET", "/_control/report", None).await.1
    }

    /// Lets everything run that can, without moving the clock.
    pub(crate) async fn rest(&self) {
        loop {
            let activity = self.simulator.activity();
            if activity.requests_running == 0 && activity.deliveries_running == 0 {
                return;
            }
            // The callback is a real server, so the only thing to do is to let it have its turn.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Moves the clock from one due instant to the next until everything is delivered.
    pub(crate) async fn drain(&self) {
        loop {
            self.rest().await;
            if self.simulator.activity().undelivered == 0 {
                return;
            }
            self.time.advance_to_next();
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.callback.told.lock().unwrap().clone()
    }

    /// The statuses the callback confirmed, each with the instant it came.
    pub(crate) fn statuses(&self) -> Vec<(i64, Value)> {
        let confirmed = self.told().into_iter().filter(|told| told.answer == 200);
        confirmed
            .flat_map(|told| {
                let statuses = value(&told)["statuses"].as_array().cloned();
                statuses
                    .unwrap_or_default()
                    .into_iter()
                    .map(move |status| (told.at_ms, status))
            })
            .collect()
    }
}

/// The `value` of a webhook.
pub(crate) fn value(told: &Told) -> Value {
    let body: Value = serde_json::from_slice(&told.body).unwrap();
    body["entry"][0]["changes"][0]["value"].clone()
}

/// The code of a refusal, 0 of anything else.
pub(crate) fn code(answer: &(StatusCode, Value)) -> u64 {
    answer.1["error"]["code"].as_u64().unwrap_or(0)
}

/// A template without variables.
pub(crate) fn hello(to: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "template", "template":
        {"name": "hello_world", "language": {"code": "en_US"}}})
}

pub(crate) fn text(to: &str, body: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body}})
}

async fn hear(
    State(callback): State<Arc<Callback>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let answer = callback.answers.lock().unwrap().pop_front().unwrap_or(200);
    callback.told.lock().unwrap().push(Told {
        at_ms: callback.time.now_ms(),
        signature: headers
            .get("x-hub-signature-256")
            .map(|value| value.to_str().unwrap().to_owned()),
        body,
        answer,
    });
    if answer == NEVER {
        std::future::pending::<()>().await;
    }
    StatusCode::from_u16(answer).unwrap()
}

async fn prove(RawQuery(query): RawQuery) -> (StatusCode, String) {
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    if field("hub.verify_token").as_deref() != Some("right") {
        return (StatusCode::FORBIDDEN, String::new());
    }
    (StatusCode::OK, field("hub.challenge").unwrap_or_default())
}
