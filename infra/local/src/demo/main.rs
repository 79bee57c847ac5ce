//! The demo: ten thousand contacts go in, a campaign goes out to all of them through the simulator,
//! and at the end both sides' counts are put next to each other.
//!
//! It knows the platform only by its public API, so it runs against any instance: one of its own,
//! or with `BLAZZ_URL` one that is there.

mod campaign;
mod checks;
mod contacts;
mod report;
mod settings;

use std::fs;
use std::process::ExitCode;

use anyhow::Context;
use local::harness::instance::{self, Launch, interrupted};
use local::harness::{Access, Api, Control, Instance, Screen, access, api, import};

use contacts::Contacts;
use report::Report;
use settings::Settings;

/// Where `make run` puts an instance.
const USUAL: &str = "http://localhost:8787";

#[tokio::main]
async fn main() -> ExitCode {
    let screen = Screen::open();
    match run(&screen).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            screen.say("\nA check failed.");
            ExitCode::FAILURE
        }
        Err(error) => {
            screen.say(&format!("\nThe demo failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs the demo on the instance that is asked for, and says whether every check holds.
async fn run(screen: &Screen) -> anyhow::Result<bool> {
    let settings = Settings::read();
    // Looked for first: without a file there is no reason to start anything.
    let contacts = Contacts::find(settings.contacts.as_deref())?;
    if let Some(url) = &settings.url {
        screen.say(&format!("Using the instance at {url}."));
        let access = Access::running(url, settings.api_key.as_deref(), &settings.data)?;
        return tokio::select! {
            outcome = demo(screen, &settings, &access, &contacts) => outcome,
            error = interrupted() => Err(error),
        };
    }
    introduce(screen, &settings).await?;
    let mut instance = Instance::start(Launch::new("demo", &settings.output)?)?;
    let outcome = tokio::select! {
        outcome = on_own(screen, &settings, &contacts, &mut instance) => {
            if outcome.is_err() {
                screen.say(&instance.last_words());
            }
            outcome
        }
        error = interrupted() => Err(error),
    };
    instance.stop().await;
    outcome
}

/// Says which instance is used, and how to use another.
async fn introduce(screen: &Screen, settings: &Settings) -> anyhow::Result<()> {
    let written = settings.data.join(access::FILE).is_file();
    let runs = written && instance::is_healthy(&api::client()?, &format!("{USUAL}/healthz")).await;
    screen.say(&if runs {
        format!("An instance runs at {USUAL}. It is left alone, and the demo starts its own; to use it: BLAZZ_URL={USUAL} make demo")
    } else {
        "The demo starts an instance of its own; BLAZZ_URL names a running one to use instead.".to_owned()
    });
    Ok(())
}

async fn on_own(
    screen: &Screen,
    settings: &Settings,
    contacts: &Contacts,
    instance: &mut Instance,
) -> anyhow::Result<bool> {
    let access = instance.ready().await?;
    screen.say(&format!("The instance is ready at {}.", instance.url()));
    tokio::select! {
        outcome = demo(screen, settings, &access, contacts) => outcome,
        error = instance.ended() => Err(error),
    }
}

async fn demo(
    screen: &Screen,
    settings: &Settings,
    access: &Access,
    contacts: &Contacts,
) -> anyhow::Result<bool> {
    let api = Api::new(access)?;
    let control = Control::new(&access.simulator_url)?;
    screen.say(&format!("\n1. Import {}", contacts.origin));
    let imported = import::run(&api, screen, &contacts.name, contacts.bytes.clone()).await?;

    screen.say("\n2. Make a campaign");
    let channel = access.channel.as_deref();
    let wanted = contacts.groups();
    let draft = campaign::draft(&api, &control, screen, channel, &wanted).await?;

    screen.say("\n3. Send it");
    let (figures, arrivals) = campaign::send(&api, &control, screen, &draft).await?;

    let report = Report {
        imported,
        figures,
        arrivals,
    };
    let path = settings.output.join("report.json");
    fs::create_dir_all(&settings.output)?;
    fs::write(&path, format!("{:#}\n", report.json()))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    screen.say(&format!(
        "\n4. Report ({})\n{}",
        path.display(),
        report.table()
    ));
    Ok(report.checks().iter().all(|check| check.holds))
}
