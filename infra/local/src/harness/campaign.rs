//! A campaign to people who do not exist, from the import of their numbers to the last status.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::api::{Api, text};
use super::control::Control;
use super::figures::{Arrivals, Figures, Pace, Settling};
use super::people::{self, GROUP};
use super::screen::{Screen, clock, grouped};
use super::{Access, import};

/// The template that every run sends, with three variables in its body.
pub const TEMPLATE: (&str, &str) = ("order_update", "en_US");

const POLL_EVERY: Duration = Duration::from_millis(500);

/// A campaign that was started, or will be.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub id: String,
    /// The phone number id it is sent from.
    pub number: String,
    /// How many people are in its audience.
    pub audience: u32,
}

/// What both sides counted at the end.
#[derive(Clone, Debug)]
pub struct Ended {
    pub state: String,
    pub figures: Figures,
    pub arrivals: Arrivals,
    pub after: Duration,
}

/// How long a campaign is watched.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a message may still be told of after the campaign has ended.
    pub life: Duration,
    /// For everything.
    pub most: Duration,
}

impl Campaign {
    /// Imports the people of a range: the first, and how many.
    ///
    /// # Errors
    /// The import fails, or does not take all of them.
    pub async fn import(
        api: &Api,
        screen: &Screen,
        (first, count): (u32, u32),
    ) -> anyhow::Result<()> {
        let file = people::file(first, count);
        let imported = import::run(api, screen, "people.csv", file).await?;
        if imported.accepted != u64::from(count) {
            bail!("only {} of {count} people were imported", imported.accepted);
        }
        Ok(())
    }

    /// Drafts a campaign to all people who were imported, of whom there are so many.
    ///
    /// # Errors
    /// The instance refuses it, or lacks a channel, the template or the people's group.
    pub async fn draft(api: &Api, access: &Access, audience: u32) -> anyhow::Result<Self> {
        let channels = api.list("/v1/channels").await?;
        let is_it =
            |one: &&Value| one.get("id").and_then(Value::as_str) == access.channel.as_deref();
        let channel = channels.iter().find(is_it).or_else(|| channels.first());
        let channel = channel.context("the workspace has no channel")?;
        let groups = api.list("/v1/groups").await?;
        let named = |one: &&Value| one.get("name").and_then(Value::as_str) == Some(GROUP);
        let group = groups
            .iter()
            .find(named)
            .context("the import made no group")?;
        let template = template(api).await?;
        let new = json!({
            "name": "Run",
            "channel": text(channel, "id")?,
            "template": text(&template, "id")?,
            "audience": {"groups": [text(group, "id")?]},
            "variables": variables(&template),
        });
        let campaign = api.post("/v1/campaigns", &new).await?;
        Ok(Self {
            id: text(&campaign, "id")?,
            number: text(channel, "phone_number_id")?,
            audience,
        })
    }

    #[must_use]
    pub fn path(&self) -> String {
        format!("/v1/campaigns/{}", self.id)
    }

    /// # Errors
    /// It is not a draft any more, or the instance refuses it.
    pub async fn start(&self, api: &Api) -> anyhow::Result<()> {
        let path = format!("{}/start", self.path());
        api.start(&path, &format!("start-{}", self.id)).await?;
        Ok(())
    }

    /// Watches it until it has ended and both sides' figures are final.
    ///
    /// # Errors
    /// It does not end in time, or an answer cannot be had.
    pub async fn watch(
        &self,
        api: &Api,
        control: &Control,
        screen: &Screen,
        patience: &Patience,
    ) -> anyhow::Result<Ended> {
        let began = Instant::now();
        let mut bar = screen.bar("campaign");
        let (mut pace, mut settling) = (Pace::default(), Settling::patient(patience.life));
        loop {
            let campaign = api.get(&self.path()).await?;
            let figures = Figures::of(&campaign)?;
            let state = text(&campaign, "state")?;
            let now = began.elapsed();
            let rate = pace.enter(now, figures.attempted());
            let line = format!("{state}, {rate:.1} a second");
            bar.show(figures.done(), figures.recipients, &line, &counts(&figures));
            let arrivals = Arrivals::of(&control.report(&self.number, 0).await?)?;
            let ended = matches!(
                state.as_str(),
                "completed" | "failed" | "cancelled" | "paused"
            );
            if ended && settling.enter(now, figures, &arrivals) {
                bar.end(&format!(
                    "{}  in {}",
                    counts(&figures),
                    clock(now.as_secs())
                ));
                return Ok(Ended {
                    state,
                    figures,
                    arrivals,
                    after: now,
                });
            }
            if now > patience.most {
                bail!(
                    "the campaign is not over after {}: it is {state} with {}",
                    clock(patience.most.as_secs()),
                    counts(&figures)
                );
            }
            sleep(POLL_EVERY).await;
        }
    }
}

/// The template as this workspace has it.
///
/// # Errors
/// The workspace does not have it.
pub async fn template(api: &Api) -> anyhow::Result<Value> {
    let templates = api.list("/v1/templates").await?;
    let named = |one: &&Value| {
        let is = |name: &str, text: &str| one.get(name).and_then(Value::as_str) == Some(text);
        is("name", TEMPLATE.0) && is("language", TEMPLATE.1)
    };
    let template = templates.iter().find(named);
    let template = template.with_context(|| {
        format!(
            "the workspace has no template {} ({}); sync the templates",
            TEMPLATE.0, TEMPLATE.1
        )
    })?;
    Ok(template.clone())
}

/// A source for each variable of the template, whose body has three at most.
#[must_use]
pub fn variables(template: &Value) -> Value {
    let mut sources = json!({
        "body.1": {"from": "field", "field": "first_name", "fallback": "there"},
        "body.2": {"from": "attribute", "key": "company", "fallback": "your company"},
        "body.3": {"from": "attribute", "key": "city", "fallback": "your city"},
    });
    let named = template.get("variables").and_then(Value::as_array);
    let needed = |name: &str| named.is_none_or(|named| named.iter().any(|one| one == name));
    if let Some(sources) = sources.as_object_mut() {
        sources.retain(|name, _| needed(name));
    }
    sources
}

/// The figures in one line.
#[must_use]
pub fn counts(figures: &Figures) -> String {
    let mut line = String::new();
    for (name, count) in [
        ("total", figures.recipients),
        ("pending", figures.pending),
        ("sent", figures.sent),
        ("delivered", figures.delivered),
        ("read", figures.read),
        ("failed", figures.failed),
        ("unknown", figures.unknown),
    ] {
        let gap = if line.is_empty() { "" } else { "  " };
        line.push_str(&format!("{gap}{name} {}", grouped(count)));
    }
    line
}
