//! The bench: how fast campaigns go and what a message costs, counted; and what the doors bear: webhooks,
//! the API, files of contacts.
//!
//! The product runs as a process of its own. The simulated WhatsApp runs in this one, on a thread and a
//! runtime of its own, so the send rate is measured from outside: from the first to the last arrival.

mod api;
mod chat;
mod cost;
mod fair;
mod frames;
mod import;
mod inbox;
mod ingest;
mod load;
mod prices;
mod search;
mod sending;
mod settings;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, bail};
use local::harness::instance::interrupted;
use local::harness::{Api, Check, Instance, Launch, Screen, World, check};
use serde_json::{Value, json};

use settings::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    let screen = Screen::open();
    match run(&screen).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            screen.say("\nA target was missed.");
            ExitCode::FAILURE
        }
        Err(error) => {
            screen.say(&format!("\nThe bench failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bench {
    Rate80,
    Rate1000,
    Growth,
    Replies,
    Chat,
    Fair,
    Ingest,
    Frames,
    Api,
    Import,
    Inbox,
    Search,
}

/// What a bench found.
pub(crate) struct Found {
    pub(crate) table: String,
    pub(crate) json: Value,
    pub(crate) checks: Vec<Check>,
}

impl Bench {
    const ALL: [Self; 12] = [
        Self::Rate80,
        Self::Rate1000,
        Self::Growth,
        Self::Replies,
        Self::Chat,
        Self::Fair,
        Self::Ingest,
        Self::Frames,
        Self::Api,
        Self::Import,
        Self::Inbox,
        Self::Search,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Rate80 => "rate-80",
            Self::Rate1000 => "rate-1000",
            Self::Growth => "growth",
            Self::Replies => "replies",
            Self::Chat => "chat",
            Self::Fair => "fair",
            Self::Ingest => "ingest",
            Self::Frames => "frames",
            Self::Api => "api",
            Self::Import => "import",
            Self::Inbox => "inbox",
            Self::Search => "search",
        }
    }

    fn says(self) -> &'static str {
        match self {
            Self::Rate80 => "10,000 messages from a number that may send 80 a second",
            Self::Rate1000 => "50,000 messages from a number that may send 1,000 a second",
            Self::Growth => "what a message costs among 1,000, 10,000 and 100,000",
            Self::Replies => "80 a second while every tenth person answers",
            Self::Chat => "500 chat messages in bursts of 50 beside a campaign",
            Self::Fair => "a campaign of 100 alone, and beside 50,000 of another workspace",
            Self::Ingest => "2,000 statuses a second, each in a POST, and a kill in the middle",
            Self::Frames => "from a webhook to a screen, during a campaign at 80 a second",
            Self::Api => "200 calls of the API a second, a quarter of them writes",
            Self::Import => "a file of 100,000 contacts",
            Self::Inbox => "the list of 10,000 chats, its filters and its counts",
            Self::Search => "100,000 messages by their words, and people by name and number",
        }
    }

    async fn run(self, screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
        match self {
            Self::Rate80 => sending::rate(screen, settings, 80, 10_000).await,
            Self::Rate1000 => sending::rate(screen, settings, 1_000, 50_000).await,
            Self::Growth => sending::growth(screen, settings).await,
            Self::Replies => sending::replies(screen, settings).await,
            Self::Chat => chat::run(screen, settings).await,
            Self::Fair => fair::run(screen, settings).await,
            Self::Ingest => ingest::run(screen, settings).await,
            Self::Frames => frames::run(screen, settings).await,
            Self::Api => api::run(screen, settings).await,
            Self::Import => import::run(screen, settings).await,
            Self::Inbox => inbox::run(screen, settings).await,
            Self::Search => search::run(screen, settings).await,
        }
    }
}

/// Runs every bench that is asked for, and says whether all targets were met.
async fn run(screen: &Screen) -> anyhow::Result<bool> {
    let settings = Settings::read()?;
    let benches: Vec<_> = Bench::ALL
        .into_iter()
        .filter(|one| {
            settings
                .only
                .as_deref()
                .is_none_or(|name| name == one.name())
        })
        .collect();
    if benches.is_empty() {
        let names: Vec<_> = Bench::ALL.iter().map(|one| one.name()).collect();
        bail!("there is no such bench; there are {}", names.join(", "));
    }
    let mut good = true;
    for bench in benches {
        screen.say(&format!("\n{}: {}", bench.name(), bench.says()));
        let found = tokio::select! {
            found = bench.run(screen, &settings) => found?,
            error = interrupted() => return Err(error),
        };
        let path = settings.output.join(format!("{}.json", bench.name()));
        let report = json!({
            "bench": bench.name(),
            "scale": settings.scale,
            "found": found.json,
            "checks": found.checks.iter().map(Check::json).collect::<Vec<_>>(),
        });
        fs::write(&path, format!("{report:#}\n"))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        screen.say(&format!("{}{}", found.table, check::lines(&found.checks)));
        screen.say(&format!("  {}", path.display()));
        good &= found.checks.iter().all(|check| check.holds);
    }
    Ok(good)
}

/// A fresh instance and the world it sends into.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) instance: Instance,
    pub(crate) access: local::harness::Access,
    pub(crate) api: Api,
}

impl Stage {
    pub(crate) async fn set(
        settings: &Settings,
        world: simulator::Settings,
    ) -> anyhow::Result<Self> {
        let world = World::start(world).await?;
        let launch = Launch::new("bench", &settings.output)?.with("BLAZZ_REPORT", "1");
        let mut instance = Instance::start(world.of(launch))?;
        let access = match instance.ready().await {
            Ok(access) => access,
            Err(error) => return Err(error.context(instance.last_words())),
        };
        let api = Api::new(&access)?;
        Ok(Self {
            world,
            instance,
            access,
            api,
        })
    }

    pub(crate) async fn clear(self) -> anyhow::Result<()> {
        self.instance.stop().await;
        self.world.stop().await
    }
}
