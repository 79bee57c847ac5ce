//! Chance that is none: numbers which follow from the seed and from what they are drawn for, so
//! that a run repeats itself whatever the order of its requests.

use sha2::{Digest, Sha256};

/// A row of up to eight numbers in [0, 1), four bytes of one hash each.
pub(crate) struct Draws([u8; 32], usize);

impl Draws {
    /// The row of the `nth` occasion of its kind. `of` says what is drawn for, most general first.
    pub(crate) fn new(seed: u64, nth: u32, of: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(nth.to_be_bytes());
        for part in of {
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into(), 0)
    }

    /// The next number; beyond the eighth always zero, which nobody asks for.
    pub(crate) fn draw(&mut self) -> f64 {
        let bytes = self.0.get(self.1..self.1 + 4).unwrap_or_default();
        self.1 += 4;
        let value = bytes
            .iter()
            .fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        f64::from(value) / (f64::from(u32::MAX) + 1.0)
    }

    /// Whether the next number falls in a share; a share of 0 never hits and one of 1 always does.
    pub(crate) fn hits(&mut self, share: f64) -> bool {
        self.draw() < share
    }

    /// Milliseconds between the shortest and the longest.
    pub(crate) fn between(&mut self, range: (u64, u64)) -> i64 {
        between(range, self.draw())
    }
}

pub(crate) fn between((shortest, longest): (u64, u64), draw: f64) -> i64 {
    let span = longest.saturating_sub(shortest) as f64;
    i64::try_from(shortest).unwrap_or(i64::MAX / 4) + (span * draw) as i64
}
