//! `blazz replay-webhooks --since …`: queues the webhooks of the past days again, to be applied once more
//! at the next start. For a version that understands what an earlier one did not.

use std::sync::Arc;

use anyhow::{Context, bail};
use app::{App, webhook};
use jiff::{SignedDuration, Timestamp};

use crate::data_folder::DataFolder;
use crate::host::Sockets;
use crate::process::Opened;
use crate::settings::Settings;
use crate::template::Stack;

/// How the command is written.
pub const USAGE: &str =
    "blazz replay-webhooks --since 6h (or 3d, or an instant such as 2026-11-25T08:00:00Z)";

/// Since when, from the arguments after the command's name.
///
/// # Errors
/// They are not `--since` and an instant or a time ago.
pub fn since(arguments: &[String], now: Timestamp) -> anyhow::Result<Timestamp> {
    let [flag, since] = arguments else {
        bail!("write: {USAGE}");
    };
    if flag != "--since" {
        bail!("write: {USAGE}");
    }
    if let Ok(instant) = since.parse() {
        return Ok(instant);
    }
    let ago = |unit: char, hours: i64| {
        let count: i64 = since.strip_suffix(unit)?.parse().ok()?;
        let ago = SignedDuration::try_from_hours(count.checked_mul(hours)?)?;
        now.checked_sub(ago).ok()
    };
    ago('h', 1)
        .or_else(|| ago('d', 24))
        .with_context(|| format!("{since:?} is no time; write: {USAGE}"))
}

/// Queues the bodies. The process that owns the data folder must be stopped; the next one applies them.
///
/// # Errors
/// The data folder is in use or cannot be read.
pub async fn run(settings: &Settings, arguments: &[String]) -> anyhow::Result<usize> {
    let stack = Stack::embedded().context("the template cannot be run here")?;
    let data = DataFolder::open(&settings.data)?;
    let keys = data.keys()?;
    let Opened {
        config,
        dynamo,
        queue,
        files,
        mailbox,
        clock,
    } = Opened::open(&stack, &data, &keys, "", "http://localhost", settings)?;
    let since = since(arguments, clock.now())?;
    let app = App::new(
        config,
        dynamo.client(),
        Arc::new(queue),
        Arc::new(files),
        // Nobody is connected to a program that ends again.
        Arc::new(Sockets::default()),
        Arc::new(mailbox),
        clock,
    )?;
    Ok(webhook::replay(&app, since).await?.bodies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_or_so_long_ago() {
        let now: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
        let since = |text: &str| {
            let arguments = ["--since".to_owned(), text.to_owned()];
            super::since(&arguments, now).map(|at| at.to_string())
        };
        assert_eq!(since("6h").unwrap(), "2026-11-25T02:00:00Z");
        assert_eq!(since("2d").unwrap(), "2026-11-23T08:00:00Z");
        assert_eq!(
            since("2026-11-20T00:00:00Z").unwrap(),
            "2026-11-20T00:00:00Z"
        );
        for wrong in ["", "yesterday", "6", "h", "99999999999999999h"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
        assert!(super::since(&["6h".to_owned()], now).is_err());
    }
}
