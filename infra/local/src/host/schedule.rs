//! Functions that run by the clock.

use std::time::Duration;

use app::App;
use tokio_util::sync::CancellationToken;

use super::functions::Tick;
use super::meter::Meter;
use crate::template::Function;

/// A function and how often it runs.
#[derive(Clone)]
pub(super) struct Schedule {
    function: String,
    every: Duration,
    timeout: Duration,
    tick: Tick,
    meter: Meter,
}

impl Schedule {
    pub(super) fn new(function: &Function, every: Duration, tick: Tick, meter: Meter) -> Self {
        Self {
            function: function.name.clone(),
            every,
            timeout: function.timeout,
            tick,
            meter,
        }
    }

    /// Runs the function once. What it did not get done it does the next time.
    pub(super) async fn run(&self, app: &App) {
        let _used = self.meter.begin(&self.function);
        let app = app.until(app.now() + self.timeout);
        let run = tokio::spawn(tokio::time::timeout(self.timeout, (self.tick)(app)));
        match run.await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => {
                tracing::error!(
                    function = self.function,
                    error = error.chain(),
                    "a scheduled run failed"
                );
            }
            Ok(Err(_)) => {
                tracing::error!(function = self.function, "a scheduled run took too long")
            }
            Err(error) => {
                tracing::error!(function = self.function, %error, "a scheduled run panicked")
            }
        }
    }

    /// Keeps the schedule until the host stops. A run that takes longer than the interval delays
    /// the next one instead of overlapping it.
    pub(super) async fn keep(self, app: App, stop: CancellationToken) {
        loop {
            let next = app.now() + self.every;
            tokio::select! {
                () = stop.cancelled() => return,
                () = app.clock.sleep_until(next) => {}
            }
            self.run(&app).await;
        }
    }
}
