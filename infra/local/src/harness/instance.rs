//! An instance of the platform for one run alone: its own process, ports and data folder. It may be
//! killed and started again.

use std::fs::{self, File, OpenOptions};
use std::future::pending;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::access::{Access, FILE};
use super::api;

const READY_WITHIN: Duration = Duration::from_secs(60);
/// It may have work in hand when it is told to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A restart between two kills is looked at more closely.
const GLANCE_EVERY: Duration = Duration::from_millis(20);
/// How many lines of the log a failure shows.
const LOG_LINES: usize = 30;

/// What is started, and how.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    name: String,
    output: PathBuf,
    environment: Vec<(String, String)>,
}

pub struct Instance {
    launch: Launch,
    child: Child,
    port: u16,
    data: TempDir,
}

impl Launch {
    /// The binary that was built together with this program, with its log in the folder `output`.
    ///
    /// # Errors
    /// There is no such binary.
    pub fn new(name: &str, output: &Path) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("blazz");
        if !binary.is_file() {
            bail!("{} is not there; `make {name}` builds it", binary.display());
        }
        Ok(Self::of(&binary, name, output))
    }

    /// This binary.
    #[must_use]
    pub fn of(binary: &Path, name: &str, output: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            name: name.to_owned(),
            output: output.to_owned(),
            environment: Vec::new(),
        }
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn log(&self) -> PathBuf {
        self.output.join(format!("{}.log", self.name))
    }

    fn spawn(&self, port: u16, data: &Path) -> anyhow::Result<Child> {
        let log = OpenOptions::new().append(true).open(self.log())?;
        Command::new(&self.binary)
            .env("BLAZZ_DATA", data)
            .env("PORT", port.to_string())
            // What these programs ask is not what a caller asks.
            .env("BLAZZ_REQUESTS_PER_MINUTE", "1000000")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.binary.display()))
    }
}

impl Instance {
    /// Starts it with an empty data folder.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(launch: Launch) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new()
            .prefix(&format!("blazz-{}-", launch.name))
            .tempdir()?;
        fs::create_dir_all(&launch.output)?;
        let log = launch.log();
        File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        let port = free_pair()?;
        let child = launch.spawn(port, data.path())?;
        Ok(Self {
            launch,
            child,
            port,
            data,
        })
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The id of its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it answers and has written how to reach it.
    ///
    /// # Errors
    /// It stopped, or took too long.
    pub async fn ready(&mut self) -> anyhow::Result<Access> {
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
            sleep(GLANCE_EVERY).await;
        }
        let seconds = READY_WITHIN.as_secs();
        Err(missing.context(format!(
            "the instance was not ready within {seconds} seconds"
        )))
    }

    /// Kills it at once (`kill -9`) and starts it again with the same data.
    ///
    /// # Errors
    /// It had stopped by itself, or cannot be started.
    pub fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return Err(stopped(status));
        }
        self.child.kill()?;
        self.child.wait()?;
        self.child = self.launch.spawn(self.port, self.data.path())?;
        Ok(())
    }

    /// Completes when the process ends by itself, which it should not.
    pub async fn ended(&mut self) -> anyhow::Error {
        loop {
            match self.child.try_wait() {
                Ok(None) => sleep(LOOK_EVERY).await,
                Ok(Some(status)) => return stopped(status),
                Err(error) => return error.into(),
            }
        }
    }

    /// The end of its log, for a failure.
    #[must_use]
    pub fn last_words(&self) -> String {
        let log = self.launch.log();
        let bytes = fs::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        format!(
            "The log of the instance ({}) ends with:\n{last}",
            log.display()
        )
    }

    /// Asks it to stop, and waits until it has. What does not stop in time is killed on drop.
    pub async fn stop(mut self) {
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

pub async fn is_healthy(client: &reqwest::Client, url: &str) -> bool {
    let answer = client.get(url).timeout(Duration::from_secs(2)).send().await;
    answer.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK)
}

/// Completes when somebody wants this program to stop, so that its instance stops with it.
pub async fn interrupted() -> anyhow::Error {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
    anyhow::anyhow!("it was interrupted")
}

fn stopped(status: ExitStatus) -> anyhow::Error {
    anyhow::anyhow!("the instance stopped by itself ({status})")
}

/// A port that is free together with the next one, which is that of the instance's own simulator.
/// Somebody may take it before the instance does; then the instance says so and the run is repeated.
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
