//! The pair limit: how often one number may write to one person. A burst borrows from the time
//! after it, which must then pass in silence (Meta: pair rate limit).

use std::collections::HashMap;

const PACE_US: i64 = 6_000_000;
const BURST: u32 = 45;
/// How many pairs there may be before the settled ones are looked for.
const FIRST_SWEEP: usize = 10_000;

#[derive(Clone, Copy)]
struct Pair {
    /// Until here the pair has used up its time.
    used_until_us: i64,
    burst_since_us: i64,
    burst: u32,
}

/// Every pair that has not settled its time.
#[derive(Default)]
pub(super) struct Pairs {
    pairs: HashMap<String, HashMap<String, Pair>>,
    count: usize,
    sweep_at: usize,
}

impl Pair {
    /// The pair after one more message, if it may have one.
    fn after(self, at_us: i64) -> Option<Self> {
        if at_us >= self.used_until_us {
            return Some(Self::opened(at_us));
        }
        let in_burst = at_us - self.burst_since_us <= PACE_US && self.burst < BURST;
        in_burst.then_some(Self {
            used_until_us: self.used_until_us + PACE_US,
            burst: self.burst + 1,
            ..self
        })
    }

    fn opened(at_us: i64) -> Self {
        Self {
            used_until_us: at_us + PACE_US,
            burst_since_us: at_us,
            burst: 1,
        }
    }
}

impl Pairs {
    pub(super) fn would_admit(&self, number: &str, person: &str, at_us: i64) -> bool {
        let pair = self.pairs.get(number).and_then(|people| people.get(person));
        pair.is_none_or(|pair| pair.after(at_us).is_some())
    }

    /// Counts a message that was admitted.
    pub(super) fn enter(&mut self, number: &str, person: &str, at_us: i64) {
        if self.count >= self.sweep_at.max(FIRST_SWEEP) {
            self.sweep(at_us);
        }
        let people = self.pairs.entry(number.to_owned()).or_default();
        match people.get_mut(person) {
            Some(pair) => *pair = pair.after(at_us).unwrap_or(*pair),
            None => {
                people.insert(person.to_owned(), Pair::opened(at_us));
                self.count += 1;
            }
        }
    }

    /// Forgets who has settled their time. It waits for twice as many before it does so again, so
    /// that a message costs the same however many people there are.
    fn sweep(&mut self, at_us: i64) {
        for people in self.pairs.values_mut() {
            people.retain(|_, pair| pair.used_until_us > at_us);
        }
        self.count = self.pairs.values().map(HashMap::len).sum();
        self.sweep_at = 2 * self.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn send(pairs: &mut Pairs, person: &str, at_us: i64) -> bool {
        let admitted = pairs.would_admit("a", person, at_us);
        if admitted {
            pairs.enter("a", person, at_us);
        }
        admitted
    }

    #[test]
    fn a_burst_of_forty_five_is_followed_by_silence_for_as_long_as_it_would_have_taken() {
        let mut pairs = Pairs::default();
        assert!((0..45).all(|nth| send(&mut pairs, "1", nth * 1000)));
        assert!(!send(&mut pairs, "1", 46_000));
        assert!(send(&mut pairs, "2", 46_000), "others are not concerned");
        assert!(!send(&mut pairs, "1", 45 * 6 * SECOND - 1));
        assert!(send(&mut pairs, "1", 45 * 6 * SECOND));
    }

    #[test]
    fn a_burst_ends_after_six_seconds() {
        let mut pairs = Pairs::default();
        assert!(send(&mut pairs, "1", 0));
        assert!(send(&mut pairs, "1", 6 * SECOND - 1));
        assert!(!send(&mut pairs, "1", 6 * SECOND + 1));
        assert!(send(&mut pairs, "1", 12 * SECOND));
    }

    #[test]
    fn whoever_keeps_the_pace_is_never_refused() {
        let mut pairs = Pairs::default();
        assert!((0..1000).all(|nth| send(&mut pairs, "1", nth * 6 * SECOND)));
    }

    #[test]
    fn settled_pairs_are_forgotten() {
        let mut pairs = Pairs::default();
        for person in 0..30_000_i64 {
            assert!(send(&mut pairs, &person.to_string(), person * SECOND));
        }
        assert!(pairs.count <= FIRST_SWEEP + 1, "{}", pairs.count);
    }
}
