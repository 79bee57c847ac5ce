//! The control plane of the simulated WhatsApp: what arrived there, and how it shall behave.

use std::collections::BTreeMap;

use anyhow::Context;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use super::api::{ask, client, count, read, text, understood};

/// More messages than any run sends to one number.
const LINES: usize = 1_000_000;

#[derive(Clone)]
pub struct Control {
    client: Client,
    base: Url,
}

/// One message that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// Digits only.
    pub to: String,
    /// What the sender wanted to be told again in each status.
    pub callback_data: Option<String>,
    pub at_ms: i64,
    /// The furthest status whose webhook was confirmed, `accepted` before there is any.
    pub status: String,
}

impl Control {
    /// # Errors
    /// The address cannot be used.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let base = Url::parse(url).with_context(|| format!("{url} is not an address"))?;
        Ok(Self {
            client: client()?,
            base,
        })
    }

    /// What was counted on one phone number since an instant.
    ///
    /// # Errors
    /// The simulator cannot be asked.
    pub async fn report(&self, number: &str, since_ms: i64) -> anyhow::Result<Value> {
        let mut url = self.base.join("/_control/report")?;
        url.query_pairs_mut()
            .append_pair("phone_number_id", number)
            .append_pair("since_ms", &since_ms.to_string());
        ask(|| self.client.get(url.clone()), url.as_str()).await
    }

    /// Every message that arrived, the newest first.
    ///
    /// # Errors
    /// The simulator cannot be asked, or there are more messages than it lists.
    pub async fn arrivals(&self) -> anyhow::Result<Vec<Arrival>> {
        let mut url = self.base.join("/_control/messages")?;
        url.query_pairs_mut()
            .append_pair("limit", &LINES.to_string());
        let answer = ask(|| self.client.get(url.clone()), url.as_str()).await?;
        let lines = answer.get("data").and_then(Value::as_array);
        let lines = lines.context("the simulator lists no messages")?;
        let arrival = |line: &Value| {
            let at_ms = line.get("accepted_ms").and_then(Value::as_i64);
            let data = line.get("biz_opaque_callback_data").and_then(Value::as_str);
            Ok(Arrival {
                to: text(line, "to")?,
                callback_data: data.map(str::to_owned),
                at_ms: at_ms.context("a message has no time")?,
                status: text(line, "status")?,
            })
        };
        lines.iter().map(arrival).collect()
    }

    /// Changes settings while it runs; what is not named stays as it is.
    ///
    /// # Errors
    /// It cannot be reached, or does not know such a setting.
    pub async fn change(&self, settings: &Value) -> anyhow::Result<()> {
        self.tell(Method::PATCH, "/_control/settings", settings)
            .await
    }

    /// Forgets every message and everything that waits.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn reset(&self) -> anyhow::Result<()> {
        self.tell(Method::POST, "/_control/reset", &json!({})).await
    }

    async fn tell(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<()> {
        let request = self.client.request(method.clone(), self.base.join(path)?);
        let (status, text) = read(request.json(body).send().await, method.as_str(), path).await?;
        understood(status, &text, method.as_str(), path).map(|_| ())
    }
}

/// How many messages each person got.
#[must_use]
pub fn per_person(arrivals: &[Arrival]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for arrival in arrivals {
        *counts.entry(arrival.to.as_str()).or_default() += 1;
    }
    counts
}

/// How often the simulator was told that a status had arrived, or accepted a message: it grows while
/// anything is going on.
///
/// # Errors
/// The report lacks a count.
pub fn motion(report: &Value) -> anyhow::Result<u64> {
    let webhooks = report.get("webhooks");
    let webhooks = webhooks.context("the simulator has no webhooks")?;
    Ok(count(report, "accepted")? + count(webhooks, "posts")?)
}
