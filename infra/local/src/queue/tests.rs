mod bench;

use app::ports::Queue as _;

use super::*;
use crate::contract;
use crate::template::Stack;
use bench::{Hands, QUEUE, bench, bench_in, bodies, receive, send};

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

#[tokio::test]
async fn a_file_that_refuses_is_an_error_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let bench = bench_in(&Place::File(path.clone()), false);
    send(&bench, "a", "held").await;
    let held = receive(&bench, 1).await;
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON message WHEN NEW.body = 'too much'
                  BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(refuse)
        .unwrap();
    let message = |body: &str| Outgoing {
        queue: QUEUE,
        body: body.into(),
        group: "a".into(),
        delay: Duration::ZERO,
    };
    let refused = bench
        .queue
        .send(vec![message("first"), message("too much")])
        .await;
    assert!(refused.unwrap_err().retryable());
    assert_eq!(
        bench.queue.stats(QUEUE).await.unwrap(),
        Stats {
            in_flight: 1,
            ..Stats::default()
        }
    );
    assert!(bench.queue.delete(&held[0]).await.unwrap());
    send(&bench, "a", "next").await;
    assert_eq!(bodies(&receive(&bench, 10).await), ["next"]);
}
