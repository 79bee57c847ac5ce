//! Compiled functions as Lambda runs them: a process that asks the Runtime API for its next invocation
//! (AWS: Lambda runtimes, using the Lambda runtime API).

use std::io::BufRead;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use domain::workspace::Permission;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::support::TestApp;

/// Long enough for a slow machine; nothing is measured here.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary of a function, which is built if need be.
fn bootstrap(function: &str) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--bin", function])
        .args(["--message-format", "json"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success(), "{function} cannot be built");
    let artifacts = built.stdout.lines();
    let artifacts = artifacts.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    artifacts
        .filter(|artifact| artifact["target"]["name"] == function)
        .find_map(|artifact| Some(artifact["executable"].as_str()?.into()))
        .expect("the build names the binary")
}

/// What a function told the Runtime API.
#[derive(Debug)]
struct Told {
    what: &'static str,
    body: String,
}

/// The Runtime API: it has one invocation to give, and notes what becomes of it.
struct Runtime {
    address: String,
    told: mpsc::UnboundedReceiver<Told>,
}

#[derive(Clone)]
struct Given {
    event: Arc<Mutex<Option<String>>>,
    told: mpsc::UnboundedSender<Told>,
}

impl Runtime {
    async fn with(event: &Value) -> Self {
        let (sender, told) = mpsc::unbounded_channel();
        let given = Given {
            event: Arc::new(Mutex::new(Some(event.to_string()))),
            told: sender,
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{what}", post(ended))
            .route("/2018-06-01/runtime/init/error", post(not_begun))
            .with_state(given);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, told }
    }

    /// The function's answer to the invocation.
    async fn response(&mut self) -> Value {
        let told = tokio::time::timeout(PATIENCE, self.told.recv());
        let told = told.await.expect("the function answers").unwrap();
        assert_eq!(told.what, "response", "{told:?}");
        serde_json::from_str(&told.body).unwrap()
    }
}

async fn next(State(given): State<Given>) -> impl IntoResponse {
    let event = given.event.lock().unwrap().take();
    let Some(event) = event else {
        // There is nothing more to do, and the function waits.
        return std::future::pending().await;
    };
    let headers = [
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        ),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:sample",
        ),
    ];
    (headers, event)
}

async fn ended(
    State(given): State<Given>,
    Path((_, what)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let what = if what == "response" {
        "response"
    } else {
        "error"
    };
    given.told.send(Told { what, body }).unwrap();
    StatusCode::ACCEPTED
}

async fn not_begun(State(given): State<Given>, body: String) -> StatusCode {
    let what = "init error";
    given.told.send(Told { what, body }).unwrap();
    StatusCode::ACCEPTED
}

/// A running function, which ends with the test.
struct Function(Child);

impl Function {
    /// Starts it with what Lambda puts into its environment, and with what the template does.
    fn start(name: &str, runtime: &Runtime, own: &[(&str, &str)]) -> Self {
        let child = Command::new(bootstrap(name))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &runtime.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "sample")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "sample")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "AKIASAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "sample-secret")
            .env("PUBLIC_URL", "https://blazz.example")
            .env("GRAPH_URL", "https://graph.example/v26.0")
            .env("MASTER_KEY", app::secret::MasterKey::generate())
            .envs(own.iter().copied())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Both fail only when it is gone already, which is what they are for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn event(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The database of a test for a process of its own.
async fn endpoint(t: &TestApp) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = t.dynamo.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn the_compiled_api_reads_the_database_and_knows_who_asks() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let key = t.key_with(&owner, &[Permission::ReadContacts]).await;
    let mut asked = event("api-workspace");
    asked["rawPath"] = "/v1/workspace".into();
    asked["requestContext"]["http"]["path"] = "/v1/workspace".into();
    asked["cookies"] = Value::Array(Vec::new());
    asked["headers"]["authorization"] = key.header("authorization").into();
    let mut runtime = Runtime::with(&asked).await;
    let tables = &t.app.config.tables;
    let own = [
        ("AWS_ENDPOINT_URL", &*endpoint(&t).await),
        ("TABLE_MAIN", &tables.main),
        ("TABLE_EPHEMERAL", &tables.ephemeral),
    ];
    let _function = Function::start("api-workspace", &runtime, &own);
    let answer = runtime.response().await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let workspace: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(workspace["id"], owner.workspace);
    t.finish().await;
}

#[tokio::test]
async fn the_compiled_ingest_answers_metas_handshake() {
    let mut runtime = Runtime::with(&event("webhook-ingest-handshake")).await;
    let own = [
        ("VERIFY_TOKEN", "sample-verify-token"),
        ("APP_SECRETS", "sample-app-secret"),
    ];
    let _function = Function::start("webhook-ingest", &runtime, &own);
    let answer = runtime.response().await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["body"], "1158201444");
}
