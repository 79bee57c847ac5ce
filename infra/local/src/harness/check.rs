//! Something that must hold at the end of a run.

use std::fmt::Write;

use serde_json::{Value, json};

/// A claim, with the figures that show whether it holds.
#[derive(Clone, Debug)]
pub struct Check {
    pub claim: &'static str,
    pub holds: bool,
    pub figures: String,
}

impl Check {
    /// As it is written to a report.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({"claim": self.claim, "holds": self.holds, "figures": self.figures})
    }
}

/// The checks for the terminal, a line each, without a line end at the end.
#[must_use]
pub fn lines(checks: &[Check]) -> String {
    let mut lines = String::new();
    for check in checks {
        let mark = if check.holds { '✓' } else { '✗' };
        // Writing to a text cannot fail.
        let _ = writeln!(lines, "  {mark} {:<62}{}", check.claim, check.figures);
    }
    lines.truncate(lines.trim_end().len());
    lines
}
