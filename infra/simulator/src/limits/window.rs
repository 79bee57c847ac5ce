//! Customer service windows: a day in which a number may write freely to a person, from each
//! message of theirs on (Meta: customer service window).

use std::collections::HashMap;

const OPEN_MS: i64 = 24 * 3_600_000;

/// The last message of each person to each number.
#[derive(Default)]
pub(super) struct Windows(HashMap<String, HashMap<String, i64>>);

impl Windows {
    pub(super) fn open(&mut self, number: &str, person: &str, at_ms: i64) {
        let people = self.0.entry(number.to_owned()).or_default();
        let last = people.entry(person.to_owned()).or_insert(at_ms);
        *last = at_ms.max(*last);
    }

    pub(super) fn is_open(&self, number: &str, person: &str, at_ms: i64) -> bool {
        let last = self.0.get(number).and_then(|people| people.get(person));
        last.is_some_and(|last| at_ms - last < OPEN_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_open_for_a_day_after_the_last_message_of_this_person_to_this_number() {
        let mut windows = Windows::default();
        assert!(!windows.is_open("a", "1", 0));
        windows.open("a", "1", 0);
        windows.open("a", "1", 1000);
        windows.open("a", "1", 500);
        assert!(windows.is_open("a", "1", 1000 + OPEN_MS - 1));
        assert!(!windows.is_open("a", "1", 1000 + OPEN_MS));
        assert!(!windows.is_open("a", "2", 1000));
        assert!(!windows.is_open("b", "1", 1000));
    }
}
