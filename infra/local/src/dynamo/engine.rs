//! The engine and its threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use app::ports::Clock;
use dynoxide::{Database, DynoxideError};
use tokio::sync::oneshot;

use super::{DynamoError, Place};

/// Requests are read and answers written outside the engine's lock: two threads keep it busy.
const THREADS: usize = 2;

type Job = Box<dyn FnOnce(&Database) + Send>;

/// The database and its threads, which end with the last clone.
#[derive(Clone)]
pub(super) struct Engine {
    jobs: Sender<Job>,
    database: Database,
}

impl Engine {
    pub(super) fn open(place: Place) -> Result<Self, DynamoError> {
        let failed = |error: DynoxideError| DynamoError::Open(error.to_string());
        let database = match place {
            Place::Memory(clock) => {
                Database::memory_with_clock(Arc::new(EngineClock(clock))).map_err(failed)?
            }
            Place::File(path) => {
                let path = path
                    .to_str()
                    .ok_or_else(|| DynamoError::Open("its path is not UTF-8".to_owned()))?;
                let database = Database::new(path).map_err(failed)?;
                // The only public way to synchronous=NORMAL.
                database.enable_bulk_loading().map_err(failed)?;
                database.disable_bulk_loading().map_err(failed)?;
                database
            }
        };
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..THREADS {
            let (database, waiting) = (database.clone(), Arc::clone(&waiting));
            std::thread::Builder::new()
                .name(format!("dynamo-{number}"))
                .spawn(move || work(&database, &waiting))
                .map_err(|error| DynamoError::Open(error.to_string()))?;
        }
        Ok(Self { jobs, database })
    }

    /// Runs something on one of the threads. `None`: it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Database) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |database| drop(reply.send(act(database))));
        self.jobs.send(job).ok()?;
        answer.await.ok()
    }

    /// For the start, before there is anything to keep from waiting.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }
}

fn work(database: &Database, waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = next else { return };
        // The job's reply is dropped with it, so its caller hears of the panic.
        if catch_unwind(AssertUnwindSafe(|| job(database))).is_err() {
            tracing::error!("the database engine panicked");
        }
    }
}

/// Expiry by our clock, so that a test which moves time moves that too.
struct EngineClock(Arc<dyn Clock>);

impl dynoxide::storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_duration().as_secs_f64()
    }
}
