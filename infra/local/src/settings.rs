//! What the local process can be told. The only place here that reads the environment.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use app::config::REQUESTS_PER_MINUTE;

/// How one local process runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `PORT`, 8787 when it is not set. The simulator listens on the next one. With 0 both take
    /// whatever is free.
    pub port: u16,
    /// `BLAZZ_BIND`: the address to listen on, this machine only when it is not set.
    pub bind: IpAddr,
    /// `BLAZZ_DATA`: the folder of everything that is kept, `./.blazz` when it is not set.
    pub data: PathBuf,
    /// `BLAZZ_WEB`: the folder of the built web application, `./web/dist` when it is not set.
    pub web: PathBuf,
    /// `BLAZZ_SEED`: decides what the simulator leaves to chance.
    pub seed: u64,
    /// `BLAZZ_PUBLIC_URL`: where browsers reach this process, when that is not localhost.
    pub public_url: Option<String>,
    /// `BLAZZ_PLAIN_COOKIE=1`: a session cookie that also works over plain http on a LAN address,
    /// where browsers refuse the safer one.
    pub plain_cookie: bool,
    /// `BLAZZ_SIMULATOR`: the simulator that runs by itself; without one this process has its own.
    pub simulator: Option<Outside>,
    /// `BLAZZ_GRAPH_TIMEOUT`: for how many seconds an answer of WhatsApp is waited for. A dead sender's
    /// lease is 15 seconds longer.
    pub graph_timeout: Duration,
    /// `BLAZZ_REQUESTS_PER_MINUTE`: how much an API key may ask.
    pub requests_per_minute: u32,
    /// `BLAZZ_PROXIES`: how many proxies stand before this process and note the caller's address in
    /// `X-Forwarded-For`.
    pub proxies: usize,
    /// `BLAZZ_DUPLICATES=1`: every queued message is delivered twice.
    pub duplicates: bool,
    /// `BLAZZ_REPORT=1`: `GET /_local/report` says what was asked of database, queues and functions.
    pub report: bool,
}

/// A simulator that runs elsewhere, and what it was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    pub url: String,
    /// `SIM_TOKEN`, as the simulator's own process reads it.
    pub token: String,
    /// `SIM_APP_SECRET`, likewise.
    pub app_secret: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{name} cannot be {value:?}: {reason}")]
pub struct SettingsError {
    name: &'static str,
    value: String,
    reason: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 8787,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            data: PathBuf::from(".blazz"),
            web: PathBuf::from("web/dist"),
            seed: 1,
            public_url: None,
            plain_cookie: false,
            simulator: None,
            graph_timeout: Duration::from_secs(30),
            requests_per_minute: REQUESTS_PER_MINUTE,
            proxies: 0,
            duplicates: false,
            report: false,
        }
    }
}

impl Settings {
    /// # Errors
    /// Names the variable that has a value which cannot be used.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that reads the environment"
    )]
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from(|name| std::env::var(name).ok())
    }

    /// A variable that is set to nothing is not set.
    fn from(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let default = Self::default();
        let read = |name| variable(name).filter(|value| !value.is_empty());
        let switched = |name| read(name).is_some_and(|value| value == "1");
        let timeout = parse("BLAZZ_GRAPH_TIMEOUT", read("BLAZZ_GRAPH_TIMEOUT"))?;
        let requests = parse(
            "BLAZZ_REQUESTS_PER_MINUTE",
            read("BLAZZ_REQUESTS_PER_MINUTE"),
        )?;
        let simulated = simulator::Settings::default();
        let simulator = read("BLAZZ_SIMULATOR").map(|url| Outside {
            url: url.trim_end_matches('/').to_owned(),
            token: read("SIM_TOKEN").unwrap_or(simulated.token),
            app_secret: read("SIM_APP_SECRET").unwrap_or(simulated.app_secret),
        });
        let settings = Self {
            port: parse("PORT", read("PORT"))?.unwrap_or(default.port),
            bind: parse("BLAZZ_BIND", read("BLAZZ_BIND"))?.unwrap_or(default.bind),
            data: read("BLAZZ_DATA").map_or(default.data, PathBuf::from),
            web: read("BLAZZ_WEB").map_or(default.web, PathBuf::from),
            seed: parse("BLAZZ_SEED", read("BLAZZ_SEED"))?.unwrap_or(default.seed),
            public_url: read("BLAZZ_PUBLIC_URL").map(|url| url.trim_end_matches('/').to_owned()),
            plain_cookie: switched("BLAZZ_PLAIN_COOKIE"),
            simulator,
            graph_timeout: timeout.map_or(default.graph_timeout, Duration::from_secs),
            requests_per_minute: requests.unwrap_or(default.requests_per_minute),
            proxies: parse("BLAZZ_PROXIES", read("BLAZZ_PROXIES"))?.unwrap_or(default.proxies),
            duplicates: switched("BLAZZ_DUPLICATES"),
            report: switched("BLAZZ_REPORT"),
        };
        if settings.port == u16::MAX {
            let reason = "the simulator listens on the next port, and there is none".to_owned();
            return Err(SettingsError {
                name: "PORT",
                value: settings.port.to_string(),
                reason,
            });
        }
        Ok(settings)
    }
}

fn parse<T>(name: &'static str, value: Option<String>) -> Result<Option<T>, SettingsError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let Some(value) = value else { return Ok(None) };
    match value.parse() {
        Ok(parsed) => Ok(Some(parsed)),
        Err(error) => Err(SettingsError {
            name,
            reason: error.to_string(),
            value,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_needs_to_be_set() {
        let settings = Settings::from(|_| None).unwrap();
        assert_eq!(settings.port, 8787);
        assert!(settings.bind.is_loopback());
        assert!(!settings.plain_cookie);
        assert_eq!(settings.simulator, None);
    }

    #[test]
    fn a_simulator_elsewhere_comes_with_the_keys_it_was_started_with() {
        let variable = |name: &str| match name {
            "BLAZZ_SIMULATOR" => Some("http://127.0.0.1:9000/".to_owned()),
            "SIM_TOKEN" => Some("a token".to_owned()),
            _ => None,
        };
        let outside = Settings::from(variable).unwrap().simulator.unwrap();
        assert_eq!(outside.url, "http://127.0.0.1:9000");
        assert_eq!(outside.token, "a token");
        assert_eq!(
            outside.app_secret,
            simulator::Settings::default().app_secret
        );
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        let error = Settings::from(|name| (name == "PORT").then(|| "many".to_owned())).unwrap_err();
        assert!(
            error.to_string().starts_with("PORT cannot be \"many\""),
            "{error}"
        );
        let last = Settings::from(|name| (name == "PORT").then(|| "65535".to_owned()));
        assert!(last.is_err());
    }

    #[test]
    fn a_variable_that_is_set_to_nothing_is_not_set() {
        assert_eq!(Settings::from(|_| Some(String::new())).unwrap().port, 8787);
    }
}
