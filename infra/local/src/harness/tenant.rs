//! A second business on the same installation, with a number of its own.

use anyhow::{Context, bail};
use reqwest::header::SET_COOKIE;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use simulator::universe;

use super::api::{client, read, text, understood};
use super::{Access, World};

/// What its API key may do, which is all that a campaign needs.
const SCOPES: [&str; 5] = [
    "contacts:read",
    "contacts:write",
    "campaigns:read",
    "campaigns:write",
    "channels:read",
];

/// Registers a workspace, connects the simulator's second account, and makes a key.
///
/// # Errors
/// The instance refuses something.
pub async fn another(first: &Access, world: &World) -> anyhow::Result<Access> {
    let client = client()?;
    let session = Session::register(&client, &first.url).await?;
    let number = json!({
        "waba_id": universe::SECOND_WABA,
        "phone_number_id": universe::SECOND_NUMBER,
        "access_token": world.token,
    });
    let channel = session.post("/v1/channels", &number).await?;
    let key = json!({"name": "Run", "scopes": SCOPES});
    let key = session.post("/v1/api-keys", &key).await?;
    Ok(Access {
        url: first.url.clone(),
        api_key: text(&key, "secret")?,
        simulator_url: first.simulator_url.clone(),
        channel: Some(text(&channel, "id")?),
    })
}

/// A signed-in person.
struct Session<'a> {
    client: &'a Client,
    url: &'a str,
    cookie: String,
    csrf_token: String,
}

impl<'a> Session<'a> {
    async fn register(client: &'a Client, url: &'a str) -> anyhow::Result<Self> {
        let person = json!({
            "email": "second@blazz.example",
            "password": "a password for one run",
            "name": "Second Owner",
            "workspace": "Second",
        });
        let answer = client.post(format!("{url}/v1/register")).json(&person);
        let answer = answer.send().await.context("nobody can register")?;
        let cookie = answer.headers().get(SET_COOKIE);
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let Some(cookie) = cookie.map(str::to_owned) else {
            bail!("POST /v1/register was refused: {}", answer.text().await?);
        };
        let me: Value = answer.json().await?;
        Ok(Self {
            client,
            url,
            cookie,
            csrf_token: text(&me, "csrf_token")?,
        })
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let answer = self.signed(request).send().await;
        let (status, text) = read(answer, "POST", path).await?;
        understood(status, &text, "POST", path)
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header("cookie", &self.cookie)
            .header("x-csrf-token", &self.csrf_token)
    }
}
