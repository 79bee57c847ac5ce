//! The terminal: bars where somebody watches, plain lines every few seconds where nobody does.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

const PLAIN_EVERY: Duration = Duration::from_secs(5);
const STYLE: &str = "  {bar:36.green/dim} {percent:>3}%  {prefix}\n  {msg}";

pub struct Screen {
    bars: MultiProgress,
    live: bool,
}

impl Screen {
    #[must_use]
    pub fn open() -> Self {
        let live = std::io::stdout().is_terminal();
        let target = if live {
            ProgressDrawTarget::stdout()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            live,
        }
    }

    /// Prints lines above any bar. Nobody is left to tell when the terminal is gone.
    pub fn say(&self, lines: &str) {
        self.bars.suspend(|| {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{lines}");
            let _ = out.flush();
        });
    }

    /// A new bar. `title` names what it measures where only lines are printed.
    pub fn bar(&self, title: &'static str) -> Bar<'_> {
        let bar = self.live.then(|| {
            let bar = self.bars.add(ProgressBar::new(0));
            if let Ok(style) = ProgressStyle::with_template(STYLE) {
                bar.set_style(style.progress_chars("━╸━"));
            }
            bar
        });
        Bar {
            screen: self,
            title,
            bar,
            spoke: None,
        }
    }
}

pub struct Bar<'a> {
    screen: &'a Screen,
    title: &'static str,
    bar: Option<ProgressBar>,
    spoke: Option<Instant>,
}

impl Bar<'_> {
    /// Shows how far it is: `pace` beside the bar, `counts` below it.
    pub fn show(&mut self, done: u64, of: u64, pace: &str, counts: &str) {
        if let Some(bar) = &self.bar {
            // A bar of nothing would be full.
            bar.set_length(of.max(1));
            bar.set_position(done.min(of));
            bar.set_prefix(pace.to_owned());
            bar.set_message(counts.to_owned());
        } else if self.spoke.is_none_or(|last| last.elapsed() >= PLAIN_EVERY) {
            self.spoke = Some(Instant::now());
            let percent = (done.min(of) * 100).checked_div(of).unwrap_or(0);
            let line = format!("  {} {percent:>3}%  {pace}  {counts}", self.title);
            self.screen.say(line.trim_end());
        }
    }

    /// Replaces the bar by its result.
    pub fn end(self, result: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.screen.say(&format!("  {result}"));
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        // A failure leaves the last figures where they are.
        if let Some(bar) = self.bar.as_ref().filter(|bar| !bar.is_finished()) {
            bar.abandon();
        }
    }
}

/// A count with its thousands apart.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Minutes and seconds.
pub fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_easy_to_read() {
        assert_eq!(
            [0, 999, 1000, 9730, 1_234_567].map(grouped),
            ["0", "999", "1,000", "9,730", "1,234,567"]
        );
        assert_eq!(clock(7), "0:07");
        assert_eq!(clock(125), "2:05");
    }
}
