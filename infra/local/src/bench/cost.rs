//! What a run asked of AWS, for each message, and what that costs at list prices.

use std::collections::BTreeMap;
use std::fmt::Write;

use local::harness::books::Books;
use serde_json::{Value, json};

use crate::prices;

/// Operations that are charged in read units; all others that are charged are writes.
const READS: [&str; 5] = [
    "GetItem",
    "BatchGetItem",
    "Query",
    "Scan",
    "TransactGetItems",
];

/// Queues that carry Meta's webhooks. Every other queue of a campaign is on the way out.
const BACK: &str = "webhook";

/// Queues that keep the order of each group, which cost more.
const FIFO: [&str; 1] = ["chat-send"];

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    messages: f64,
    /// Units by operation and table.
    pub(crate) writes: BTreeMap<String, f64>,
    pub(crate) reads: BTreeMap<String, f64>,
    /// Of writes whose condition failed, at least.
    pub(crate) refused: f64,
    /// SQS requests by queue and kind.
    pub(crate) requests: BTreeMap<String, f64>,
    out: f64,
    back: f64,
    fifo: f64,
    gb_seconds: f64,
    invocations: f64,
    http: f64,
}

impl Cost {
    /// Of what was asked between two looks at the books.
    pub(crate) fn of(books: &Books, messages: u64) -> Self {
        let mut cost = Self {
            messages: messages as f64,
            ..Self::default()
        };
        for (path, count) in books.entries() {
            match path.as_slice() {
                ["database", operation, "units", table] => {
                    let units = if READS.contains(operation) {
                        &mut cost.reads
                    } else {
                        &mut cost.writes
                    };
                    *units.entry(format!("{operation} {table}")).or_default() += count;
                }
                ["database", operation, "refused_units"] if !READS.contains(operation) => {
                    cost.refused += count;
                }
                [
                    "queues",
                    queue,
                    kind @ ("send" | "receive" | "delete" | "change_visibility"),
                ] => {
                    *cost.requests.entry(format!("{queue} {kind}")).or_default() += count;
                    if FIFO.contains(queue) {
                        cost.fifo += count;
                    } else if *queue == BACK {
                        cost.back += count;
                    } else {
                        cost.out += count;
                    }
                }
                ["functions", function, "seconds"] => {
                    let memory = books.count(&["functions", function, "memory_mb"]);
                    cost.gb_seconds += count * memory / 1024.0;
                }
                ["functions", _, "invocations"] => cost.invocations += count,
                ["functions", _, "requests"] => cost.http += count,
                _ => {}
            }
        }
        cost
    }

    pub(crate) fn write_units(&self) -> f64 {
        self.each(self.writes.values().sum())
    }

    pub(crate) fn read_units(&self) -> f64 {
        self.each(self.reads.values().sum())
    }

    pub(crate) fn requests_out(&self) -> f64 {
        self.each(self.out + self.fifo)
    }

    pub(crate) fn requests_back(&self) -> f64 {
        self.each(self.back)
    }

    /// Of DynamoDB and SQS, for a million messages.
    pub(crate) fn per_million(&self) -> f64 {
        let writes: f64 = self.writes.values().sum();
        let reads: f64 = self.reads.values().sum();
        let database = (writes + self.refused) * prices::WRITE_UNIT + reads * prices::READ_UNIT;
        let queues =
            (self.out + self.back) * prices::STANDARD_REQUEST + self.fifo * prices::FIFO_REQUEST;
        self.each(database + queues) * 1e6
    }

    /// Of Lambda and the gateway, for a million messages. The time is that of this machine, most of it
    /// spent waiting, so it is an estimate.
    pub(crate) fn compute_per_million(&self) -> f64 {
        let lambda = self.gb_seconds * prices::GB_SECOND + self.invocations * prices::INVOCATION;
        self.each(lambda + self.http * prices::HTTP_REQUEST) * 1e6
    }

    fn each(&self, sum: f64) -> f64 {
        sum / self.messages.max(1.0)
    }

    fn shares(&self, counts: &BTreeMap<String, f64>) -> Value {
        let shares = counts.iter().filter(|(_, count)| **count > 0.0);
        let shares = shares.map(|(name, count)| (name.clone(), json!(rounded(self.each(*count)))));
        Value::Object(shares.collect())
    }

    /// For each message.
    pub(crate) fn json(&self) -> Value {
        json!({
            "write_units": rounded(self.write_units()),
            "write_units_by": self.shares(&self.writes),
            "refused_write_units_at_least": rounded(self.each(self.refused)),
            "read_units": rounded(self.read_units()),
            "read_units_by": self.shares(&self.reads),
            "sqs_requests_out": rounded(self.requests_out()),
            "sqs_requests_back": rounded(self.requests_back()),
            "sqs_requests_by": self.shares(&self.requests),
            "invocations": rounded(self.each(self.invocations)),
            "gb_seconds": rounded(self.each(self.gb_seconds)),
            "http_requests": rounded(self.each(self.http)),
            "usd_per_million": {
                "dynamodb_and_sqs": rounded(self.per_million()),
                "lambda_and_gateway": rounded(self.compute_per_million()),
            },
        })
    }

    /// For the terminal.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        let lines = [
            ("write units a message", self.write_units()),
            ("  refused, at least", self.each(self.refused)),
            ("read units a message", self.read_units()),
            ("SQS requests out a message", self.requests_out()),
            ("SQS requests back a message", self.requests_back()),
            ("USD a million, DynamoDB and SQS", self.per_million()),
            (
                "USD a million, Lambda and gateway",
                self.compute_per_million(),
            ),
        ];
        for (name, count) in lines {
            // Writing to a text cannot fail.
            let _ = writeln!(table, "  {name:<36}{count:>12.3}");
        }
        table
    }
}

/// Four digits behind the point are more than is known.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
