//! The simulated WhatsApp in the process of whoever drives an instance: it outlives the instance when
//! that is killed, and it measures arrivals from outside.

use std::net::{Ipv4Addr, TcpListener};

use simulator::{Settings, SystemTime, Time};

use super::Launch;
use super::control::Control;
use crate::simulated::Simulated;

pub struct World {
    simulated: Simulated,
    url: String,
    pub(super) token: String,
    app_secret: String,
    clock: SystemTime,
    pub control: Control,
}

impl World {
    /// Returns once it answers. The instance tells it by itself where webhooks go.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let (token, app_secret) = (settings.token.clone(), settings.app_secret.clone());
        let simulated = Simulated::start(listener, settings).await?;
        let control = Control::new(&url)?;
        Ok(Self {
            simulated,
            url,
            token,
            app_secret,
            clock: SystemTime::new(),
            control,
        })
    }

    /// Now, in milliseconds, as the simulator's ledger counts them.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// What its webhooks are signed with.
    #[must_use]
    pub fn app_secret(&self) -> &str {
        &self.app_secret
    }

    /// Has an instance use it.
    #[must_use]
    pub fn of(&self, launch: Launch) -> Launch {
        launch
            .with("BLAZZ_SIMULATOR", &self.url)
            .with("SIM_TOKEN", &self.token)
            .with("SIM_APP_SECRET", &self.app_secret)
    }

    /// Stops it and waits until it has.
    ///
    /// # Errors
    /// It had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.simulated.stop().await
    }
}
