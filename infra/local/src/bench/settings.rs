//! What the environment says to the bench.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use local::harness::environment::{number, output, variable};

pub(crate) struct Settings {
    /// `BENCH`: the one to run; all of them when it is not set.
    pub(crate) only: Option<String>,
    /// `SCALE`: a share of all sizes, for a quick look.
    pub(crate) scale: f64,
    pub(crate) output: PathBuf,
}

impl Settings {
    /// # Errors
    /// The scale is no number, or the folder for reports cannot be made.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let output = output("bench");
        fs::create_dir_all(&output)
            .with_context(|| format!("{} cannot be made", output.display()))?;
        Ok(Self {
            only: variable("BENCH"),
            scale: number("SCALE", 1.0)?,
            output,
        })
    }

    /// A size as it is asked for.
    pub(crate) fn scaled(&self, size: u32) -> u32 {
        ((f64::from(size) * self.scale) as u32).max(1)
    }
}
