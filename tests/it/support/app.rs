//! The whole application in process: every function, the embedded database, queues and files, and the
//! simulator as the world outside. Time moves only when [`TestApp::drain`] or a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::config::{Config, REQUESTS_PER_MINUTE};
use app::ports::{Clock, Mail, Queue};
use app::secret::MasterKey;
use app::task::QueueName;
use axum::Router;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use local::dynamo::{Answer, Call, Dynamo, Interceptor, Lost, Next};
use local::files::LocalFiles;
use local::host::{Host, Sockets};
use local::mailbox::Mailbox;
use local::queue::LocalQueue;
use local::template::Stack;
use simulator::{Settings, Simulator, Time};
use tokio::net::TcpListener;

use super::clock::TestClock;
use super::faults::Door;

pub(crate) struct TestApp {
    pub(crate) app: app::App,
    pub(crate) clock: TestClock,
    pub(crate) dynamo: Dynamo,
    pub(crate) queue: LocalQueue,
    pub(crate) simulator: Simulator,
    pub(crate) router: Router,
    pub(crate) mailbox: Mailbox,
    host: Host,
    leftovers_allowed: bool,
    /// Holds the uploaded files until the test ends.
    _files: tempfile::TempDir,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(Settings {
            answer_latency_ms: 0,
            ..Settings::default()
        })
        .await
    }

    /// The application with a simulator of these settings.
    pub(crate) async fn with(settings: Settings) -> Self {
        Self::build(settings, false, Between::default()).await
    }

    /// The application with faults between it and what it stands on.
    pub(crate) async fn between(settings: Settings, between: Between) -> Self {
        Self::build(settings, false, between).await
    }

    /// The application with a simulator that takes messages and never tells what became of them, for
    /// tests that play Meta's part themselves.
    pub(crate) async fn quiet() -> Self {
        Self::quiet_with(Settings {
            answer_latency_ms: 0,
            ..Settings::default()
        })
        .await
    }

    pub(crate) async fn quiet_with(settings: Settings) -> Self {
        Self::build(settings, true, Between::default()).await
    }

    /// The application without a secret that could verify anything.
    pub(crate) async fn without_secret() -> Self {
        let settings = Settings {
            app_secret: String::new(),
            ..Settings::default()
        };
        Self::build(settings, true, Between::default()).await
    }

    /// The application with a store that misbehaves as it is told.
    pub(crate) async fn with_store(store: &Arc<Store>) -> Self {
        let settings = Settings {
            answer_latency_ms: 0,
            ..Settings::default()
        };
        Self::build(settings, false, Between::store(store)).await
    }

    /// The same with a simulator that never tells what became of a message.
    pub(crate) async fn quiet_with_store(store: &Arc<Store>) -> Self {
        let settings = Settings {
            answer_latency_ms: 0,
            ..Settings::default()
        };
        Self::build(settings, true, Between::store(store)).await
    }

    async fn build(settings: Settings, quiet: bool, between: Between) -> Self {
        // Tests write webhooks by hand, too.
        let settings = Settings {
            trusts_ids: true,
            ..settings
        };
        let clock = between.clock.unwrap_or_else(TestClock::new);
        let stack = Stack::embedded().unwrap();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let place = local::dynamo::Place::Memory(Arc::clone(&shared));
        let dynamo = Dynamo::open_with(place, &stack.tables, between.store).unwrap();
        let queue = LocalQueue::open(
            &local::queue::Place::Memory,
            &stack.queues,
            Arc::clone(&shared),
        )
        .unwrap();
        let own = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", own.local_addr().unwrap());
        let outside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let graph_url = format!("http://{}/v26.0", outside.local_addr().unwrap());
        let webhook_url = if quiet {
            String::new()
        } else {
            format!("{url}/webhooks/whatsapp")
        };
        let settings = Settings {
            webhook_url,
            ..settings
        };
        let (secret, verify_token) = (settings.app_secret.clone(), settings.verify_token.clone());
        let simulator =
            Simulator::start(settings, Arc::new(clock.clone()) as Arc<dyn Time>).unwrap();
        match between.door {
            Some(door) => drop(tokio::spawn(door.serve(outside, simulator.router()))),
            None => drop(tokio::spawn(simulator.serve(outside))),
        }
        let sender = match between.queue {
            Some(sender) => sender(queue.clone()),
            None => Arc::new(queue.clone()),
        };
        let folder = tempfile::tempdir().unwrap();
        let files =
            LocalFiles::open(folder.path(), &url, b"a test's secret", Arc::clone(&shared)).unwrap();
        let sockets = Sockets::default();
        let mailbox =
            Mailbox::open(&folder.path().join("mailbox.jsonl"), Arc::clone(&shared)).unwrap();
        let mail: Arc<dyn Mail> = match between.mail {
            Some(mail) => mail(mailbox.clone()),
            None => Arc::new(mailbox.clone()),
        };
        let config = Config {
            realtime_url: stack.realtime_url(&url),
            public_url: url,
            graph_url,
            graph_timeout: Duration::from_secs(30),
            app_secrets: vec![secret],
            verify_token,
            master_key: MasterKey::parse(&MasterKey::generate()).unwrap(),
            tables: stack.table_names().unwrap(),
            queues: stack.queue_names(),
            bucket: String::new(),
            secure_cookies: true,
            requests_per_minute: REQUESTS_PER_MINUTE,
            proxies: 0,
        };
        let app = app::App::new(
            config,
            dynamo.client(),
            sender,
            Arc::new(files.clone()),
            Arc::new(sockets.clone()),
            mail,
            shared,
        )
        .unwrap();
        let host = Host::new(app.clone(), &stack, queue.clone(), files, sockets).unwrap();
        let router = host.http_router();
        let served = router.clone();
        tokio::spawn(async move { axum::serve(own, served).await });
        Self {
            app,
            clock,
            dynamo,
            queue,
            simulator,
            router,
            mailbox,
            host,
            leftovers_allowed: false,
            _files: folder,
        }
    }

    /// The test leaves work behind on purpose.
    pub(crate) fn allow_leftovers(&mut self) {
        self.leftovers_allowed = true;
    }

    /// Runs every queue to rest, and moves the clock to the next due instant whenever nothing is
    /// ready. An open call is not rest: time stands still until it is answered.
    pub(crate) async fn drain(&self) {
        self.drain_to(Timestamp::MAX).await;
    }

    /// The same, but not beyond an instant: what is due later stays where it is.
    pub(crate) async fn drain_to(&self, end: Timestamp) {
        let mut running = FuturesUnordered::new();
        loop {
            for queue in QueueName::ALL {
                for message in self.queue.receive(queue, 10).await.unwrap() {
                    let host = self.host.clone();
                    running.push(tokio::spawn(async move {
                        host.run_message(message).await;
                    }));
                }
            }
            // Whatever ended may have queued more, so the queues come first again.
            let mut ended = false;
            while let Some(Some(result)) = running.next().now_or_never() {
                result.unwrap();
                ended = true;
            }
            if ended || self.busy().await {
                continue;
            }
            let sleeper = self.clock.next_due();
            let due = if running.is_empty() {
                self.queue.next_due()
            } else {
                None
            };
            match [sleeper, due].into_iter().flatten().min() {
                Some(instant) if instant > end => return,
                Some(instant) => self.clock.advance_to(instant),
                // A handler that waits for no instant works on a thread of its own.
                None if !running.is_empty() => tokio::time::sleep(Duration::from_millis(1)).await,
                None => return,
            }
        }
    }

    /// Delivers the ready messages of one queue, once each.
    pub(crate) async fn run_once(&self, queue: QueueName) {
        for message in self.queue.receive(queue, 10).await.unwrap() {
            self.host.run_message(message).await;
        }
    }

    /// Runs every scheduled function once, as if its time had come.
    pub(crate) async fn tick(&self) {
        self.host.tick().await;
    }

    /// Loses the ready messages of a queue, as if they had never been sent.
    pub(crate) async fn lose(&self, queue: QueueName) {
        let messages = self.queue.receive(queue, 10).await.unwrap();
        assert!(!messages.is_empty(), "there is something to lose");
        for message in messages {
            self.queue.delete(&message).await.unwrap();
        }
    }

    /// Begins to handle one message and returns the task, which a test may abort like a killed process.
    pub(crate) async fn begin_one(&self, queue: QueueName) -> tokio::task::JoinHandle<()> {
        let message = self
            .queue
            .receive(queue, 1)
            .await
            .unwrap()
            .pop()
            .expect("a message is ready");
        let host = self.host.clone();
        tokio::spawn(async move {
            host.run_message(message).await;
        })
    }

    /// Begins to handle every ready message of a queue and does not wait for the end.
    pub(crate) async fn begin_all(&self, queue: QueueName) {
        for message in self.queue.receive(queue, 10).await.unwrap() {
            let host = self.host.clone();
            tokio::spawn(async move {
                host.run_message(message).await;
            });
        }
    }

    /// Lets what is under way go on, moving only the clock, until the condition holds.
    pub(crate) async fn go_on_until(&self, stop: impl AsyncFn() -> bool) {
        while !stop().await {
            if !self.busy().await
                && let Some(instant) = self.clock.next_due()
            {
                self.clock.advance_to(instant);
            }
        }
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.clock.advance_to(self.clock.now() + by);
    }

    /// Whether anything is under way that no instant ends. It looks several times with turns for all
    /// tasks between, because an answer may be on its way from one to another.
    async fn busy(&self) -> bool {
        for _ in 0..4 {
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            let activity = self.simulator.activity();
            // A call that the simulator holds back until an instant is at rest, as that instant is due.
            let calls = self.app.whatsapp.open_calls();
            let open = self.dynamo.open_calls() + calls.saturating_sub(activity.requests_waiting);
            if open + activity.requests_running + activity.deliveries_running > 0 {
                tokio::time::sleep(Duration::from_micros(200)).await;
                return true;
            }
        }
        false
    }

    /// Every message that is left in a queue or parked.
    async fn leftovers(queue: &LocalQueue) -> Vec<String> {
        let mut left = Vec::new();
        for name in QueueName::ALL {
            let stats = queue.stats(name).await.unwrap();
            if !stats.is_at_rest() || stats.dead > 0 {
                left.push(format!("{}: {stats:?}", name.as_str()));
            }
        }
        left
    }

    /// Ends the test: nothing may be left in a queue or in a dead-letter queue.
    pub(crate) async fn finish(mut self) {
        // Open screens are told of what people did, and nobody waits for that.
        while self.queue.stats(QueueName::Broadcast).await.unwrap().ready > 0 {
            self.run_once(QueueName::Broadcast).await;
        }
        let left = Self::leftovers(&self.queue).await;
        assert!(left.is_empty(), "work was left behind: {left:?}");
        self.leftovers_allowed = true;
    }
}

