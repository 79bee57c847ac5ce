//! The simulated WhatsApp on a thread and a runtime of its own: however busy this process is, the
//! simulated Meta measures and answers as if it were elsewhere.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use simulator::{Settings, Simulator, SystemTime};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// A running simulator. It stops with [`Simulated::stop`] or when it is dropped.
pub(crate) struct Simulated {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Simulated {
    /// Returns once it answers on the listener.
    pub(crate) async fn start(listener: TcpListener, settings: Settings) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || run(listener, settings, ready, stopped))?;
        let mut simulated = Self {
            stop: Some(stop),
            thread: Some(thread),
        };
        if started.await.is_err() {
            simulated.end()?;
        }
        Ok(simulated)
    }

    /// Stops it and waits until its file is closed.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        tokio::task::spawn_blocking(move || self.end()).await?
    }

    fn end(&mut self) -> anyhow::Result<()> {
        // The thread waits for this end of the channel to say something or to be gone.
        self.stop = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result.context("the simulator failed"),
            Some(Err(_)) => anyhow::bail!("the simulator panicked"),
            None => Ok(()),
        }
    }
}

/// Tells a simulator that runs elsewhere where its webhooks go. It asks there before it believes it,
/// so whoever is called back must already listen.
pub(crate) async fn subscribe(url: &str, callback: &str, verify_token: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(15))
        .build()?;
    let subscription = json!({"callback_url": callback, "verify_token": verify_token});
    let request = client.post(format!("{url}/_control/subscribe"));
    let answer = request.json(&subscription).send().await;
    let answer = answer.with_context(|| format!("there is no simulator at {url}"))?;
    if !answer.status().is_success() {
        let why = answer.text().await?;
        anyhow::bail!("the simulator at {url} does not call back {callback}: {why}");
    }
    Ok(())
}

impl Drop for Simulated {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(
                error = format!("{error:#}"),
                "the simulator did not stop well"
            );
        }
    }
}

fn run(
    listener: TcpListener,
    settings: Settings,
    ready: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let simulator = Simulator::start(settings, Arc::new(SystemTime::new()))?;
        let server = tokio::spawn(simulator.serve(listener));
        // Whoever started this may have given up; then `stopped` ends at once.
        let _ = ready.send(());
        let _ = stopped.await;
        simulator.stop().await;
        server.await?
    })
}
