//! Whatever happens on a shelf, in whatever order, these things stay true.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Send {
        group: u8,
        delay: u64,
    },
    Receive,
    /// Settles one of the deliveries so far, perhaps one that is long over.
    Delete {
        which: usize,
    },
    Retry {
        which: usize,
        after: u64,
    },
    Pass {
        seconds: u64,
    },
    Redrive,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_u8, prop_oneof![Just(0), 1..20_u64]).prop_map(|(group, delay)| Step::Send { group, delay }),
        5 => Just(Step::Receive),
        2 => any::<usize>().prop_map(|which| Step::Delete { which }),
        2 => (any::<usize>(), 0..20_u64).prop_map(|(which, after)| Step::Retry { which, after }),
        2 => (0..40_u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Redrive),
    ]
}

/// What must be true, written down without any of the shelf's indexes.
#[derive(Default)]
struct Model {
    sent: BTreeMap<i64, u8>,
    deleted: BTreeSet<i64>,
    dead: BTreeSet<i64>,
    in_flight: BTreeMap<i64, (u32, Timestamp)>,
    received: BTreeMap<i64, u32>,
}

fn run(steps: Vec<Step>, fifo: bool) {
    let rules = Rules {
        fifo,
        visibility: Duration::from_secs(30),
        delay: Duration::ZERO,
        max_receive: 3,
    };
    let mut shelf = Shelf::new(rules);
    let mut model = Model::default();
    let mut deliveries: Vec<Receipt> = Vec::new();
    let mut now = Timestamp::from_second(1_800_000_000).unwrap();
    let mut nonce = 0;
    for step in steps {
        model.in_flight.retain(|_, (_, until)| *until > now);
        model.dead.extend(shelf.advance(now));
        match step {
            Step::Send { group, delay } => {
                let id = model.sent.len() as i64 + 1;
                model.sent.insert(id, group);
                let until = later(now, Duration::from_secs(delay));
                let standing = if delay == 0 {
                    Standing::Ready
                } else {
                    Standing::Delayed { until }
                };
                shelf.add(id, &group.to_string(), 0, standing);
            }
            Step::Receive => {
                nonce += 1;
                let Some(taken) = shelf.take(now, nonce) else {
                    continue;
                };
                assert!(
                    !model.deleted.contains(&taken.id),
                    "a deleted message was delivered"
                );
                assert!(
                    !model.dead.contains(&taken.id),
                    "a dead letter was delivered"
                );
                assert!(
                    !model.in_flight.contains_key(&taken.id),
                    "a message was delivered twice at once"
                );
                if fifo {
                    let group = model.sent[&taken.id];
                    let earlier = model
                        .sent
                        .iter()
                        .filter(|(id, of)| **id < taken.id && **of == group);
                    let left = earlier
                        .filter(|(id, _)| !model.deleted.contains(id) && !model.dead.contains(id));
                    assert_eq!(left.count(), 0, "a message overtook one of its group");
                }
                let received = model.received.entry(taken.id).or_default();
                *received += 1;
                assert_eq!(*received, taken.received);
                assert!(
                    *received <= rules.max_receive,
                    "a message was delivered too often"
                );
                model.in_flight.insert(taken.id, (nonce, taken.until));
                deliveries.push(Receipt {
                    id: taken.id,
                    nonce,
                });
            }
            Step::Delete { which } | Step::Retry { which, .. } if deliveries.is_empty() => {
                let _ = which;
            }
            Step::Delete { which } => {
                let receipt = deliveries[which % deliveries.len()];
                let valid = model
                    .in_flight
                    .get(&receipt.id)
                    .is_some_and(|(nonce, _)| *nonce == receipt.nonce);
                assert_eq!(
                    shelf.holds(receipt),
                    valid,
                    "the shelf honours another receipt"
                );
                if valid {
                    shelf.remove(receipt.id);
                    model.in_flight.remove(&receipt.id);
                    model.deleted.insert(receipt.id);
                }
            }
            Step::Retry { which, after } => {
                let receipt = deliveries[which % deliveries.len()];
                if shelf.holds(receipt) {
                    model.in_flight.remove(&receipt.id);
                    if shelf.give_back(receipt.id, later(now, Duration::from_secs(after)), now) {
                        model.dead.insert(receipt.id);
                    }
                }
            }
            Step::Pass { seconds } => now = later(now, Duration::from_secs(seconds)),
            Step::Redrive => {
                for id in shelf.redrive() {
                    assert!(model.dead.remove(&id), "a living message was redriven");
                    model.received.remove(&id);
                }
            }
        }
    }
    model.in_flight.retain(|_, (_, until)| *until > now);
    model.dead.extend(shelf.advance(now));
    let stats = shelf.stats();
    assert_eq!(stats.dead, model.dead.len());
    assert_eq!(stats.in_flight, model.in_flight.len());
    let living = model.sent.len() - model.deleted.len() - model.dead.len();
    assert_eq!(
        stats.ready + stats.delayed + stats.in_flight,
        living,
        "a message was lost"
    );
    everything_can_be_finished(shelf, now, nonce);
}

/// Nothing is stuck: whoever waits and deletes what he receives empties the shelf.
fn everything_can_be_finished(mut shelf: Shelf, mut now: Timestamp, mut nonce: u32) {
    while let Some(next) = shelf.next() {
        now = now.max(next);
        shelf.advance(now);
        nonce += 1;
        if let Some(taken) = shelf.take(now, nonce) {
            shelf.remove(taken.id);
        }
    }
    assert!(shelf.stats().is_at_rest(), "{:?} are stuck", shelf.stats());
    assert!(
        shelf.turns.remembers_nothing(),
        "an empty group is remembered"
    );
}

proptest! {
    #[test]
    fn a_standard_shelf_neither_loses_nor_doubles(steps in prop::collection::vec(step(), 0..120)) {
        run(steps, false);
    }

    #[test]
    fn a_fifo_shelf_keeps_the_order_of_each_group(steps in prop::collection::vec(step(), 0..120)) {
        run(steps, true);
    }
}
