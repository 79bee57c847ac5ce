use std::sync::atomic::{AtomicUsize, Ordering};

use app::config::Config;
use app::ports::{Outgoing, Queue as _};
use app::secret::MasterKey;
use app::task::{CampaignSend, Task};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::id::{CampaignId, WorkspaceId};
use tower::ServiceExt;

use super::functions::Entry;
use super::*;
use crate::dynamo::{self, Dynamo};
use crate::mailbox::Mailbox;
use crate::queue;
use app::clock::SystemClock;

struct Bench {
    host: Host,
    stack: Stack,
    _folder: tempfile::TempDir,
}

fn bench() -> Bench {
    let (app, queue, files, stack, folder) = parts();
    let host = Host::new(app, &stack, queue, files, Sockets::default()).unwrap();
    Bench {
        host,
        stack,
        _folder: folder,
    }
}

/// An application over its own ports, whose files live as long as the folder.
pub(super) fn app() -> (App, tempfile::TempDir) {
    let (app, _, _, _, folder) = parts();
    (app, folder)
}

fn parts() -> (App, LocalQueue, LocalFiles, Stack, tempfile::TempDir) {
    let stack = Stack::embedded().unwrap();
    let clock = Arc::new(SystemClock);
    let folder = tempfile::tempdir().unwrap();
    let dynamo = Dynamo::open(dynamo::Place::Memory(clock.clone()), &stack.tables).unwrap();
    let queue = LocalQueue::open(&queue::Place::Memory, &stack.queues, clock.clone()).unwrap();
    let files = LocalFiles::open(folder.path(), "http://blazz.test", b"s", clock.clone()).unwrap();
    let config = Config {
        public_url: "http://blazz.test".into(),
        realtime_url: "ws://blazz.test/ws".into(),
        graph_url: "http://127.0.0.1:9/v26.0".into(),
        graph_timeout: Duration::from_secs(1),
        app_secrets: Vec::new(),
        verify_token: "v".into(),
        master_key: MasterKey::parse(&MasterKey::generate()).unwrap(),
        tables: stack.table_names().unwrap(),
        queues: stack.queue_names(),
        bucket: String::new(),
        secure_cookies: false,
        requests_per_minute: app::config::REQUESTS_PER_MINUTE,
        proxies: 0,
    };
    let mailbox = Mailbox::open(&folder.path().join("mailbox"), clock.clone()).unwrap();
    let app = App::new(
        config,
        dynamo.client(),
        Arc::new(queue.clone()),
        Arc::new(files.clone()),
        Arc::new(Sockets::default()),
        Arc::new(mailbox),
        clock,
    )
    .unwrap();
    (app, queue, files, stack, folder)
}

/// The host with other code for message-send.
fn with_handler(bench: &Bench, entry: Entry) -> Host {
    let mut entries = functions::all(&bench.host.0.app);
    entries.retain(
        |(_, entry)| !matches!(entry, Entry::Queue(queue, _) if *queue == CampaignSend::QUEUE),
    );
    entries.push(("message-send", entry));
    let host = &bench.host.0;
    Host::with(
        host.app.clone(),
        &bench.stack,
        (host.queue.clone(), host.files.clone(), Sockets::default()),
        entries,
    )
    .unwrap()
}

fn task(chunk: u32) -> CampaignSend {
    CampaignSend {
        workspace: WorkspaceId::fresh(),
        campaign: CampaignId::fresh(),
        epoch: 1,
        chunk,
        step: 0,
    }
}

async fn send(host: &Host, chunk: u32) {
    host.app()
        .enqueue(&task(chunk), Duration::ZERO)
        .await
        .unwrap();
}

async fn get(host: &Host, path: &str) -> (StatusCode, String) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let answer = host.http_router().oneshot(request).await.unwrap();
    let kind = answer
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    (answer.status(), kind.unwrap_or_default())
}

#[tokio::test]
async fn the_template_and_the_code_agree() {
    drop(bench());
}

#[tokio::test]
async fn a_function_without_code_is_named() {
    let bench = bench();
    let mut entries = functions::all(bench.host.app());
    entries.retain(|(name, _)| *name != "campaign-plan");
    let error = wiring::wire(&bench.stack, entries, &Gauge::default(), &Meter::default())
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        error,
        "the template has a function campaign-plan, for which there is no code here"
    );
}

