//! A queue whose time a test moves.

use std::sync::Mutex;

use app::ports::Queue as _;

use super::super::*;
use crate::contract;

pub(super) const QUEUE: QueueName = QueueName::CampaignSend;

/// A clock that a test moves. Whoever sleeps looks again at each move.
#[derive(Clone)]
pub(super) struct Hands(Arc<(Mutex<Timestamp>, tokio::sync::Notify)>);

impl Hands {
    pub(super) fn new() -> Self {
        Self(Arc::new((
            Mutex::new(Timestamp::from_second(1_800_000_000).unwrap()),
            tokio::sync::Notify::new(),
        )))
    }

    pub(super) fn pass(&self, time: Duration) {
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

pub(super) struct Bench {
    pub(super) queue: LocalQueue,
    pub(super) clock: Hands,
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
                handle: to_handle(&message),
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

fn to_handle(message: &Received) -> String {
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

pub(super) fn bench_in(place: &Place, fifo: bool) -> Bench {
    let clock = Hands::new();
    let queue = LocalQueue::open(place, &queues(fifo), Arc::new(clock.clone())).unwrap();
    Bench { queue, clock }
}

pub(super) fn bench() -> Bench {
    bench_in(&Place::Memory, false)
}

pub(super) async fn send(bench: &Bench, group: &str, body: &str) {
    let message = Outgoing {
        queue: QUEUE,
        body: body.into(),
        group: group.into(),
        delay: Duration::ZERO,
    };
    bench.queue.send(vec![message]).await.unwrap();
}

pub(super) async fn receive(bench: &Bench, max: usize) -> Vec<Received> {
    bench.queue.receive(QUEUE, max).await.unwrap()
}

pub(super) fn bodies(received: &[Received]) -> Vec<&str> {
    received
        .iter()
        .map(|message| message.body.as_str())
        .collect()
}
