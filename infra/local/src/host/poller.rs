//! Receives from the queues, as Lambda's pollers do: batches of the mapping's size, and at most as
//! many invocations at a time as the mapping allows.

use std::sync::Arc;
use std::time::Duration;

use app::task::{QueueName, Verdict};
use futures::future::join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{BREATH, Host};
use crate::queue::Received;

/// Running pollers. Dropping them stops them too, without waiting for what is in flight.
pub struct Pollers {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Pollers {
    pub(super) fn start(host: &Host) -> Self {
        let pollers = Self {
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        for (queue, consumer) in &host.0.consumers {
            let poller = Poller {
                host: host.clone(),
                queue: *queue,
                batch_size: consumer.batch_size,
                permits: Arc::new(Semaphore::new(consumer.concurrency)),
                stop: pollers.stop.clone(),
                tasks: pollers.tasks.clone(),
            };
            pollers.tasks.spawn(poller.run());
        }
        for schedule in host.0.schedules.clone() {
            pollers
                .tasks
                .spawn(schedule.keep(host.0.app.clone(), pollers.stop.clone()));
        }
        pollers
    }

    /// Receives nothing more and waits for what is in flight, but not for ever. `false`: something
    /// was still running; its messages come back when the queue is opened again.
    pub async fn stop(self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_ok()
    }
}

impl Drop for Pollers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Poller {
    host: Host,
    queue: QueueName,
    batch_size: usize,
    permits: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Poller {
    async fn run(self) {
        while let Some(permit) = self.ready().await {
            // Not given up half-way: what was received must be run.
            match self.host.0.queue.receive(self.queue, self.batch_size).await {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => drop(self.tasks.spawn(invoke(self.host.clone(), batch, permit))),
                Err(error) => {
                    tracing::error!(error = error.chain(), "the queue cannot be received from");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Waits for a free invocation and for a message. `None`: it is time to stop.
    async fn ready(&self) -> Option<OwnedSemaphorePermit> {
        let both = async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
            self.host.0.queue.wait(self.queue).await;
            Some(permit)
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            permit = both => permit,
        }
    }
}

async fn invoke(host: Host, batch: Vec<Received>, permit: OwnedSemaphorePermit) {
    let queue = batch.first().map(|message| message.queue);
    let function = queue.and_then(|queue| host.0.consumers.get(&queue));
    let used = function.map(|consumer| host.0.meter.begin(&consumer.function));
    let verdicts = join_all(batch.into_iter().map(|message| host.run_message(message))).await;
    drop(used);
    // Lambda deletes what is done of a batch with one request.
    if let Some(queue) = queue.filter(|_| verdicts.contains(&Verdict::Done)) {
        host.0.queue.requests().deleted(queue);
    }
    drop(permit);
}
