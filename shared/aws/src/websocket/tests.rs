use std::sync::Mutex;

use super::*;
use crate::testing::{World, event};

/// What the handler was called with, and what it answers.
async fn run(
    name: &str,
    answered: Result<Option<Frame>, app::Error>,
) -> (Vec<Call>, serde_json::Value) {
    let calls = Mutex::new(Vec::new());
    let answered = Mutex::new(Some(answered));
    let handler = |_, call| {
        calls.lock().unwrap().push(call);
        let answer = answered.lock().unwrap().take().unwrap();
        async { answer }
    };
    let answer = answer(&World::new().app, event(name), &handler).await;
    let answer = serde_json::to_value(answer).unwrap();
    (calls.into_inner().unwrap(), answer)
}

#[tokio::test]
async fn a_connection_brings_its_ticket_and_is_refused_without_a_good_one() {
    let (calls, answer) = run("realtime-connect", Ok(None)).await;
    let connect = Call::Connect {
        socket: "JKd1ePLKoAMCJsg=".to_owned(),
        ticket: "sample-ticket".to_owned(),
    };
    assert_eq!(calls, [connect]);
    assert_eq!(answer, serde_json::json!({"statusCode": 200}));
    let (_, answer) = run("realtime-connect", Err(app::Error::Unauthenticated)).await;
    assert_eq!(answer, serde_json::json!({"statusCode": 401}));
    let (_, answer) = run("realtime-connect", Err(app::Error::broken("down"))).await;
    assert_eq!(answer, serde_json::json!({"statusCode": 500}));
}

#[tokio::test]
async fn a_frame_is_answered_in_the_body() {
    let (calls, answer) = run("realtime", Ok(Some(Frame::Pong { last: 7 }))).await;
    let message = Call::Message {
        socket: "JKd1ePLKoAMCJsg=".to_owned(),
        text: r#"{"type":"ping"}"#.to_owned(),
    };
    assert_eq!(calls, [message]);
    let body = r#"{"type":"pong","last":7}"#;
    assert_eq!(answer, serde_json::json!({"statusCode": 200, "body": body}));
}

#[tokio::test]
async fn a_closed_connection_is_reported() {
    let (calls, _) = run("realtime-disconnect", Ok(None)).await;
    let disconnect = Call::Disconnect {
        socket: "JKd1ePLKoAMCJsg=".to_owned(),
    };
    assert_eq!(calls, [disconnect]);
}
