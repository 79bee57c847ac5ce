//! The control plane of the simulated WhatsApp: what arrived there, and how it shall behave.

use std::collections::BTreeMap;

use anyhow::Context;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use super::api::{ask, client, count, read, text, understood};

/// How many messages it lists at once.
const LINES: &str = "5000";

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
    /// `template`, `text` and so on.
    pub kind: String,
    /// What the person sees.
    pub text: String,
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

    /// Every message that arrived, the oldest first.
    ///
    /// # Errors
    /// The simulator cannot be asked.
    pub async fn arrivals(&self) -> anyhow::Result<Vec<Arrival>> {
        let mut arrivals = Vec::new();
        let mut from = Some(0);
        while let Some(entry) = from {
            let mut url = self.base.join("/_control/messages")?;
            url.query_pairs_mut()
                .append_pair("from", &entry.to_string())
                .append_pair("limit", LINES);
            let answer = ask(|| self.client.get(url.clone()), url.as_str()).await?;
            let lines = answer.get("data").and_then(Value::as_array);
            for line in lines.context("the simulator lists no messages")? {
                arrivals.push(Arrival::of(line)?);
            }
            from = answer.get("next").and_then(Value::as_u64);
        }
        Ok(arrivals)
    }

    /// Has somebody write to the first number.
    ///
    /// # Errors
    /// It cannot be reached, or this is no phone number.
    pub async fn write(&self, from: &str, text: &str) -> anyhow::Result<()> {
        let inbound = json!({"from": from, "text": text});
        self.tell(Method::POST, "/_control/inbound", &inbound).await
    }

    /// Lets sends go wrong.
    ///
    /// # Errors
    /// It cannot be reached, or does not understand the rule.
    pub async fn rule(&self, matching: &Value, effect: &Value) -> anyhow::Result<()> {
        let rule = json!({"match": matching, "effect": effect});
        self.tell(Method::POST, "/_control/rules", &rule).await
    }

    /// Signs the next webhooks so that they are refused, and have to be told again.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn sign_wrongly(&self, next: u64) -> anyhow::Result<()> {
        let signatures = json!({"next": next, "as": "wrong"});
        self.tell(Method::POST, "/_control/signatures", &signatures)
            .await
    }

    async fn tell(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<()> {
        let request = self.client.request(method.clone(), self.base.join(path)?);
        let (status, text) = read(request.json(body).send().await, method.as_str(), path).await?;
        understood(status, &text, method.as_str(), path).map(|_| ())
    }
}

impl Arrival {
    fn of(line: &Value) -> anyhow::Result<Self> {
        let at_ms = line.get("accepted_ms").and_then(Value::as_i64);
        let data = line.get("biz_opaque_callback_data").and_then(Value::as_str);
        Ok(Self {
            to: text(line, "to")?,
            callback_data: data.map(str::to_owned),
            kind: text(line, "type")?,
            text: text(line, "text")?,
            at_ms: at_ms.context("a message has no time")?,
            status: text(line, "status")?,
        })
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
