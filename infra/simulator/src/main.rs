//! The simulator as a process of its own, configured by the environment. What the control plane
//! takes can be given as JSON: `SIM_SETTINGS`, `SIM_SWITCHES`, and a list of rules in `SIM_RULES`.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;
use simulator::{Settings, Simulator, SystemTime};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let default = Settings::default();
    let mut settings = Settings {
        seed: read("SIM_SEED", default.seed)?,
        webhook_url: read("SIM_WEBHOOK_URL", default.webhook_url)?,
        verify_token: read("SIM_VERIFY_TOKEN", default.verify_token)?,
        app_secret: read("SIM_APP_SECRET", default.app_secret)?,
        old_app_secret: read("SIM_OLD_APP_SECRET", default.old_app_secret)?,
        token: read("SIM_TOKEN", default.token)?,
        answer_latency_ms: read("SIM_ANSWER_LATENCY_MS", default.answer_latency_ms)?,
        data: variable("SIM_DATA").map(PathBuf::from),
        ..Settings::default()
    };
    if let Some(change) = variable("SIM_SETTINGS") {
        settings = settings
            .changed(&change)
            .context("SIM_SETTINGS cannot be used")?;
    }
    let port: u16 = read("PORT", 8788)?;
    // The control plane asks nobody who they are, so other machines are let in only on request.
    let host: String = read("SIM_HOST", "127.0.0.1".into())?;
    let listener = TcpListener::bind((host.as_str(), port))
        .await
        .with_context(|| format!("{host}:{port} cannot be listened on"))?;
    let address = listener.local_addr()?;
    let simulator = Simulator::start(settings, Arc::new(SystemTime::new()))?;
    if let Some(switches) = variable("SIM_SWITCHES") {
        simulator
            .turn_switches(&switches)
            .context("SIM_SWITCHES cannot be used")?;
    }
    if let Some(rules) = variable("SIM_RULES") {
        simulator
            .add_rules(&rules)
            .context("SIM_RULES cannot be used")?;
    }
    let server = tokio::spawn(simulator.serve(listener));
    info!(%address, "the simulated Cloud API is ready");

    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        _ = terminated.recv() => {}
    }
    simulator.stop().await;
    server.await?
}

fn read<T>(name: &str, default: T) -> anyhow::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match variable(name) {
        Some(text) => text
            .parse()
            .with_context(|| format!("{name} cannot be {text}")),
        None => Ok(default),
    }
}

/// A variable that is set to nothing is not set.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the simulator's settings are read"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
