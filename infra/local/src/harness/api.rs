//! The calls to an instance: its public API, with a key.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use super::access::Access;

/// How often a question is asked again before it is given up.
const TRIES: u32 = 6;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(30);
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(600);
/// More pages than any list has; a cursor that leads in circles ends here.
const PAGES: usize = 5_000;
/// How much of an unexpected answer is shown.
const SHOWN: usize = 600;

#[derive(Clone)]
pub struct Api {
    client: Client,
    base: Url,
    key: String,
}

impl Api {
    /// # Errors
    /// The address cannot be used.
    pub fn new(access: &Access) -> anyhow::Result<Self> {
        let base =
            Url::parse(&access.url).with_context(|| format!("{} is not an address", access.url))?;
        Ok(Self {
            client: client()?,
            base,
            key: access.api_key.clone(),
        })
    }

    /// # Errors
    /// The answer is not a success, also after some tries when trying again makes sense.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let url = self.base.join(path)?;
        ask(|| self.client.get(url.clone()).bearer_auth(&self.key), path).await
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// A page cannot be had.
    pub async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let mut url = self.base.join(path)?;
            url.query_pairs_mut().append_pair("limit", "100");
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let page = ask(|| self.client.get(url.clone()).bearer_auth(&self.key), path).await?;
            let Some(found) = page.get("items").and_then(Value::as_array) else {
                bail!(
                    "GET {path} answered without items: {}",
                    shortened(&page.to_string())
                );
            };
            items.extend(found.iter().cloned());
            cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// # Errors
    /// The answer is not a success.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .client
            .post(self.base.join(path)?)
            .bearer_auth(&self.key);
        let answer = request.json(body).send().await;
        let (status, text) = read(answer, "POST", path).await?;
        understood(status, &text, "POST", path)
    }

    /// A POST that starts something, with the key that makes it start once.
    ///
    /// # Errors
    /// The answer is not a success.
    pub async fn start(&self, path: &str, idempotency_key: &str) -> anyhow::Result<Value> {
        let request = self
            .client
            .post(self.base.join(path)?)
            .bearer_auth(&self.key);
        let answer = request
            .header("Idempotency-Key", idempotency_key)
            .send()
            .await;
        let (status, text) = read(answer, "POST", path).await?;
        understood(status, &text, "POST", path)
    }

    /// Uploads to where an answer said, with the headers it said. The key of the API does not go
    /// there: the address itself is the permission.
    ///
    /// # Errors
    /// The instruction cannot be followed, or the answer is not a success.
    pub async fn upload(&self, upload: &Value, bytes: Vec<u8>) -> anyhow::Result<()> {
        let address = upload.get("url").and_then(Value::as_str);
        let address = address.context("the import does not say where to upload its file")?;
        // An address without a host is one of the instance itself.
        let url = self.base.join(address)?;
        let method = upload
            .get("method")
            .and_then(Value::as_str)
            .unwrap_or("PUT");
        let mut request = self
            .client
            .request(Method::from_bytes(method.as_bytes())?, url)
            .timeout(UPLOAD_TIMEOUT);
        for (name, value) in upload
            .get("headers")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let value = value
                .as_str()
                .context("a header of the upload is not a text")?;
            request = request.header(name, value);
        }
        let (status, text) = read(request.body(bytes).send().await, method, "the upload").await?;
        if !status.is_success() {
            bail!("the upload was refused with {status}: {}", shortened(&text));
        }
        Ok(())
    }
}

/// Asks until there is an answer: a question may be put again, and a run of several minutes should
/// not end because one of hundreds was not answered.
pub(super) async fn ask<F>(request: F, path: &str) -> anyhow::Result<Value>
where
    F: Fn() -> RequestBuilder,
{
    let mut tries = 1;
    loop {
        let outcome = match read(request().send().await, "GET", path).await {
            Ok((status, _)) if passing(status) => {
                Err(anyhow::anyhow!("GET {path} answered {status}"))
            }
            Ok((status, text)) => return understood(status, &text, "GET", path),
            Err(error) => Err(error),
        };
        if tries == TRIES {
            return outcome;
        }
        tries += 1;
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

/// Proxies are for other machines, and these programs talk to their own.
pub fn client() -> anyhow::Result<Client> {
    Ok(Client::builder().timeout(TIMEOUT).no_proxy().build()?)
}

fn passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

pub(super) async fn read(
    answer: reqwest::Result<Response>,
    method: &str,
    path: &str,
) -> anyhow::Result<(StatusCode, String)> {
    let context = || format!("{method} {path} was not answered");
    let answer = answer.with_context(context)?;
    let status = answer.status();
    Ok((status, answer.text().await.with_context(context)?))
}

pub(super) fn understood(
    status: StatusCode,
    text: &str,
    method: &str,
    path: &str,
) -> anyhow::Result<Value> {
    if status == StatusCode::UNAUTHORIZED {
        bail!(
            "{method} {path} was refused: the API key is not one of this instance; set BLAZZ_API_KEY or BLAZZ_DATA"
        );
    }
    if !status.is_success() {
        bail!(
            "{method} {path} was refused with {status}: {}",
            shortened(text)
        );
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).with_context(|| {
        format!(
            "{method} {path} did not answer in JSON: {}",
            shortened(text)
        )
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// A text an answer must have.
///
/// # Errors
/// It has none.
pub fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    let found = value.get(name).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("there is no {name} in {}", shortened(&value.to_string())))
}

/// A count an answer must have.
///
/// # Errors
/// It has none, or it is negative.
pub fn count(value: &Value, name: &str) -> anyhow::Result<u64> {
    let found = value.get(name).and_then(Value::as_u64);
    found.with_context(|| {
        format!(
            "there is no count {name} in {}",
            shortened(&value.to_string())
        )
    })
}
