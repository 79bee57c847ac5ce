use serde_json::{Value, json};
use whatsapp::ApiError;

use crate::server::{Reply, Server, token};

const NUMBER: &str = "200000000000001";

#[tokio::test]
async fn a_message_is_marked_as_read_alone_or_while_somebody_types() {
    let server = Server::start([Reply::Answer(200, r#"{"success":true}"#.to_owned())]).await;
    for typing in [false, true] {
        let token = token();
        let marked = server.client.mark_read(&token, NUMBER, "wamid.IN1", typing);
        assert_eq!(marked.await, Ok(()));
    }
    let bodies: Vec<Value> = server
        .seen()
        .iter()
        .map(|seen| {
            let (head, body) = seen.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("POST /v26.0/200000000000001/messages "));
            serde_json::from_str(body).unwrap()
        })
        .collect();
    let read =
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN1"});
    let mut typing = read.clone();
    typing["typing_indicator"] = json!({"type": "text"});
    assert_eq!(bodies, [read, typing]);
}

#[tokio::test]
async fn a_message_that_meta_does_not_know_is_told_apart_from_a_meta_that_is_away() {
    let unknown = r#"{"error":{"message":"(#131009) Parameter value is not valid","code":131009}}"#;
    let replies = [
        Reply::Answer(400, unknown.to_owned()),
        Reply::Answer(500, "<html>".to_owned()),
        Reply::Reset,
    ];
    let server = Server::start(replies).await;
    let mark = async || {
        server
            .client
            .mark_read(&token(), NUMBER, "wamid.IN9", false)
            .await
    };
    assert!(matches!(mark().await, Err(ApiError::Refused(error)) if error.code == 131_009));
    assert!(matches!(mark().await, Err(ApiError::Unreachable(_))));
    assert!(matches!(mark().await, Err(ApiError::Unreachable(_))));
}
