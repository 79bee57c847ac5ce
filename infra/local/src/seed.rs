//! The demo workspace of a first start: a login, an API key, and a number of the simulator.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use app::api_key::{self, NewApiKey};
use app::channel::{self, NewChannel};
use app::session::Device;
use app::user::{self, Home, Registration};
use app::{Actor, App, secret};
use domain::workspace::Permission;
use serde::{Deserialize, Serialize};

/// What a newcomer needs to know, and `demo.json` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demo {
    pub url: String,
    pub email: String,
    pub password: String,
    pub api_key: String,
    pub simulator_url: String,
    pub channel: String,
}

/// A number of the simulator, and the token that may use it.
#[derive(Debug, Clone)]
pub struct SimulatedNumber {
    pub waba_id: String,
    pub phone_number_id: String,
    pub access_token: String,
}

/// The demo workspace, which the first start makes and later starts read from `file`.
///
/// # Errors
/// The workspace cannot be made or the file not be written. After a first start that died half way
/// the number belongs to a workspace nobody knows, and the data folder must be deleted.
pub async fn demo(
    app: &App,
    url: &str,
    simulator_url: &str,
    number: SimulatedNumber,
    file: &Path,
) -> anyhow::Result<Demo> {
    if file.exists() {
        let text =
            std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let known: Demo = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", file.display()))?;
        // The port may be another one this time.
        return Ok(Demo {
            url: url.to_owned(),
            simulator_url: simulator_url.to_owned(),
            ..known
        });
    }
    let registration = Registration {
        email: "demo@blazz.example".to_owned(),
        password: secret::random_token()[..16].to_owned(),
        name: "Demo Owner".to_owned(),
        language: None,
        home: Home::New("Demo".to_owned()),
    };
    let (email, password) = (registration.email.clone(), registration.password.clone());
    let session = user::register(app, registration, Device::default())
        .await?
        .session;
    let owner: Actor = session.actor(app, None).await?;
    let SimulatedNumber {
        waba_id,
        phone_number_id,
        access_token,
    } = number;
    let new = NewChannel {
        name: Some("Demo number".to_owned()),
        waba_id,
        phone_number_id,
        access_token,
        app: None,
    };
    let channel = channel::connect(app, &owner, new).await?;
    let new = NewApiKey {
        name: "Demo".to_owned(),
        scopes: Permission::ALL.to_vec(),
        expires_at: None,
    };
    let (_, api_key) = api_key::create(app, &owner, new).await?;
    let demo = Demo {
        url: url.to_owned(),
        email,
        password,
        api_key,
        simulator_url: simulator_url.to_owned(),
        channel: channel.id.to_string(),
    };
    let text = serde_json::to_vec_pretty(&demo)?;
    let mut options = std::fs::OpenOptions::new();
    let mut out = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    std::io::Write::write_all(&mut out, &text)?;
    Ok(demo)
}
