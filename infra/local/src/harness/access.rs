//! How an instance is reached: what its first start wrote into `demo.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use reqwest::Url;
use serde_json::Value;

/// The file in the data folder of an instance.
pub const FILE: &str = "demo.json";

#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    pub url: String,
    pub api_key: String,
    pub simulator_url: String,
    /// The channel to send from; without it the first one of the workspace is taken.
    pub channel: Option<String>,
}

impl Access {
    /// # Errors
    /// The file is missing, is not JSON, or lacks an entry.
    pub fn from_file(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let written: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        let entry = |name: &str| {
            Some(
                written
                    .get(name)?
                    .as_str()?
                    .trim_end_matches('/')
                    .to_owned(),
            )
        };
        let needed =
            |name: &str| entry(name).with_context(|| format!("{} has no {name}", path.display()));
        Ok(Self {
            url: needed("url")?,
            api_key: needed("api_key")?,
            simulator_url: needed("simulator_url")?,
            channel: entry("channel"),
        })
    }

    /// The access to the running instance at `url`. A key from the environment wins, and makes the
    /// file unnecessary.
    ///
    /// # Errors
    /// There is neither a key nor a usable file.
    pub fn running(url: &str, api_key: Option<&str>, data: &Path) -> anyhow::Result<Self> {
        let written = Self::from_file(&data.join(FILE));
        match (api_key.map(str::to_owned), written) {
            (None, Err(error)) => Err(error.context(
                "BLAZZ_URL is set, but there is no key: set BLAZZ_API_KEY, or BLAZZ_DATA to the data folder of the instance",
            )),
            (Some(key), Err(_)) => Ok(Self {
                url: url.to_owned(),
                api_key: key,
                simulator_url: beside(url)?,
                channel: None,
            }),
            (key, Ok(written)) => Ok(Self {
                url: url.to_owned(),
                api_key: key.unwrap_or(written.api_key),
                ..written
            }),
        }
    }
}

/// The simulator of an instance listens on the next port.
fn beside(url: &str) -> anyhow::Result<String> {
    let mut url = Url::parse(url).with_context(|| format!("BLAZZ_URL cannot be {url}"))?;
    let next = url
        .port_or_known_default()
        .and_then(|port| port.checked_add(1));
    if next.is_none() || url.set_port(next).is_err() {
        bail!("BLAZZ_URL cannot be {url}");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_gives_everything_but_the_address() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"url": "http://localhost:8787", "api_key": "sk_live_a",
            "simulator_url": "http://localhost:8788/", "channel": "ch_1"}"#;
        fs::write(folder.path().join(FILE), text).unwrap();
        let access = Access::running("http://127.0.0.1:8787", None, folder.path()).unwrap();
        assert_eq!(access.url, "http://127.0.0.1:8787");
        assert_eq!(access.api_key, "sk_live_a");
        assert_eq!(access.simulator_url, "http://localhost:8788");
        assert_eq!(access.channel.as_deref(), Some("ch_1"));
        let other = Access::running("http://127.0.0.1:8787", Some("sk_live_b"), folder.path());
        assert_eq!(other.unwrap().api_key, "sk_live_b");
    }

    #[test]
    fn a_key_of_the_environment_needs_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::running("http://localhost:9000", Some("sk_live_b"), folder.path());
        assert_eq!(access.unwrap().simulator_url, "http://localhost:9001");
        assert!(Access::running("http://localhost:9000", None, folder.path()).is_err());
    }
}
