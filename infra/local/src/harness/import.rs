//! A file of contacts goes in through an import, as a customer's would.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::api::{Api, count, text};
use super::screen::{Screen, grouped};

const POLL_EVERY: Duration = Duration::from_millis(250);
/// An import that is slower than this many bytes a second, after a while to begin, hangs.
const SLOWEST: u64 = 10_000;
const TO_BEGIN: Duration = Duration::from_secs(120);

/// What became of the rows of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Imported {
    pub rows: u64,
    pub accepted: u64,
    pub updated: u64,
    pub duplicates: u64,
    pub invalid: u64,
}

impl Imported {
    fn of(import: &Value) -> anyhow::Result<Self> {
        Ok(Self {
            rows: count(import, "rows_done")?,
            accepted: count(import, "accepted")?,
            updated: count(import, "updated")?,
            duplicates: count(import, "duplicates")?,
            invalid: count(import, "invalid")?,
        })
    }

    fn line(&self) -> String {
        format!(
            "rows {}  accepted {}  updated {}  duplicates {}  invalid {}",
            grouped(self.rows),
            grouped(self.accepted),
            grouped(self.updated),
            grouped(self.duplicates),
            grouped(self.invalid),
        )
    }
}

/// # Errors
/// The import cannot be made, fails, or hangs.
pub async fn run(
    api: &Api,
    screen: &Screen,
    file_name: &str,
    bytes: Vec<u8>,
) -> anyhow::Result<Imported> {
    let size = bytes.len() as u64;
    let new = json!({"file_name": file_name, "size": size, "default_region": "ID"});
    let import = api.post("/v1/imports", &new).await?;
    let id = text(&import, "id")?;
    let upload = import
        .get("upload")
        .context("the import does not say where to upload its file")?;
    api.upload(upload, bytes).await?;
    api.start(&format!("/v1/imports/{id}/start"), &format!("import-{id}"))
        .await?;

    let began = Instant::now();
    let within = TO_BEGIN + Duration::from_secs(size / SLOWEST);
    let mut bar = screen.bar("import");
    loop {
        let import = api.get(&format!("/v1/imports/{id}")).await?;
        let imported = Imported::of(&import)?;
        let seconds = began.elapsed().as_secs_f64();
        let pace = format!(
            "{:.0} rows a second",
            imported.rows as f64 / seconds.max(0.1)
        );
        bar.show(count(&import, "bytes_done")?, size, &pace, &imported.line());
        match text(&import, "state")?.as_str() {
            "completed" => {
                bar.end(&format!("{}  in {seconds:.1} s", imported.line()));
                return Ok(imported);
            }
            "failed" => {
                let reason = import.get("reason").and_then(Value::as_str);
                bail!(
                    "the import failed: {}",
                    reason.unwrap_or("it does not say why")
                );
            }
            state if began.elapsed() > within => {
                let row = grouped(imported.rows);
                bail!(
                    "the import is still {state} after {} s, at row {row}",
                    within.as_secs()
                );
            }
            _ => sleep(POLL_EVERY).await,
        }
    }
}
