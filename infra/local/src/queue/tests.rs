use std::sync::Mutex;

use app::ports::Queue as _;

use super::*;
use crate::contract;
use crate::template::Stack;

const QUEUE: QueueName = QueueName::CampaignSend;

/// A clock that a test moves. Whoever sleeps looks again at each move.
#[derive(Clone)]
struct Hands(Arc<(Mutex<Timestamp>, tokio::sync::Notify)>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new((
            Mutex::new(Timestamp::from_second(1_800_000_000).unwrap()),
            tokio::sync::Notify::new(),
        )))
    }

    fn pass(&self, time: Duration) {
        let mut now = self.0.0.lock().unwrap();
        *now += time;
        self.0.1.notify_waiters();
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.0.lock().unwrap()
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        let this = self.clone();
        Box::pin(async move {
            loop {
                let moved = this.0.1.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if this.now() >= instant {
                    return;
                }
                moved.await;
            }
        })
    }
}

struct Bench {
    queue: LocalQueue,
    clock: Hands,
}

impl contract::queue::Subject for Bench {
    const VISIBILITY: Duration = Duration::from_secs(30);
    const MAX_RECEIVE: u32 = 3;

    fn port(&self) -> &dyn app::ports::Queue {
        &self.queue
    }

    fn queue(&self) -> QueueName {
        QUEUE
    }

    async fn receive(&self, max: usize) -> Vec<contract::queue::Delivery> {
        let received = self.queue.receive(QUEUE, max).await.unwrap();
        received
            .into_iter()
            .map(|message| contract::queue::Delivery {
                body: message.body.clone(),
                receive_count: message.receive_count,
                handle: serde_handle(&message),
            })
            .collect()
    }

    async fn delete(&self, handle: &str) {
        self.queue.delete(&from_handle(handle)).await.unwrap();
    }

    async fn change_visibility(&self, handle: &str, timeout: Duration) {
        self.queue
            .change_visibility(&from_handle(handle), timeout)
            .await
            .unwrap();
    }

    async fn dead(&self) -> usize {
        self.queue.stats(QUEUE).await.unwrap().dead
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

fn serde_handle(message: &Received) -> String {
    format!("{} {}", message.receipt.id, message.receipt.nonce)
}

fn from_handle(handle: &str) -> Received {
    let (id, nonce) = handle.split_once(' ').unwrap();
    let receipt = Receipt {
        id: id.parse().unwrap(),
        nonce: nonce.parse().unwrap(),
    };
    Received {
        queue: QUEUE,
        id: receipt.id,
        receipt,
        group: String::new(),
        body: String::new(),
        receive_count: 0,
    }
}

fn queues(fifo: bool) -> Vec<template::Queue> {
    vec![template::Queue {
        id: "Queue".into(),
        name: QUEUE,
        fifo,
        visibility: Duration::from_secs(30),
        delay: Duration::ZERO,
        max_receive: 3,
    }]
}

fn bench_in(place: &Place, fifo: bool) -> Bench {
    let clock = Hands::new();
    let queue = LocalQueue::open(place, &queues(fifo), Arc::new(clock.clone())).unwrap();
    Bench { queue, clock }
}

fn bench() -> Bench {
    bench_in(&Place::Memory, false)
}

async fn send(bench: &Bench, group: &str, body: &str) {
    let message = Outgoing {
        queue: QUEUE,
        body: body.into(),
        group: group.into(),
        delay: Duration::ZERO,
    };
    bench.queue.send(vec![message]).await.unwrap();
}

async fn receive(bench: &Bench, max: usize) -> Vec<Received> {
    bench.queue.receive(QUEUE, max).await.unwrap()
}

fn bodies(received: &[Received]) -> Vec<&str> {
    received
        .iter()
        .map(|message| message.body.as_str())
        .collect()
}

#[tokio::test]
async fn it_keeps_the_contract_of_the_port() {
    contract::queue::all(|| async { bench() }).await;
}

#[tokio::test]
async fn it_opens_every_queue_of_the_template() {
    let clock = Arc::new(Hands::new());
    let queue =
        LocalQueue::open(&Place::Memory, &Stack::embedded().unwrap().queues, clock).unwrap();
    for name in QueueName::ALL {
        assert_eq!(queue.stats(name).await.unwrap(), Stats::default());
    }
}

#[tokio::test]
async fn a_restart_returns_what_was_in_flight_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("queue.db"));
    let before = bench_in(&place, false);
    send(&before, "a", "held").await;
    send(&before, "a", "waiting").await;
    let delayed = Outgoing {
        queue: QUEUE,
        body: "later".into(),
        group: "a".into(),
        delay: Duration::from_secs(60),
    };
    before.queue.send(vec![delayed]).await.unwrap();
    let held = receive(&before, 1).await;
    assert_eq!(bodies(&held), ["held"]);
    drop(before);

