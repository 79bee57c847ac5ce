//! What the tests stand on: an application over small ports in memory, AWS's clients over a recorder
//! in place of the network, and the sample events.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::config::{Config, Queues, Tables};
use app::ports::{Clock, Files, Outgoing, Presigned, Queue, Served};
use app::secret::MasterKey;
use app::task::QueueName;
use app::{App, Error};
use aws_sdk_s3::config::{Credentials, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::push::GatewayPush;
use crate::sqs::SqsQueue;

/// An application whose tables nobody asks.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) sent: Arc<Sent>,
}

impl World {
    pub(crate) fn new() -> Self {
        let config = Config {
            public_url: "https://blazz.example".to_owned(),
            realtime_url: "wss://live.blazz.example/ws".to_owned(),
            graph_url: "https://graph.example/v26.0".to_owned(),
            graph_timeout: Duration::from_secs(30),
            app_secrets: vec!["sample-app-secret".to_owned()],
            verify_token: "sample-verify-token".to_owned(),
            master_key: MasterKey::parse(&MasterKey::generate()).unwrap(),
            tables: Tables {
                main: "main".to_owned(),
                contacts: "contacts".to_owned(),
                campaigns: "campaigns".to_owned(),
                chats: "chats".to_owned(),
                search: "search".to_owned(),
                ephemeral: "ephemeral".to_owned(),
            },
            queues: queues(),
            bucket: "files".to_owned(),
            secure_cookies: true,
            requests_per_minute: app::config::REQUESTS_PER_MINUTE,
            proxies: 0,
        };
        let recorder = Recorder::default();
        let client = access().dynamodb().http_client(recorder.client());
        let clock = Arc::new(TestClock(Mutex::new(
            "2026-01-01T00:00:00Z".parse().unwrap(),
        )));
        let sent = Arc::new(Sent::default());
        let app = App::new(
            config,
            aws_sdk_dynamodb::Client::from_conf(client.build()),
            sent.clone(),
            Arc::new(NoFiles),
            Arc::new(GatewayPush::new(None)),
            Arc::new(crate::ses::NoMail),
            clock.clone(),
        )
        .unwrap();
        Self { app, clock, sent }
    }
}

pub(crate) struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// Keeps what was queued.
#[derive(Default)]
pub(crate) struct Sent(pub(crate) Mutex<Vec<Outgoing>>);

impl Queue for Sent {
    fn send(&self, messages: Vec<Outgoing>) -> BoxFuture<'_, Result<(), Error>> {
        self.0.lock().unwrap().extend(messages);
        Box::pin(async { Ok(()) })
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn presign_put(&self, _: &str, _: u64, _: Duration) -> BoxFuture<'_, Result<Presigned, Error>> {
        Box::pin(async { Err(Error::broken("no files here")) })
    }

    fn presign_get(
        &self,
        _: &str,
        _: Served<'_>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Presigned, Error>> {
        Box::pin(async { Err(Error::broken("no files here")) })
    }

    fn size(&self, _: &str) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        Box::pin(async { Err(Error::broken("no files here")) })
    }

    fn open(
        &self,
        _: &str,
        _: u64,
    ) -> BoxFuture<'_, Result<BoxStream<'static, std::io::Result<Bytes>>, Error>> {
        Box::pin(async { Err(Error::broken("no files here")) })
    }

    fn put(&self, _: &str, _: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Err(Error::broken("no files here")) })
    }

    fn delete(&self, _: &str) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Err(Error::broken("no files here")) })
    }
}

pub(crate) fn access() -> Access {
    Access {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::new("AKIASAMPLE", "sample-secret", None, None, "tests"),
        endpoint: None,
    }
}

/// The queues on SQS, with a recorder in place of the network.
pub(crate) fn sqs(recorder: &Recorder) -> SqsQueue {
    let config = access().sqs().http_client(recorder.client());
    SqsQueue::new(aws_sdk_sqs::Client::from_conf(config.build()), queues())
}

fn queues() -> Queues {
    let address = |queue: QueueName| {
        let name = queue.as_str();
        format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{name}")
    };
    Queues(QueueName::ALL.map(|queue| (queue, address(queue))).into())
}

/// A request as it would have gone out.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Takes the network's place: keeps every request and gives the next answer, `200 {}` when none was
/// given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    pub(crate) fn answering(answers: &[(u16, &str)]) -> Self {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()));
        Self {
            answers: Arc::new(Mutex::new(answers.collect())),
            requests: Arc::default(),
        }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter();
        self.requests.lock().unwrap().push(Request {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: headers.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            body: String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap(),
        });
        let next = self.answers.lock().unwrap().pop_front();
        let (status, body) = next.unwrap_or_else(|| (200, "{}".to_owned()));
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// A sample event by its file's name.
pub(crate) fn event<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
