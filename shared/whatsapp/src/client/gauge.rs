//! How many calls are open: from their start until the answer's body is read or given up.
//!
//! A caller that wants to know whether the world is at rest cannot see an HTTP call that waits;
//! this number shows it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

#[derive(Debug, Clone, Default)]
pub(super) struct Gauge(Arc<AtomicUsize>);

/// One open call. Dropping it, also by dropping the future that holds it, ends the call.
#[derive(Debug)]
pub(super) struct OpenCall(Gauge);

impl Gauge {
    pub(super) fn open(&self) -> OpenCall {
        self.0.fetch_add(1, Ordering::SeqCst);
        OpenCall(self.clone())
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
