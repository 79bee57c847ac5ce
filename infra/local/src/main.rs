//! `blazz`: the whole product in one process, with a simulated WhatsApp.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use local::process::Process;
use local::replay;
use local::settings::Settings;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else {
        return ExitCode::SUCCESS;
    };
    // Where even this cannot be written there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "Blazz cannot run: {error:#}");
    ExitCode::FAILURE
}

async fn run() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let (mut interrupted, mut terminated) = (
        heard(SignalKind::interrupt())?,
        heard(SignalKind::terminate())?,
    );

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((command, rest)) = arguments.split_first() {
        return once(command, rest).await;
    }
    let process = Process::start(Settings::from_env()?).await?;
    banner(&process)?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    writeln!(std::io::stderr(), "Stopping. Once more stops at once.")?;
    tokio::select! {
        stopped = process.stop() => stopped,
        _ = interrupted.recv() => Ok(()),
    }
}

/// A command that does one thing and ends.
async fn once(command: &str, arguments: &[String]) -> anyhow::Result<()> {
    if command != "replay-webhooks" {
        bail!(
            "there is no command {command:?}; there is: {}",
            replay::USAGE
        );
    }
    let bodies = replay::run(&Settings::from_env()?, arguments).await?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "Webhooks queued to be applied at the next start: {bodies}"
    )?;
    Ok(())
}

fn heard(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("signals cannot be listened for")
}

/// What a newcomer needs on the screen. The same is in demo.json.
fn banner(process: &Process) -> std::io::Result<()> {
    let demo = &process.demo;
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n  Blazz is running at {}\n", process.url)?;
    writeln!(out, "  sign in    {}", demo.email)?;
    writeln!(out, "  password   {}", demo.password)?;
    writeln!(out, "  API key    {}", demo.api_key)?;
    writeln!(out, "  WhatsApp   simulated at {}", process.simulator_url)?;
    writeln!(out, "  mail       kept at {}/_local/mailbox", process.url)?;
    writeln!(
        out,
        "\n  Ctrl-C stops it; everything is kept for the next start.\n"
    )?;
    out.flush()
}
