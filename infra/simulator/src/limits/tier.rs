//! The messaging limit: how many people all the numbers of a portfolio have written to in the last
//! day, outside customer service windows (Meta: messaging limits).

use std::collections::{HashMap, VecDeque};

const DAY_MS: i64 = 24 * 3_600_000;

/// Who was written to, by portfolio.
#[derive(Default)]
pub(crate) struct Portfolios(HashMap<String, People>);

/// The people of a moving day. Somebody counts for a day from the last message to them on.
#[derive(Default)]
struct People {
    last: HashMap<String, i64>,
    /// Every count in order; one that was renewed meanwhile is passed over.
    order: VecDeque<(i64, String)>,
}

impl Portfolios {
    /// Whether one more message to this person keeps within the limit.
    pub(crate) fn has_room(
        &mut self,
        portfolio: &str,
        person: &str,
        at_ms: i64,
        limit: usize,
    ) -> bool {
        let Some(people) = self.0.get_mut(portfolio) else {
            return limit > 0;
        };
        people.forget_until(at_ms - DAY_MS);
        people.last.contains_key(person) || people.last.len() < limit
    }

    /// Counts a person a message is going to reach.
    pub(crate) fn count(&mut self, portfolio: &str, person: &str, at_ms: i64) {
        let people = self.0.entry(portfolio.to_owned()).or_default();
        people.forget_until(at_ms - DAY_MS);
        people.last.insert(person.to_owned(), at_ms);
        people.order.push_back((at_ms, person.to_owned()));
    }

    /// How many people count now.
    pub(crate) fn people(&mut self, portfolio: &str, at_ms: i64) -> usize {
        self.0.get_mut(portfolio).map_or(0, |people| {
            people.forget_until(at_ms - DAY_MS);
            people.last.len()
        })
    }
}

impl People {
    fn forget_until(&mut self, until_ms: i64) {
        while let Some((at_ms, _)) = self.order.front()
            && *at_ms <= until_ms
        {
            if let Some((at_ms, person)) = self.order.pop_front()
                && self.last.get(&person) == Some(&at_ms)
            {
                self.last.remove(&person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_counts_once_and_for_a_day_after_the_last_message() {
        let mut portfolios = Portfolios::default();
        assert!(portfolios.has_room("p", "1", 0, 2));
        portfolios.count("p", "1", 0);
        portfolios.count("p", "2", 1000);
        assert!(!portfolios.has_room("p", "3", 2000, 2));
        assert!(portfolios.has_room("p", "1", 2000, 2), "is counted already");
        assert!(portfolios.has_room("other", "3", 2000, 2));
        portfolios.count("p", "1", 2000);
        assert!(!portfolios.has_room("p", "3", DAY_MS, 2), "was renewed");
        assert!(portfolios.has_room("p", "3", DAY_MS + 1000, 2));
        assert_eq!(portfolios.people("p", DAY_MS + 1000), 1);
        assert_eq!(portfolios.people("p", DAY_MS + 2000), 0);
    }
}
