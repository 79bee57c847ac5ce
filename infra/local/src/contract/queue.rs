//! The contract of [`app::ports::Queue`] and of the queue behind it.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use app::ports::{Outgoing, Queue};
use app::task::QueueName;

/// One delivery as the receiving end sees it.
pub struct Delivery {
    pub body: String,
    pub receive_count: u32,
    /// The receipt, in whatever form the implementation has it.
    pub handle: String,
}

/// An empty standard queue with the port that sends to it, and a way to see the other end.
pub trait Subject {
    const VISIBILITY: Duration;
    const MAX_RECEIVE: u32;

    fn port(&self) -> &dyn Queue;

    /// The queue under test.
    fn queue(&self) -> QueueName;

    fn receive(&self, max: usize) -> impl Future<Output = Vec<Delivery>>;

    fn delete(&self, handle: &str) -> impl Future<Output = ()>;

    fn change_visibility(&self, handle: &str, timeout: Duration) -> impl Future<Output = ()>;

    /// How many messages are in the dead-letter queue.
    fn dead(&self) -> impl Future<Output = usize>;

    /// Lets time pass: moves a clock, or waits.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;
}

/// Runs every check, each on a queue of its own.
pub async fn all<S: Subject, F: Future<Output = S>>(fresh: impl Fn() -> F) {
    what_is_sent_is_received(&fresh().await).await;
    a_delay_hides_a_message(&fresh().await).await;
    a_received_message_is_invisible_until_its_time_out(&fresh().await).await;
    a_changed_time_out_counts_from_now(&fresh().await).await;
    a_stale_receipt_does_not_delete(&fresh().await).await;
    a_message_that_fails_too_often_is_parked(&fresh().await).await;
    a_message_that_is_too_long_is_refused(&fresh().await).await;
}

pub async fn what_is_sent_is_received(subject: &impl Subject) {
    send(subject, &["one", "two", "three"], Duration::ZERO).await;
    let mut seen = BTreeSet::new();
    while seen.len() < 3 {
        let received = subject.receive(10).await;
        assert!(!received.is_empty(), "only {seen:?} arrived");
        for delivery in received {
            assert_eq!(
                delivery.receive_count, 1,
                "{} was delivered before",
                delivery.body
            );
            subject.delete(&delivery.handle).await;
            seen.insert(delivery.body);
        }
    }
    subject.pass(later(subject)).await;
    assert!(
        subject.receive(10).await.is_empty(),
        "a deleted message came back"
    );
}

pub async fn a_delay_hides_a_message(subject: &impl Subject) {
    send(subject, &["later"], Duration::from_secs(5)).await;
    assert!(
        subject.receive(1).await.is_empty(),
        "the delay did not hide the message"
    );
    subject.pass(Duration::from_secs(5)).await;
    assert_eq!(
        subject.receive(1).await.len(),
        1,
        "the message did not appear after its delay"
    );
}

pub async fn a_received_message_is_invisible_until_its_time_out(subject: &impl Subject) {
    send(subject, &["one"], Duration::ZERO).await;
    assert_eq!(subject.receive(1).await.len(), 1, "nothing arrived");
    assert!(
        subject.receive(1).await.is_empty(),
        "a message in flight was delivered again"
    );
    subject.pass(later(subject)).await;
    let again = subject.receive(1).await;
    assert_eq!(
        again.len(),
        1,
        "the message did not come back after its time-out"
    );
    assert_eq!(again[0].receive_count, 2, "the deliveries were not counted");
}

pub async fn a_changed_time_out_counts_from_now(subject: &impl Subject) {
    send(subject, &["one"], Duration::ZERO).await;
    let received = subject.receive(1).await;
    subject
        .change_visibility(&received[0].handle, Duration::from_secs(2))
        .await;
    assert!(
        subject.receive(1).await.is_empty(),
        "the message came back too early"
    );
    subject.pass(Duration::from_secs(2)).await;
    assert_eq!(
        subject.receive(1).await.len(),
        1,
        "the message did not come back"
    );
}

pub async fn a_stale_receipt_does_not_delete(subject: &impl Subject) {
    send(subject, &["one"], Duration::ZERO).await;
    let first = subject.receive(1).await;
    subject.pass(later(subject)).await;
    let second = subject.receive(1).await;
    assert_eq!(second.len(), 1, "the message did not come back");
    subject.delete(&first[0].handle).await;
    subject.pass(later(subject)).await;
    assert_eq!(
        subject.receive(1).await.len(),
        1,
        "a stale receipt deleted the message"
    );
}

pub async fn a_message_that_fails_too_often_is_parked(subject: &impl Subject) {
    send(subject, &["poison"], Duration::ZERO).await;
    for round in 1..=max_receive(subject) {
        assert_eq!(
            subject.receive(1).await.len(),
            1,
            "delivery {round} did not happen"
        );
        subject.pass(later(subject)).await;
    }
    assert!(
        subject.receive(1).await.is_empty(),
        "the message was delivered once too often"
    );
    assert_eq!(
        subject.dead().await,
        1,
        "the message is not in the dead-letter queue"
    );
}

pub async fn a_message_that_is_too_long_is_refused(subject: &impl Subject) {
    let body = "x".repeat(1024 * 1024 + 1);
    let message = Outgoing {
        queue: subject.queue(),
        body,
        group: "g".to_owned(),
        delay: Duration::ZERO,
    };
    assert!(
        subject.port().send(vec![message]).await.is_err(),
        "more than 1 MiB was accepted"
    );
}

async fn send(subject: &impl Subject, bodies: &[&str], delay: Duration) {
    let messages = bodies
        .iter()
        .map(|body| Outgoing {
            queue: subject.queue(),
            body: (*body).to_owned(),
            group: "g".to_owned(),
            delay,
        })
        .collect();
    if let Err(error) = subject.port().send(messages).await {
        panic!("the port did not send: {}", error.chain());
    }
}

fn later<S: Subject>(_: &S) -> Duration {
    S::VISIBILITY
}

fn max_receive<S: Subject>(_: &S) -> u32 {
    S::MAX_RECEIVE
}
