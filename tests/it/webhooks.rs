//! Meta's webhooks at the door.

use app::task::QueueName;
use axum::http::Method;

use crate::support::{Caller, TestApp};

const PATH: &str = "/webhooks/whatsapp";

#[tokio::test]
async fn the_handshake_answers_the_challenge_only_for_the_right_token() {
    let t = TestApp::new().await;
    let token = &t.app.config.verify_token;
    let asked = |mode: &str, token: &str| {
        format!("{PATH}?hub.mode={mode}&hub.challenge=1158201444&hub.verify_token={token}")
    };
    let answer = Caller::anonymous()
        .get(&t, &asked("subscribe", token))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, "1158201444")
    );
    Caller::anonymous()
        .get(&t, &asked("subscribe", "guess"))
        .await
        .expect(403);
    Caller::anonymous()
        .get(&t, &asked("unsubscribe", token))
        .await
        .expect(403);
    Caller::anonymous().get(&t, PATH).await.expect(422);
    t.finish().await;
}

#[tokio::test]
async fn what_meta_did_not_sign_is_refused_and_nothing_is_queued() {
    let t = TestApp::new().await;
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#.to_vec();
    let right = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
    let other = whatsapp::signature::sign("another secret", &body);
    for signature in [
        None,
        Some(other.as_str()),
        Some(&right[..40]),
        Some("sha256=zz"),
        Some(""),
    ] {
        let header = signature.map(|value| ("x-hub-signature-256", value));
        Caller::anonymous()
            .raw(&t, Method::POST, PATH, header, body.clone())
            .await
            .expect(401);
    }
    let mut changed = body.clone();
    changed.push(b' ');
    let header = Some(("x-hub-signature-256", right.as_str()));
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, changed)
        .await
        .expect(401);
    assert!(
        t.queue
            .stats(QueueName::Webhook)
            .await
            .unwrap()
            .is_at_rest()
    );
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, body)
        .await
        .expect(200);
    assert_eq!(t.queue.stats(QueueName::Webhook).await.unwrap().ready, 1);
    t.drain().await;
    t.finish().await;
}

#[tokio::test]
async fn a_body_larger_than_meta_ever_sends_is_refused() {
    let t = TestApp::new().await;
    let body = vec![b' '; app::webhook::BODY_MAX + 1];
    let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
    let header = Some(("x-hub-signature-256", signature.as_str()));
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, body)
        .await
        .expect(413);
    t.finish().await;
}

#[tokio::test]
async fn a_signed_body_that_is_not_json_is_parked_and_not_lost() {
    let mut t = TestApp::new().await;
    let body = b"{\"object\": \"whatsapp_business".to_vec();
    let signature = whatsapp::signature::sign(&t.app.config.app_secrets[0], &body);
    let header = Some(("x-hub-signature-256", signature.as_str()));
    Caller::anonymous()
        .raw(&t, Method::POST, PATH, header, body)
        .await
        .expect(200);
    t.drain().await;
    assert_eq!(t.queue.stats(QueueName::Webhook).await.unwrap().dead, 1);
    t.allow_leftovers();
}
