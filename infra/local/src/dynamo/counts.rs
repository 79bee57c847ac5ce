//! Counts what is asked of the database: the benchmark's proof of what a message costs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::Call;
use crate::gauge::Gauge;

/// A write is charged by started KB (DynamoDB: capacity units).
const WRITE_BYTES: usize = 1024;

/// Counters of one database.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) open: Gauge,
    operations: Mutex<BTreeMap<String, Count>>,
}

/// What one operation was called for and what AWS would have charged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Count {
    pub calls: u64,
    /// Calls that ended in an error, a failed condition above all.
    pub refused: u64,
    /// Capacity units of the calls that succeeded, by table, indexes included: of writing for writes,
    /// of reading for reads.
    pub units: BTreeMap<String, f64>,
    /// What writes whose condition failed cost at least. AWS charges them by the size of the item that
    /// is there and says nothing about it, so this is an estimate from the request.
    pub refused_units: f64,
}

impl Count {
    /// Of all tables.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.units.values().sum()
    }
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

    /// A call that was carried out, with its units by table.
    pub(super) fn done(&self, call: &Call, units: &[(String, f64)]) {
        let mut operations = self.lock();
        let count = operations.entry(call.operation.clone()).or_default();
        count.calls += 1;
        for (table, units) in units {
            *count.units.entry(table.clone()).or_default() += units;
        }
    }

    /// A call that was refused; `condition` tells whether a write's condition did not hold.
    pub(super) fn refused(&self, call: &Call, condition: bool) {
        let units = if condition { least(call) } else { 0.0 };
        let mut operations = self.lock();
        let count = operations.entry(call.operation.clone()).or_default();
        count.calls += 1;
        count.refused += 1;
        count.refused_units += units;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Count>> {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a write costs at least when it is refused: a unit for each started KB that it would have put,
/// twice as much in a transaction.
fn least(call: &Call) -> f64 {
    let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
    let of = |write: &Value| {
        let bytes = write.get("Item").map_or(0, |item| item.to_string().len());
        bytes.div_ceil(WRITE_BYTES).max(1) as f64
    };
    match body.get("TransactItems").and_then(Value::as_array) {
        Some(items) => {
            let writes = items
                .iter()
                .filter_map(|item| item.as_object()?.values().next());
            2.0 * writes.map(of).sum::<f64>()
        }
        None => of(&body),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(operation: &str, body: &Value) -> Call {
        Call {
            operation: operation.to_owned(),
            body: body.to_string(),
        }
    }

    #[test]
    fn a_refused_transaction_costs_two_units_for_each_item_at_least() {
        let large = json!({"Put": {"Item": {"a": {"S": "x".repeat(1500)}}}});
        let body = json!({"TransactItems": [{"Update": {}}, large, {"ConditionCheck": {}}]});
        assert!((least(&call("TransactWriteItems", &body)) - 8.0).abs() < 1e-9);
        assert!((least(&call("UpdateItem", &json!({"Key": {}}))) - 1.0).abs() < 1e-9);
    }
}
