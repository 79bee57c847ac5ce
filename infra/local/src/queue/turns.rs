//! Which group of messages is served next.
//!
//! On a standard queue the group with the fewest messages in flight, then the one that has waited
//! longest: one group's backlog never starves another. On a FIFO queue a group gives its oldest
//! message only, and only when that one is ready.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::shelf::Standing;

#[derive(Debug, Default)]
struct Group {
    ready: BTreeSet<i64>,
    /// Every message that is not dead, in the order it was sent.
    order: BTreeSet<i64>,
    in_flight: usize,
    /// When it was last served, in rounds of the queue.
    served: u64,
}

#[derive(Debug)]
pub(super) struct Turns {
    fifo: bool,
    groups: HashMap<Arc<str>, Group>,
    /// Groups with a message to give, the most deserving first.
    turns: BTreeSet<(usize, u64, Arc<str>)>,
    round: u64,
}

impl Turns {
    pub(super) fn new(fifo: bool) -> Self {
        Self {
            fifo,
            groups: HashMap::new(),
            turns: BTreeSet::new(),
            round: 0,
        }
    }

    /// The name under which a group is known, so that its messages share one copy.
    pub(super) fn name(&self, group: &str) -> Arc<str> {
        match self.groups.get_key_value(group) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(group),
        }
    }

    /// Whether no group has a message to give.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// The next group's next message. The group then goes to the end of its line.
    pub(super) fn next(&mut self) -> Option<(Arc<str>, i64)> {
        let (_, _, name) = self.turns.first()?.clone();
        let id = *self.groups.get(&name)?.ready.first()?;
        self.round += 1;
        let round = self.round;
        self.with(&name, |group| group.served = round);
        Some((name, id))
    }

    /// A message of a group went from one standing to another.
    pub(super) fn moved(&mut self, name: &Arc<str>, id: i64, old: Standing, new: Standing) {
        self.with(name, |group| {
            match old {
                Standing::Ready => {
                    group.ready.remove(&id);
                }
                Standing::InFlight { .. } => group.in_flight -= 1,
                Standing::Delayed { .. } | Standing::Dead => {}
            }
            match new {
                Standing::Ready => {
                    group.ready.insert(id);
                }
                Standing::InFlight { .. } => group.in_flight += 1,
                Standing::Delayed { .. } | Standing::Dead => {}
            }
            if new == Standing::Dead {
                group.order.remove(&id);
            } else {
                group.order.insert(id);
            }
        });
    }

    #[cfg(test)]
    pub(super) fn remembers_nothing(&self) -> bool {
        self.groups.is_empty()
    }

    /// Changes a group and keeps its place among the turns. A group without messages is forgotten.
    fn with(&mut self, name: &Arc<str>, change: impl FnOnce(&mut Group)) {
        let group = self.groups.entry(Arc::clone(name)).or_default();
        if group.may_give(self.fifo) {
            let turn = (group.in_flight, group.served, Arc::clone(name));
            self.turns.remove(&turn);
        }
        change(group);
        if group.may_give(self.fifo) {
            let turn = (group.in_flight, group.served, Arc::clone(name));
            self.turns.insert(turn);
        }
        if group.order.is_empty() {
            self.groups.remove(name);
        }
    }
}

impl Group {
    fn may_give(&self, fifo: bool) -> bool {
        match self.ready.first() {
            Some(first) if fifo => self.order.first() == Some(first),
            first => first.is_some(),
        }
    }
}
