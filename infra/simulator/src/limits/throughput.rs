//! The throughput of a phone number: what went through it in the last second, inbound included.

use std::collections::{HashMap, VecDeque};

const WINDOW_US: i64 = 1_000_000;
/// Older instants than these are forgotten; no request is late by a second.
const KEPT_US: i64 = 2 * WINDOW_US;

/// The instants that went through each phone number, in order. What was refused does not count, so
/// a sender that slows down is let through again at once.
#[derive(Default)]
pub(super) struct Throughput(HashMap<String, VecDeque<i64>>);

impl Throughput {
    /// Counts one outbound message, unless that made a second with more than `limit` of them.
    /// Requests are numbered by their arrival but may get here in another order, so every second
    /// the message would be part of is looked at, not only the one that ends with it.
    pub(super) fn admit(&mut self, number: &str, at_us: i64, limit: u32) -> bool {
        let limit = limit as usize;
        let (instants, place) = self.enter(number, at_us);
        // Usually nothing was overtaken, and the second that ends here is the only one.
        let latest = instants.len().saturating_sub(limit).min(place + 1);
        let crowded = (place.saturating_sub(limit)..latest)
            .any(|first| instants[first + limit] - instants[first] < WINDOW_US);
        if crowded {
            instants.remove(place);
        }
        !crowded
    }

    /// Counts an inbound message. Nobody can refuse a customer, but they use the same throughput.
    pub(super) fn count(&mut self, number: &str, at_us: i64) {
        self.enter(number, at_us);
    }

    fn enter(&mut self, number: &str, at_us: i64) -> (&mut VecDeque<i64>, usize) {
        let instants = self.0.entry(number.to_owned()).or_default();
        while instants.front().is_some_and(|old| old + KEPT_US < at_us) {
            instants.pop_front();
        }
        let place = instants.partition_point(|other| *other <= at_us);
        instants.insert(place, at_us);
        (instants, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_leaves_the_window_after_exactly_one_second() {
        let mut throughput = Throughput::default();
        for _ in 0..80 {
            assert!(throughput.admit("a", 5_000_000, 80));
        }
        assert!(!throughput.admit("a", 5_999_999, 80));
        assert!(throughput.admit("b", 5_999_999, 80));
        assert!(throughput.admit("a", 6_000_000, 80));
    }

    #[test]
    fn inbound_messages_use_up_throughput_too() {
        let mut throughput = Throughput::default();
        throughput.count("a", 0);
        assert!(throughput.admit("a", 10, 2));
        assert!(!throughput.admit("a", 20, 2));
        assert!(throughput.admit("a", 1_000_000, 2));
    }

    #[test]
    fn a_request_that_is_overtaken_cannot_crowd_a_second() {
        let mut throughput = Throughput::default();
        assert!(throughput.admit("a", 1, 2));
        assert!(throughput.admit("a", 500_000, 2));
        // In order this one would leave the first behind by a second, and then the next is late.
        assert!(throughput.admit("a", 1_000_001, 2));
        assert!(!throughput.admit("a", 1_000_000, 2));
        assert!(throughput.admit("a", 1_500_000, 2));
    }
}