/// What stands between the application and what it stands on.
#[derive(Default)]
pub(crate) struct Between {
    /// The test's clock, when what stands between needs it too.
    pub(crate) clock: Option<TestClock>,
    pub(crate) store: Option<Arc<dyn Interceptor>>,
    /// What the application sends its messages to, over the queues of the test.
    pub(crate) queue: Option<Sender>,
    /// What the application gives its mails to, over the mailbox of the test.
    pub(crate) mail: Option<Carrier>,
    /// What its calls to Meta pass.
    pub(crate) door: Option<Arc<Door>>,
}

impl Between {
    /// The store, which moves the clock of the test.
    fn store(store: &Arc<Store>) -> Self {
        let clock = TestClock::new();
        *store.clock.lock().unwrap() = Some(clock.clone());
        Self {
            clock: Some(clock),
            store: Some(Arc::clone(store) as Arc<dyn Interceptor>),
            ..Self::default()
        }
    }
}

pub(crate) type Carrier = Box<dyn FnOnce(Mailbox) -> Arc<dyn Mail>>;

pub(crate) type Sender = Box<dyn FnOnce(LocalQueue) -> Arc<dyn Queue>>;

/// What stands between the application and its database.
#[derive(Default)]
pub(crate) struct Store {
    clock: Mutex<Option<TestClock>>,
    /// How long each write takes.
    pub(crate) write_millis: AtomicI64,
    /// How long each query takes.
    pub(crate) read_millis: AtomicI64,
    /// Writes that touch this text fail from now on, as if DynamoDB were out of reach.
    pub(crate) broken: Mutex<Option<&'static str>>,
}

impl Store {
    fn take(&self, millis: &AtomicI64) {
        let took = SignedDuration::from_millis(millis.load(Ordering::Relaxed));
        if let Some(clock) = self.clock.lock().unwrap().as_ref() {
            clock.advance_to(clock.now() + took);
        }
    }
}

impl Interceptor for Store {
    fn call(&self, call: Call, next: Next) -> BoxFuture<'static, Result<Answer, Lost>> {
        let is_write = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]
            .contains(&call.operation.as_str());
        if is_write {
            let broken = *self.broken.lock().unwrap();
            if broken.is_some_and(|text| call.body.contains(text)) {
                return Box::pin(async { Err(Lost) });
            }
            self.take(&self.write_millis);
        } else if call.operation == "Query" {
            self.take(&self.read_millis);
        }
        Box::pin(async move { Ok(next.run(call).await) })
    }
}

/// A test that succeeds must have ended with [`TestApp::finish`], or have said why not.
impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                self.leftovers_allowed,
                "end the test with finish(), or allow leftovers"
            );
        }
    }
}