#[tokio::test]
async fn code_without_a_function_is_named() {
    let bench = bench();
    let mut entries = functions::all(bench.host.app());
    entries.push((
        "campaign-sweep",
        Entry::Schedule(Arc::new(|_| Box::pin(async { Ok(()) }))),
    ));
    let error = wiring::wire(&bench.stack, entries, &Gauge::default(), &Meter::default())
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        error,
        "there is code for a function campaign-sweep, which the template does not have"
    );
}

#[tokio::test]
async fn health_is_answered_and_unknown_paths_are_problems() {
    let bench = bench();
    assert_eq!(get(&bench.host, "/healthz").await.0, StatusCode::OK);
    for path in ["/", "/v1", "/v1/nothing", "/v1/contacts-old", "/webhooks"] {
        let (status, kind) = get(&bench.host, path).await;
        assert_eq!(
            (status, kind.as_str()),
            (StatusCode::NOT_FOUND, "application/problem+json"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_prefix_reaches_its_function() {
    let bench = bench();
    for path in [
        "/v1/me",
        "/v1/api-keys",
        "/v1/channels",
        "/v1/contacts",
        "/v1/groups",
        "/v1/imports",
        "/v1/campaigns",
        "/v1/chats/some",
        "/v1/templates",
    ] {
        assert_eq!(
            get(&bench.host, path).await.0,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_panic_fails_its_own_message_only() {
    let bench = bench();
    let host = with_handler(
        &bench,
        functions::queue(|_: App, task: CampaignSend| async move {
            assert!(task.chunk != 1, "this chunk is poison");
            Ok(())
        }),
    );
    for chunk in 0..3 {
        send(&host, chunk).await;
    }
    let batch = host.queue().receive(CampaignSend::QUEUE, 10).await.unwrap();
    let verdicts =
        futures::future::join_all(batch.into_iter().map(|message| host.run_message(message))).await;
    assert_eq!(
        verdicts
            .iter()
            .filter(|verdict| **verdict == Verdict::Done)
            .count(),
        2
    );
    // The poison stays invisible until its time-out, as it would with SQS.
    let stats = host.queue().stats(CampaignSend::QUEUE).await.unwrap();
    assert_eq!((stats.ready, stats.in_flight), (0, 1));
}

#[tokio::test]
async fn an_invocation_ends_at_the_functions_time_out() {
    let mut bench = bench();
    for function in &mut bench.stack.functions {
        function.timeout = Duration::from_millis(5);
    }
    let host = with_handler(
        &bench,
        functions::queue(|_: App, _: CampaignSend| std::future::pending()),
    );
    send(&host, 0).await;
    let batch = host.queue().receive(CampaignSend::QUEUE, 1).await.unwrap();
    let verdict = host.run_message(batch.into_iter().next().unwrap()).await;
    assert_eq!(verdict, Verdict::Retry { after: None });
}

#[tokio::test]
async fn a_message_that_asks_for_later_is_delayed() {
    let bench = bench();
    let after = Duration::from_secs(60);
    let host = with_handler(
        &bench,
        functions::queue(
            move |_: App, _: CampaignSend| async move { Err(app::Error::Later { after }) },
        ),
    );
    send(&host, 0).await;
    let batch = host.queue().receive(CampaignSend::QUEUE, 1).await.unwrap();
    assert_eq!(
        host.run_message(batch[0].clone()).await,
        Verdict::Retry { after: Some(after) }
    );
    assert_eq!(
        host.queue()
            .stats(CampaignSend::QUEUE)
            .await
            .unwrap()
            .delayed,
        1
    );
}

/// How many invocations ran at the same time, at most.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn pollers_run_everything_with_bounded_concurrency_and_stop() {
    let bench = bench();
    let host = with_handler(
        &bench,
        functions::queue(|_: App, _: CampaignSend| async {
            let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
            MOST.fetch_max(running, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            RUNNING.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }),
    );
    let bound = bench.stack.function("message-send").unwrap().sources[0]
        .max_concurrency
        .unwrap();
    let pollers = host.start_pollers();
    let messages = (0..bound as u32 * 3)
        .map(|chunk| Outgoing {
            queue: CampaignSend::QUEUE,
            body: serde_json::to_string(&task(chunk)).unwrap(),
            group: "g".into(),
            delay: Duration::ZERO,
        })
        .collect();
    host.queue().send(messages).await.unwrap();
    while !host
        .queue()
        .stats(CampaignSend::QUEUE)
        .await
        .unwrap()
        .is_at_rest()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(MOST.load(Ordering::SeqCst) <= bound);
    assert!(pollers.stop(Duration::from_secs(5)).await);
}
