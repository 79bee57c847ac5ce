//! What one queue knows about its messages, in memory: which are ready, which wait, who is next.
//!
//! It knows no bodies, no file and no clock: every call is told the time. It is rebuilt from the
//! file at the start, and the file is changed with it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::turns::Turns;
use super::{Receipt, Stats};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Ready,
    Delayed { until: Timestamp },
    InFlight { until: Timestamp, nonce: u32 },
    Dead,
}

#[derive(Debug)]
struct Message {
    group: Arc<str>,
    received: u32,
    standing: Standing,
}

/// The rules of one queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) fifo: bool,
    pub(super) visibility: Duration,
    pub(super) delay: Duration,
    pub(super) max_receive: u32,
}

#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) rules: Rules,
    messages: HashMap<i64, Message>,
    turns: Turns,
    due: BTreeSet<(Timestamp, i64)>,
    stats: Stats,
}

/// A message that was taken, and when it will come back.
pub(super) struct Taken {
    pub(super) id: i64,
    pub(super) group: Arc<str>,
    pub(super) received: u32,
    pub(super) until: Timestamp,
}

impl Shelf {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            messages: HashMap::new(),
            turns: Turns::new(rules.fifo),
            due: BTreeSet::new(),
            stats: Stats::default(),
        }
    }

    /// Puts a message on the shelf. Ids must grow in the order of sending.
    pub(super) fn add(&mut self, id: i64, group: &str, received: u32, standing: Standing) {
        let group = self.turns.name(group);
        self.messages.insert(
            id,
            Message {
                group,
                received,
                standing: Standing::Dead,
            },
        );
        self.stats.dead += 1;
        self.stand(id, standing);
    }

    /// Moves every message whose time has come. Answers with those that became dead letters.
    pub(super) fn advance(&mut self, now: Timestamp) -> Vec<i64> {
        let mut dead = Vec::new();
        while let Some(&(until, id)) = self.due.first() {
            if until > now {
                break;
            }
            if self.come_back(id) {
                dead.push(id);
            }
        }
        dead
    }

    /// Takes the next message in turn.
    pub(super) fn take(&mut self, now: Timestamp, nonce: u32) -> Option<Taken> {
        let (group, id) = self.turns.next()?;
        let until = later(now, self.rules.visibility);
        self.stand(id, Standing::InFlight { until, nonce });
        let message = self.messages.get_mut(&id)?;
        message.received += 1;
        Some(Taken {
            id,
            group,
            received: message.received,
            until,
        })
    }

    /// Whether the receipt is that of the present delivery.
    pub(super) fn holds(&self, receipt: Receipt) -> bool {
        self.messages.get(&receipt.id).is_some_and(
            |message| matches!(message.standing, Standing::InFlight { nonce, .. } if nonce == receipt.nonce),
        )
    }

    pub(super) fn remove(&mut self, id: i64) {
        self.stand(id, Standing::Dead);
        if self.messages.remove(&id).is_some() {
            self.stats.dead -= 1;
        }
    }

    /// Gives a message back until an instant. Answers whether it became a dead letter instead.
    pub(super) fn give_back(&mut self, id: i64, until: Timestamp, now: Timestamp) -> bool {
        if self
            .messages
            .get(&id)
            .is_some_and(|message| message.received >= self.rules.max_receive)
        {
            self.stand(id, Standing::Dead);
            return true;
        }
        self.stand(
            id,
            if until > now {
                Standing::Delayed { until }
            } else {
                Standing::Ready
            },
        );
        false
    }

    pub(super) fn extend(&mut self, receipt: Receipt, until: Timestamp) {
        self.stand(
            receipt.id,
            Standing::InFlight {
                until,
                nonce: receipt.nonce,
            },
        );
    }

    /// Takes the dead letters back as new messages.
    pub(super) fn redrive(&mut self) -> Vec<i64> {
        let dead: Vec<i64> = self
            .messages
            .iter()
            .filter(|(_, message)| message.standing == Standing::Dead)
            .map(|(id, _)| *id)
            .collect();
        for id in &dead {
            if let Some(message) = self.messages.get_mut(id) {
                message.received = 0;
            }
            self.stand(*id, Standing::Ready);
        }
        dead
    }

    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    /// When a message can next be taken: the distant past when one can be taken now.
    pub(super) fn next(&self) -> Option<Timestamp> {
        if self.turns.is_empty() {
            self.due.first().map(|(until, _)| *until)
        } else {
            Some(Timestamp::MIN)
        }
    }

    /// A delay or a visibility time-out is over. Answers whether the message became a dead letter.
    fn come_back(&mut self, id: i64) -> bool {
        let Some(message) = self.messages.get(&id) else {
            return false;
        };
        let dead = message.received >= self.rules.max_receive;
        self.stand(
            id,
            if dead {
                Standing::Dead
            } else {
                Standing::Ready
            },
        );
        dead
    }

    /// The one place where a message changes its standing, and where every index follows.
    fn stand(&mut self, id: i64, new: Standing) {
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        let old = std::mem::replace(&mut message.standing, new);
        let group = Arc::clone(&message.group);
        match old {
            Standing::Delayed { until } | Standing::InFlight { until, .. } => {
                self.due.remove(&(until, id));
            }
            Standing::Ready | Standing::Dead => {}
        }
        match new {
            Standing::Delayed { until } | Standing::InFlight { until, .. } => {
                self.due.insert((until, id));
            }
            Standing::Ready | Standing::Dead => {}
        }
        *self.count(old) -= 1;
        *self.count(new) += 1;
        self.turns.moved(&group, id, old, new);
    }

    fn count(&mut self, standing: Standing) -> &mut usize {
        match standing {
            Standing::Ready => &mut self.stats.ready,
            Standing::Delayed { .. } => &mut self.stats.delayed,
            Standing::InFlight { .. } => &mut self.stats.in_flight,
            Standing::Dead => &mut self.stats.dead,
        }
    }
}

/// An instant after another; at the end of time when it would be beyond it.
pub(super) fn later(now: Timestamp, after: Duration) -> Timestamp {
    now.checked_add(after).unwrap_or(Timestamp::MAX)
}
