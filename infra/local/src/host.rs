//! Every function of the template in this process.
//!
//! The template says which functions there are and what sets them off; `functions.rs` says what code
//! each one is. The two must agree, or the host does not start. It treats a function as Lambda does:
//! an invocation is bounded by the function's time-out, runs on when its caller has gone, and when
//! one message of a batch fails or panics the others are not affected.

mod functions;
mod meter;
mod poller;
mod routing;
mod schedule;
mod sockets;
mod wiring;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use app::task::{QueueName, Verdict};
use axum::Router;
use axum::routing::get;
use tokio_util::task::AbortOnDropHandle;

use crate::files::LocalFiles;
use crate::gauge::Gauge;
use crate::queue::{LocalQueue, Received};
use crate::template::Stack;
use functions::Entry;
pub use meter::{Meter, Use};
pub use poller::Pollers;
use routing::Routes;
use schedule::Schedule;
use sockets::Gateway;
pub use sockets::Sockets;
use wiring::Consumer;

/// The running functions. Clones are the same host.
#[derive(Clone)]
pub struct Host(Arc<Parts>);

struct Parts {
    app: App,
    queue: LocalQueue,
    files: LocalFiles,
    routes: Arc<Routes>,
    consumers: HashMap<QueueName, Consumer>,
    schedules: Vec<Schedule>,
    /// The path of the websockets, and the function behind them.
    websocket: Option<(String, Gateway)>,
    open: Gauge,
    meter: Meter,
}

/// Where the template and the code disagree.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("the template has a function {0}, for which there is no code here")]
    NoCode(String),
    #[error("there is code for a function {0}, which the template does not have")]
    NoFunction(&'static str),
    #[error("the function {function} {message}")]
    Disagree { function: String, message: String },
}

impl Host {
    /// Connects the template's functions with their code.
    ///
    /// # Errors
    /// The template and the code do not agree.
    pub fn new(
        app: App,
        stack: &Stack,
        queue: LocalQueue,
        files: LocalFiles,
        sockets: Sockets,
    ) -> Result<Self, HostError> {
        let entries = functions::all(&app);
        Self::with(app, stack, (queue, files, sockets), entries)
    }

    fn with(
        app: App,
        stack: &Stack,
        (queue, files, sockets): (LocalQueue, LocalFiles, Sockets),
        entries: Vec<(&'static str, Entry)>,
    ) -> Result<Self, HostError> {
        let open = Gauge::default();
        let meter = Meter::of(stack);
        let wired = wiring::wire(stack, entries, &open, &meter)?;
        let routes = Arc::new(wired.routes);
        let (consumers, schedules) = (wired.consumers, wired.schedules);
        let websocket = wired.socket.map(|socket| {
            let gateway = Gateway {
                app: app.clone(),
                function: socket.function,
                handler: socket.handler,
                timeout: socket.timeout,
                limits: sockets::Limits::default(),
                sockets,
                open: open.clone(),
                meter: meter.clone(),
            };
            (socket.path, gateway)
        });
        Ok(Self(Arc::new(Parts {
            app,
            queue,
            files,
            routes,
            consumers,
            schedules,
            websocket,
            open,
            meter,
        })))
    }

    /// What each function was used for.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.0.meter
    }

    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }

    #[must_use]
    pub fn queue(&self) -> &LocalQueue {
        &self.0.queue
    }

    /// Invocations that have not ended, whatever set them off.
    #[must_use]
    pub fn open_invocations(&self) -> usize {
        self.0.open.read()
    }

    /// Everything that is reached over HTTP: the functions, the websockets, the files, and
    /// `/healthz`.
    pub fn http_router(&self) -> Router {
        let mut router = Router::new();
        if let Some((path, gateway)) = &self.0.websocket {
            router = router.merge(sockets::router(path, gateway.clone()));
        }
        router
            .route("/healthz", get(async || "ok"))
            .merge(self.0.files.router())
            .fallback_service(routing::router(Arc::clone(&self.0.routes)))
    }

    /// Runs the handler of one message, and then deletes the message or gives it back.
    pub async fn run_message(&self, message: Received) -> Verdict {
        let Some(consumer) = self.0.consumers.get(&message.queue) else {
            return Verdict::Retry { after: None };
        };
        let handler = Arc::clone(&consumer.handler);
        let (app, body) = (self.0.app.clone(), message.body.clone());
        let app = app.until(app.now() + consumer.timeout);
        let _open = self.0.open.enter();
        // In a task of its own, so that a panic ends this message and nothing else. It ends with
        // its caller: a process that dies takes its invocations along.
        let run = tokio::spawn(tokio::time::timeout(consumer.timeout, handler(app, body)));
        let run = AbortOnDropHandle::new(run);
        let verdict = match run.await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => {
                tracing::error!(function = consumer.function, "an invocation took too long");
                Verdict::Retry { after: None }
            }
            Err(error) => {
                tracing::error!(function = consumer.function, %error, "an invocation panicked");
                Verdict::Retry { after: None }
            }
        };
        self.settle(&message, verdict).await;
        verdict
    }

    /// Runs every function with a schedule once, as if its time had come.
    pub async fn tick(&self) {
        for schedule in &self.0.schedules {
            schedule.run(&self.0.app).await;
        }
    }

    /// Starts to receive from every queue and to keep every schedule.
    #[must_use]
    pub fn start_pollers(&self) -> Pollers {
        Pollers::start(self)
    }

    /// A message that is not settled comes back after its visibility time-out.
    async fn settle(&self, message: &Received, verdict: Verdict) {
        let settled = match verdict {
            Verdict::Done => self.0.queue.delete(message).await,
            Verdict::Retry { after: Some(after) } => self.0.queue.retry(message, after).await,
            Verdict::Retry { after: None } => return,
        };
        match settled {
            Ok(true) => {}
            Ok(false) => tracing::warn!(
                queue = message.queue.as_str(),
                "a message was handled after its visibility time-out"
            ),
            Err(error) => {
                tracing::error!(error = error.chain(), "a handled message cannot be settled");
            }
        }
    }
}

/// How long the pollers wait after the queue itself has failed.
const BREATH: Duration = Duration::from_secs(1);
