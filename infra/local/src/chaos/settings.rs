//! What the environment says to the fault suite.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use local::harness::environment::{number, output, variable};

pub(crate) struct Settings {
    /// `SCENARIO`: the one to play; all of them when it is not set.
    pub(crate) only: Option<String>,
    /// `BLAZZ_SEED`: decides when faults happen and what the simulator leaves to chance.
    pub(crate) seed: u64,
    /// `PEOPLE`: the size of the campaign.
    pub(crate) people: u32,
    /// `KILLS`: how often the instance is killed.
    pub(crate) kills: u32,
    pub(crate) output: PathBuf,
}

impl Settings {
    /// # Errors
    /// A number is not one, or the folder for reports cannot be made.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let output = output("chaos");
        fs::create_dir_all(&output)
            .with_context(|| format!("{} cannot be made", output.display()))?;
        Ok(Self {
            only: variable("SCENARIO"),
            seed: number("BLAZZ_SEED", 1)?,
            people: number("PEOPLE", 5_000)?,
            kills: number("KILLS", 50)?,
            output,
        })
    }
}
