//! An instance of the platform for this run alone: its own process, ports and data folder.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::access::{Access, FILE};
use crate::api;

const READY_WITHIN: Duration = Duration::from_secs(60);
/// It may have work in hand when it is told to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How many lines of the log a failure shows.
const LOG_LINES: usize = 30;

pub(crate) struct Instance {
    child: Child,
    port: u16,
    data: TempDir,
    log: PathBuf,
}

impl Instance {
    /// Starts the binary that was built together with the demo. Its log goes to `output`.
    ///
    /// # Errors
    /// There is no such binary, or it cannot be started.
    pub(crate) fn start(output: &Path) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("blazz");
        if !binary.is_file() {
            bail!("{} is not there; `make demo` builds it", binary.display());
        }
        let data = tempfile::Builder::new().prefix("blazz-demo-").tempdir()?;
        fs::create_dir_all(output)?;
        let log = output.join("blazz.log");
        let file =
            File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        let port = free_pair()?;
        let child = Command::new(&binary)
            .env("BLAZZ_DATA", data.path())
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        Ok(Self {
            child,
            port,
            data,
            log,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Waits until it answers and has written how to reach it.
    ///
    /// # Errors
    /// It stopped, or took too long.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<Access> {
        let health = format!("{}/healthz", self.url());
        let client = api::client()?;
        let path = self.data.path().join(FILE);
        let began = Instant::now();
        let mut missing = anyhow::anyhow!("{health} does not answer");
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                return Err(stopped(status));
            }
            if is_healthy(&client, &health).await {
                match Access::from_file(&path) {
                    Ok(access) => return Ok(access),
                    Err(error) => missing = error,
                }
            }
            sleep(LOOK_EVERY).await;
        }
        let seconds = READY_WITHIN.as_secs();
        Err(missing.context(format!(
            "the instance was not ready within {seconds} seconds"
        )))
    }

    /// Completes when the process ends by itself, which it should not.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        loop {
            match self.child.try_wait() {
                Ok(None) => sleep(LOOK_EVERY).await,
                Ok(Some(status)) => return stopped(status),
                Err(error) => return error.into(),
            }
        }
    }

    /// The end of its log, for a failure.
    pub(crate) fn last_words(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        format!(
            "The log of the instance ({}) ends with:\n{last}",
            self.log.display()
        )
    }

    /// Asks it to stop, and waits until it has. What does not stop in time is killed on drop.
    pub(crate) async fn stop(mut self) {
        // The standard library can only kill, and every shell has a `kill` that can ask.
        let kill = format!("kill -TERM {}", self.child.id());
        let asked = Command::new("sh")
            .args(["-c", &kill])
            .stderr(Stdio::null())
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            return;
        }
        let began = Instant::now();
        while began.elapsed() < STOPS_WITHIN && matches!(self.child.try_wait(), Ok(None)) {
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) async fn is_healthy(client: &reqwest::Client, url: &str) -> bool {
    let answer = client.get(url).timeout(Duration::from_secs(2)).send().await;
    answer.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK)
}

fn stopped(status: ExitStatus) -> anyhow::Error {
    anyhow::anyhow!("the instance stopped by itself ({status})")
}

/// A port that is free together with the next one, which is the simulator's. Somebody may take it
/// before the instance does; then the instance says so and the demo is started again.
fn free_pair() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = first.local_addr()?.port();
        let next = port.checked_add(1);
        if next.is_some_and(|next| TcpListener::bind((Ipv4Addr::LOCALHOST, next)).is_ok()) {
            return Ok(port);
        }
    }
    bail!("there are no two free ports side by side")
}
