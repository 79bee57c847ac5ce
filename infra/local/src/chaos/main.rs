//! The fault suite in the large: a campaign of thousands while something goes wrong all the time, and
//! at the end the books of both sides laid side by side.
//!
//! Each scenario has an instance, a data folder and a simulated WhatsApp of its own; the simulator lives
//! in this process and outlives the instance when that is killed. The same faults in small are tests.

mod scenario;
mod settings;

use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use local::harness::campaign::{Campaign, Patience};
use local::harness::figures::LIFE;
use local::harness::instance::interrupted;
use local::harness::witness::Witness;
use local::harness::{Api, Check, Instance, Launch, Screen, World, books, check};
use serde_json::{Value, json};

use scenario::Scenario;
use settings::Settings;

/// Webhooks that an instance missed are told again after up to ten minutes.
const PATIENCE: Patience = Patience {
    life: LIFE,
    most: Duration::from_secs(1_500),
};

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
            screen.say(&format!("\nThe fault suite failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs every scenario that is asked for, and says whether all checks hold.
async fn run(screen: &Screen) -> anyhow::Result<bool> {
    let settings = Settings::read()?;
    let scenarios: Vec<_> = Scenario::ALL
        .into_iter()
        .filter(|one| {
            settings
                .only
                .as_deref()
                .is_none_or(|name| name == one.name())
        })
        .collect();
    if scenarios.is_empty() {
        let names: Vec<_> = Scenario::ALL.iter().map(|one| one.name()).collect();
        bail!("there is no such scenario; there are {}", names.join(", "));
    }
    let mut good = true;
    for scenario in scenarios {
        screen.say(&format!("\n{}: {}", scenario.name(), scenario.says()));
        let report = tokio::select! {
            report = play(screen, &settings, scenario) => report?,
            error = interrupted() => return Err(error),
        };
        let path = settings.output.join(format!("{}.json", scenario.name()));
        fs::write(&path, format!("{:#}\n", report.json))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        screen.say(&check::lines(&report.checks));
        screen.say(&format!("  {}", path.display()));
        good &= report.checks.iter().all(|check| check.holds);
    }
    Ok(good)
}

struct Report {
    checks: Vec<Check>,
    json: Value,
}

async fn play(screen: &Screen, settings: &Settings, scenario: Scenario) -> anyhow::Result<Report> {
    let world = World::start(scenario.world(settings.seed)).await?;
    let launch =
        Launch::new("chaos", &settings.output)?.with("BLAZZ_SEED", &settings.seed.to_string());
    let mut instance = Instance::start(world.of(scenario.launch(launch)))?;
    let outcome = drive(screen, settings, scenario, &world, &mut instance).await;
    if outcome.is_err() {
        screen.say(&instance.last_words());
    }
    instance.stop().await;
    world.stop().await?;
    outcome
}

async fn drive(
    screen: &Screen,
    settings: &Settings,
    scenario: Scenario,
    world: &World,
    instance: &mut Instance,
) -> anyhow::Result<Report> {
    let access = instance.ready().await?;
    let api = Api::new(&access)?;
    Campaign::import(&api, screen, (0, settings.people)).await?;
    let campaign = Campaign::draft(&api, &access, settings.people).await?;
    scenario.prepare(world).await?;
    campaign.start(&api).await?;
    let disturbed = scenario
        .disturb(screen, settings, world, instance, &api, &campaign)
        .await?;
    let ended = campaign
        .watch(&api, &world.control, screen, &PATIENCE)
        .await?;
    let rest = books::at_rest(&api).await?;
    let witness = Witness::hear(&api, &world.control, &campaign, ended).await?;
    let mut checks = witness.checks();
    checks.push(rest);
    let json = json!({
        "scenario": scenario.name(),
        "seed": settings.seed,
        "disturbed": disturbed,
        "books": witness.json(),
        "checks": checks.iter().map(Check::json).collect::<Vec<_>>(),
    });
    Ok(Report { checks, json })
}
