//! The queues in memory and in the file, changed together inside one transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use app::ports::{Clock, Outgoing};
use app::task::QueueName;
use jiff::Timestamp;

use super::shelf::{Rules, Shelf, Standing, later};
use super::store::{Row, Store};
use super::{Receipt, Received, Stats};
use crate::template;

pub(super) struct State {
    store: Store,
    rules: Vec<(QueueName, Rules)>,
    shelves: HashMap<QueueName, Shelf>,
    clock: Arc<dyn Clock>,
    /// The time of the present transaction.
    now: Timestamp,
    nonce: u32,
}

impl State {
    pub(super) fn load(
        store: Store,
        queues: &[template::Queue],
        clock: Arc<dyn Clock>,
    ) -> rusqlite::Result<Self> {
        let rules = queues
            .iter()
            .map(|queue| (queue.name, Rules::from(queue)))
            .collect();
        let now = clock.now();
        let mut state = Self {
            store,
            rules,
            shelves: HashMap::new(),
            clock,
            now,
            nonce: 0,
        };
        state.read()?;
        Ok(state)
    }

    /// Opens a transaction and moves what has fallen due.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.now = self.clock.now();
        self.store.begin()?;
        for (queue, shelf) in &mut self.shelves {
            for id in shelf.advance(self.now) {
                bury(&self.store, *queue, id)?;
            }
        }
        Ok(())
    }

    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        self.store.commit()
    }

    /// After a failed transaction: forgets what is in memory and reads the file again.
    pub(super) fn recover(&mut self) {
        self.store.rollback();
        if let Err(error) = self.read() {
            tracing::error!(%error, "the queue file cannot be read again");
        }
    }

    pub(super) fn close(&self) {
        self.store.shorten_log();
    }

    pub(super) fn next(&self, queue: QueueName) -> Option<Timestamp> {
        self.shelves.get(&queue).and_then(Shelf::next)
    }

    pub(super) fn stats(&self, queue: QueueName) -> Stats {
        self.shelves
            .get(&queue)
            .map(Shelf::stats)
            .unwrap_or_default()
    }

    pub(super) fn send(&mut self, messages: &[Outgoing]) -> rusqlite::Result<()> {
        for message in messages {
            let Some(shelf) = self.shelves.get_mut(&message.queue) else {
                continue;
            };
            let delay = if message.delay.is_zero() {
                shelf.rules.delay
            } else {
                message.delay
            };
            let due = later(self.now, delay);
            let id = self
                .store
                .insert(message.queue, &message.group, &message.body, due)?;
            let standing = if due > self.now {
                Standing::Delayed { until: due }
            } else {
                Standing::Ready
            };
            shelf.add(id, &message.group, 0, standing);
        }
        Ok(())
    }

    pub(super) fn receive(
        &mut self,
        queue: QueueName,
        max: usize,
    ) -> rusqlite::Result<Vec<Received>> {
        let mut received = Vec::new();
        let Some(shelf) = self.shelves.get_mut(&queue) else {
            return Ok(received);
        };
        while received.len() < max {
            self.nonce = self.nonce.wrapping_add(1);
            let Some(taken) = shelf.take(self.now, self.nonce) else {
                break;
            };
            let body = self
                .store
                .take(taken.id, taken.received, taken.until, self.nonce)?;
            received.push(Received {
                queue,
                id: taken.id,
                receipt: Receipt {
                    id: taken.id,
                    nonce: self.nonce,
                },
                group: taken.group.to_string(),
                body,
                receive_count: taken.received,
            });
        }
        Ok(received)
    }

    pub(super) fn delete(&mut self, queue: QueueName, receipt: Receipt) -> rusqlite::Result<bool> {
        let Some(shelf) = held(&mut self.shelves, queue, receipt) else {
            return Ok(false);
        };
        shelf.remove(receipt.id);
        self.store.delete(receipt.id)?;
        Ok(true)
    }

    pub(super) fn retry(
        &mut self,
        queue: QueueName,
        receipt: Receipt,
        after: Duration,
    ) -> rusqlite::Result<bool> {
        let Some(shelf) = held(&mut self.shelves, queue, receipt) else {
            return Ok(false);
        };
        let until = later(self.now, after);
        if shelf.give_back(receipt.id, until, self.now) {
            bury(&self.store, queue, receipt.id)?;
        } else {
            self.store.give_back(receipt.id, until)?;
        }
        Ok(true)
    }

    pub(super) fn extend(
        &mut self,
        queue: QueueName,
        receipt: Receipt,
        timeout: Duration,
    ) -> rusqlite::Result<bool> {
        let Some(shelf) = held(&mut self.shelves, queue, receipt) else {
            return Ok(false);
        };
        let until = later(self.now, timeout);
        shelf.extend(receipt, until);
        self.store.extend(receipt.id, until)?;
        Ok(true)
    }

    pub(super) fn redrive(&mut self, queue: QueueName) -> rusqlite::Result<usize> {
        let Some(shelf) = self.shelves.get_mut(&queue) else {
            return Ok(0);
        };
        let dead = shelf.redrive();
        for id in &dead {
            self.store.revive(*id)?;
        }
        Ok(dead.len())
    }

    fn read(&mut self) -> rusqlite::Result<()> {
        self.now = self.clock.now();
        self.shelves = self
            .rules
            .iter()
            .map(|(queue, rules)| (*queue, Shelf::new(*rules)))
            .collect();
        for row in self.store.rows()? {
            let queue = self
                .rules
                .iter()
                .map(|(queue, _)| *queue)
                .find(|queue| queue.as_str() == row.queue);
            match queue.and_then(|queue| self.shelves.get_mut(&queue)) {
                Some(shelf) => shelf.add(row.id, &row.group, row.received, standing(&row)),
                None => tracing::warn!(
                    queue = row.queue,
                    message = row.id,
                    "a message is for a queue that is no more"
                ),
            }
        }
        Ok(())
    }
}

/// What the row says. A time that has passed is noticed by the next transaction.
fn standing(row: &Row) -> Standing {
    match row.nonce {
        _ if row.dead => Standing::Dead,
        Some(nonce) => Standing::InFlight {
            until: row.due,
            nonce,
        },
        None => Standing::Delayed { until: row.due },
    }
}

/// The shelf on which the receipt is valid.
fn held(
    shelves: &mut HashMap<QueueName, Shelf>,
    queue: QueueName,
    receipt: Receipt,
) -> Option<&mut Shelf> {
    shelves.get_mut(&queue).filter(|shelf| shelf.holds(receipt))
}

fn bury(store: &Store, queue: QueueName, id: i64) -> rusqlite::Result<()> {
    tracing::error!(
        queue = queue.as_str(),
        message = id,
        "a message was received too often and is parked"
    );
    store.bury(id)
}

impl From<&template::Queue> for Rules {
    fn from(queue: &template::Queue) -> Self {
        Self {
            fifo: queue.fifo,
            visibility: queue.visibility,
            delay: queue.delay,
            max_receive: queue.max_receive,
        }
    }
}