    let after = bench_in(&place, false);
    let received = receive(&after, 10).await;
    assert_eq!(bodies(&received), ["held", "waiting"]);
    assert_eq!(received[0].receive_count, 2);
    assert_eq!(after.queue.stats(QUEUE).await.unwrap().delayed, 1);
    assert!(
        !after
            .queue
            .delete(&Received {
                receipt: Receipt {
                    nonce: 77,
                    ..held[0].receipt
                },
                ..held[0].clone()
            })
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_fifo_group_is_delivered_in_order_and_one_at_a_time() {
    let bench = bench_in(&Place::Memory, true);
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
        send(&bench, group, body).await;
    }
    let first = receive(&bench, 10).await;
    assert_eq!(bodies(&first), ["a1", "b1"]);
    assert!(receive(&bench, 10).await.is_empty());
    // A retry blocks its own group only.
    bench
        .queue
        .retry(&first[0], Duration::from_secs(5))
        .await
        .unwrap();
    bench.queue.delete(&first[1]).await.unwrap();
    assert!(receive(&bench, 10).await.is_empty());
    bench.clock.pass(Duration::from_secs(5));
    let again = receive(&bench, 10).await;
    assert_eq!(bodies(&again), ["a1"]);
    bench.queue.delete(&again[0]).await.unwrap();
    assert_eq!(bodies(&receive(&bench, 10).await), ["a2"]);
}

#[tokio::test]
async fn a_large_group_does_not_starve_a_small_one() {
    let bench = bench();
    for number in 0..100 {
        send(&bench, "large", &format!("large {number}")).await;
    }
    let large = receive(&bench, 10).await;
    assert_eq!(large.len(), 10);
    send(&bench, "small", "small 0").await;
    send(&bench, "small", "small 1").await;
    let next = receive(&bench, 3).await;
    assert_eq!(bodies(&next), ["small 0", "small 1", "large 10"]);
}

#[tokio::test]
async fn groups_of_equal_weight_take_turns() {
    let bench = bench();
    for body in ["a1", "a2", "a3"] {
        send(&bench, "a", body).await;
    }
    for body in ["b1", "b2"] {
        send(&bench, "b", body).await;
    }
    assert_eq!(
        bodies(&receive(&bench, 10).await),
        ["a1", "b1", "a2", "b2", "a3"]
    );
}

#[tokio::test]
async fn a_waiter_hears_of_a_new_message_and_of_a_delay_that_ends() {
    let bench = bench();
    let waiting = tokio::spawn({
        let queue = bench.queue.clone();
        async move { queue.wait(QUEUE).await }
    });
    tokio::task::yield_now().await;
    send(&bench, "a", "1").await;
    waiting.await.unwrap();
    let received = receive(&bench, 1).await;
    bench
        .queue
        .retry(&received[0], Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(
        bench.queue.next_due(),
        Some(bench.clock.now() + Duration::from_secs(10))
    );
    let waiting = tokio::spawn({
        let queue = bench.queue.clone();
        async move { queue.wait(QUEUE).await }
    });
    tokio::task::yield_now().await;
    bench.clock.pass(Duration::from_secs(10));
    waiting.await.unwrap();
    assert_eq!(receive(&bench, 1).await.len(), 1);
}

#[tokio::test]
async fn an_empty_queue_is_at_rest_and_has_nothing_due() {
    let bench = bench();
    send(&bench, "a", "1").await;
    assert!(
        bench
            .queue
            .next_due()
            .is_some_and(|due| due <= bench.clock.now())
    );
    let received = receive(&bench, 1).await;
    assert!(!bench.queue.stats(QUEUE).await.unwrap().is_at_rest());
    assert!(bench.queue.delete(&received[0]).await.unwrap());
    assert!(bench.queue.stats(QUEUE).await.unwrap().is_at_rest());
    assert_eq!(bench.queue.next_due(), None);
}

#[tokio::test]
async fn dead_letters_come_back_as_new_messages() {
    let bench = bench();
    send(&bench, "a", "1").await;
    for _ in 0..3 {
        let received = receive(&bench, 1).await;
        bench
            .queue
            .retry(&received[0], Duration::ZERO)
            .await
            .unwrap();
    }
    assert_eq!(
        bench.queue.stats(QUEUE).await.unwrap(),
        Stats {
            dead: 1,
            ..Stats::default()
        }
    );
    assert_eq!(bench.queue.redrive(QUEUE).await.unwrap(), 1);
    assert_eq!(receive(&bench, 1).await[0].receive_count, 1);
}

#[tokio::test]
async fn many_senders_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench_in(&Place::File(folder.path().join("queue.db")), false);
    let sends = (0..500).map(|number| {
        let bench = &bench;
        async move { send(bench, "a", &number.to_string()).await }
    });
    futures::future::join_all(sends).await;
    assert_eq!(bench.queue.stats(QUEUE).await.unwrap().ready, 500);
}
