use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use whatsapp::{Accepted, Content, ErrorClass, Outbound, SendError};

use crate::server::{Reply, Server, client, token};

const ACCEPTED: &str = r#"{"messaging_product":"whatsapp",
    "contacts":[{"input":"+15550200002","wa_id":"15550200002"}],
    "messages":[{"id":"wamid.OUT1","message_status":"accepted"}]}"#;

fn message() -> Outbound {
    Outbound {
        to: "+15550200002".to_owned(),
        content: Content::Text {
            body: "Hello".to_owned(),
            preview_url: false,
        },
        context: None,
        callback_data: "r:1".to_owned(),
    }
}

async fn sent(reply: Reply) -> Result<Accepted, SendError> {
    let server = Server::start([reply]).await;
    let result = server
        .client
        .send(&token(), "200000000000001", &message())
        .await;
    assert_eq!(server.seen().len(), 1, "a message is never sent twice");
    assert_eq!(server.client.open_calls(), 0);
    result
}

async fn answered(status: u16, body: &str) -> Result<Accepted, SendError> {
    sent(Reply::Answer(status, body.to_owned())).await
}

fn envelope(code: i64) -> String {
    format!(r#"{{"error":{{"message":"(#{code}) Title","type":"OAuthException","code":{code}}}}}"#)
}

#[tokio::test]
async fn an_accepted_message_has_its_id() {
    let expected = Accepted {
        wamid: "wamid.OUT1".to_owned(),
        wa_id: Some("15550200002".to_owned()),
        held: false,
    };
    assert_eq!(answered(200, ACCEPTED).await, Ok(expected));
}

#[tokio::test]
async fn a_held_message_says_so_and_a_hidden_number_is_no_trouble() {
    let body = r#"{"contacts":[{"user_id":"US.7"}],
        "messages":[{"id":"wamid.OUT2","message_status":"held_for_quality_assessment"}]}"#;
    let accepted = answered(200, body).await.unwrap();
    assert!(accepted.held);
    assert_eq!(accepted.wa_id, None);
}

#[tokio::test]
async fn the_request_is_the_one_meta_documents() {
    let server = Server::start([Reply::Answer(200, ACCEPTED.to_owned())]).await;
    server
        .client
        .send(&token(), "200000000000001", &message())
        .await
        .unwrap();
    server
        .client
        .send(&token(), "../oauth?x=1", &message())
        .await
        .unwrap();
    let seen = server.seen();
    assert!(
        seen[0].starts_with("POST /v26.0/200000000000001/messages HTTP/1.1\r\n"),
        "{}",
        seen[0]
    );
    assert!(seen[0].contains("authorization: Bearer EAAB-secret\r\n"));
    assert!(seen[0].contains(r#""biz_opaque_callback_data":"r:1""#));
    assert!(
        seen[1].starts_with("POST /v26.0/..%2Foauth%3Fx=1/messages "),
        "{}",
        seen[1]
    );
}

#[tokio::test]
async fn a_refusal_in_meta_s_own_words_is_refused_whatever_the_status() {
    for (status, code, class) in [
        (400, 130429, ErrorClass::Slow),
        (400, 131056, ErrorClass::HoldPerson),
        (400, 131047, ErrorClass::DropPerson),
        (401, 190, ErrorClass::StopCampaign),
        (500, 131057, ErrorClass::Slow),
        (500, 3, ErrorClass::StopCampaign),
        (400, 999_999, ErrorClass::DropPerson),
    ] {
        let Err(SendError::Refused(error)) = answered(status, &envelope(code)).await else {
            panic!("{code} was not taken for a refusal");
        };
        assert_eq!(
            (error.code, error.http_status, error.class()),
            (code, status, class)
        );
    }
}

#[tokio::test]
async fn a_server_error_that_may_have_come_after_accepting_is_unknown() {
    for (status, code) in [
        (500, 131000),
        (503, 2),
        (500, 1),
        (500, 131016),
        (500, 999_999),
    ] {
        let result = answered(status, &envelope(code)).await;
        assert!(
            matches!(result, Err(SendError::Unknown(_))),
            "{code}: {result:?}"
        );
    }
}

#[tokio::test]
async fn whatever_does_not_speak_for_meta_is_unknown() {
    for (status, body) in [
        (500, "<html>Sorry, something went wrong.</html>"),
        (502, ""),
        (429, "slow down"),
        (404, "<html></html>"),
        (302, ""),
        (200, ""),
        (200, r#"{"messages":[{"id":"wamid.OU"#),
        (200, r#"{"messages":[]}"#),
        (200, r#"{"messages":[{"id":""}]}"#),
        (200, r#"{"success":true}"#),
    ] {
        let result = answered(status, body).await;
        assert!(
            matches!(result, Err(SendError::Unknown(_))),
            "{status} {body}: {result:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_lost_after_the_request_left_is_unknown() {
    let cut = Reply::Cut(200, ACCEPTED.to_owned());
    for reply in [Reply::Reset, Reply::Close, Reply::Silence, cut] {
        let result = sent(reply).await;
        assert!(matches!(result, Err(SendError::Unknown(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_connection_lost_on_reuse_is_unknown_too() {
    let first = Reply::Answer(200, ACCEPTED.to_owned());
    let server = Server::start([first, Reply::Reset]).await;
    let send = || async {
        server
            .client
            .send(&token(), "200000000000001", &message())
            .await
    };
    assert!(send().await.is_ok());
    let second = send().await;
    assert!(matches!(second, Err(SendError::Unknown(_))), "{second:?}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_connection_that_never_opened_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v26.0", listener.local_addr().unwrap());
    drop(listener);
    let result = client(&base_url)
        .send(&token(), "200000000000001", &message())
        .await;
    assert!(matches!(result, Err(SendError::NotSent(_))), "{result:?}");
}

#[tokio::test]
async fn a_failed_handshake_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}/v26.0", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let result = client(&base_url)
        .send(&token(), "200000000000001", &message())
        .await;
    assert!(matches!(result, Err(SendError::NotSent(_))), "{result:?}");
}

#[tokio::test]
async fn an_open_call_is_counted_until_it_ends_or_is_given_up() {
    let server = Server::start([Reply::Silence]).await;
    let other = server.client.clone();
    let call = tokio::spawn(async move { other.send(&token(), "2", &message()).await });
    let deadline = Instant::now() + Duration::from_secs(2);
    while server.client.open_calls() == 0 && Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.client.open_calls(), 1);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(server.client.open_calls(), 0);
}

#[test]
fn a_token_hides_itself() {
    assert_eq!(format!("{:?}", token()), "AccessToken(hidden)");
}

#[test]
fn an_address_that_cannot_work_is_refused_at_the_start() {
    for base_url in ["", "graph.facebook.com/v26.0", "ftp://graph.facebook.com"] {
        assert!(
            whatsapp::Client::new(base_url, Duration::from_secs(1)).is_err(),
            "{base_url}"
        );
    }
}
