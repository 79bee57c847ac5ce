//! Counts what is asked of the database: the benchmark's proof of what a message costs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::gauge::Gauge;

/// Counters of one database.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) open: Gauge,
    operations: Mutex<BTreeMap<String, Count>>,
}

/// What one operation was called for and what AWS would have charged.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Count {
    pub calls: u64,
    /// Calls that ended in an error, a failed condition above all. AWS charges those too, and says
    /// nothing about how much, so their units are not in `units`.
    pub refused: u64,
    /// Capacity units of the calls that succeeded: of writing for writes, of reading for reads.
    pub units: f64,
}

impl Counts {
    /// By operation: `PutItem`, `Query`, …
    #[must_use]
    pub fn operations(&self) -> BTreeMap<String, Count> {
        self.lock().clone()
    }

    /// Begins anew, before a measurement.
    pub fn reset(&self) {
        self.lock().clear();
    }

    /// One call with its units, or `None` when it was refused.
    pub(super) fn add(&self, operation: &str, units: Option<f64>) {
        let mut operations = self.lock();
        if !operations.contains_key(operation) {
            operations.insert(operation.to_owned(), Count::default());
        }
        let Some(count) = operations.get_mut(operation) else {
            return;
        };
        count.calls += 1;
        match units {
            Some(units) => count.units += units,
            None => count.refused += 1,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Count>> {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
