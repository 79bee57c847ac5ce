//! Counts the invocations of each function and how long they took, as Lambda charges them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::template::Stack;

/// Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<BTreeMap<String, Use>>>);

/// What one function was used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    /// A batch of a queue is one invocation.
    pub invocations: u64,
    /// Of these, how many came over HTTP.
    pub requests: u64,
    /// The sum of what the invocations took by the clock, most of it waiting.
    pub busy: Duration,
    /// What the template gives the function.
    pub memory_mb: u64,
}

/// An invocation under way. It is counted when it ends, also when its caller gives up or it panics.
#[derive(Debug)]
pub(super) struct Begun {
    meter: Meter,
    function: String,
    http: bool,
    at: Instant,
}

impl Meter {
    pub(super) fn of(stack: &Stack) -> Self {
        let functions = stack.functions.iter().map(|function| {
            let used = Use {
                memory_mb: function.memory_mb,
                ..Use::default()
            };
            (function.name.clone(), used)
        });
        Self(Arc::new(Mutex::new(functions.collect())))
    }

    /// By the function's name.
    #[must_use]
    pub fn uses(&self) -> BTreeMap<String, Use> {
        self.lock().clone()
    }

    pub(super) fn begin(&self, function: &str) -> Begun {
        self.begun(function, false)
    }

    pub(super) fn begin_http(&self, function: &str) -> Begun {
        self.begun(function, true)
    }

    fn begun(&self, function: &str, http: bool) -> Begun {
        Begun {
            meter: self.clone(),
            function: function.to_owned(),
            http,
            at: Instant::now(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let busy = self.at.elapsed();
        if let Some(used) = self.meter.lock().get_mut(&self.function) {
            used.invocations += 1;
            used.requests += u64::from(self.http);
            used.busy += busy;
        }
    }
}
