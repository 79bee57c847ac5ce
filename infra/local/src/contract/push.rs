//! The contract of [`app::ports::Push`].

use std::future::Future;

use app::ports::{Push, Pushed};
use bytes::Bytes;

/// A gateway and the clients of its sockets.
pub trait Subject {
    fn port(&self) -> &dyn Push;

    /// Opens a socket; answers the gateway's id of it.
    fn open(&mut self) -> impl Future<Output = String>;

    /// The next frame that the client of a socket receives.
    fn next(&mut self, socket: &str) -> impl Future<Output = String>;

    /// The client closes its socket, and the gateway has noticed.
    fn close(&mut self, socket: &str) -> impl Future<Output = ()>;
}

/// Runs every check, each on a gateway of its own.
pub async fn all<S: Subject, F: Future<Output = S>>(fresh: impl Fn() -> F) {
    frames_arrive_whole_and_in_the_order_they_were_pushed(&mut fresh().await).await;
    a_frame_reaches_its_socket_and_no_other(&mut fresh().await).await;
    a_socket_that_was_closed_is_gone(&mut fresh().await).await;
    a_socket_that_never_was_is_gone(&mut fresh().await).await;
}

pub async fn frames_arrive_whole_and_in_the_order_they_were_pushed(subject: &mut impl Subject) {
    let socket = subject.open().await;
    let large = "ä".repeat(15_000);
    for frame in ["{\"n\":1}", large.as_str(), "{\"n\":3}"] {
        push(subject, &socket, frame).await;
    }
    for frame in ["{\"n\":1}", large.as_str(), "{\"n\":3}"] {
        assert!(subject.next(&socket).await == frame, "a frame is another");
    }
}

pub async fn a_frame_reaches_its_socket_and_no_other(subject: &mut impl Subject) {
    let (one, other) = (subject.open().await, subject.open().await);
    push(subject, &one, "for one").await;
    push(subject, &other, "for the other").await;
    assert_eq!(subject.next(&other).await, "for the other");
    assert_eq!(subject.next(&one).await, "for one");
}

pub async fn a_socket_that_was_closed_is_gone(subject: &mut impl Subject) {
    let socket = subject.open().await;
    subject.close(&socket).await;
    let pushed = subject.port().push(&socket, Bytes::from_static(b"x")).await;
    assert_eq!(pushed, Pushed::Gone, "a closed socket was pushed to");
}

pub async fn a_socket_that_never_was_is_gone(subject: &mut impl Subject) {
    let pushed = subject
        .port()
        .push("L0SM9cOFvHcCIhw=", Bytes::from_static(b"x"))
        .await;
    assert_eq!(pushed, Pushed::Gone, "an unknown socket was pushed to");
}

async fn push(subject: &impl Subject, socket: &str, frame: &str) {
    let pushed = subject
        .port()
        .push(socket, Bytes::copy_from_slice(frame.as_bytes()))
        .await;
    assert_eq!(pushed, Pushed::Sent, "an open socket was not pushed to");
}
