use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

use super::*;
use crate::testing::{World, access};

type Seen = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

fn letter() -> Letter {
    Letter {
        to: "sari@example.com".to_owned(),
        subject: "Undangan".to_owned(),
        text: "Halo".to_owned(),
        html: "<p>Halo</p>".to_owned(),
    }
}

/// SES on this machine, which gives one answer to everything.
async fn ses(status: u16, kind: &'static str) -> (SesMail, Seen) {
    let seen = Seen::default();
    let answer = move |State(seen): State<Seen>, headers: HeaderMap, body: String| async move {
        let body = serde_json::from_str(&body).unwrap();
        seen.lock().unwrap().push((headers, body));
        (
            StatusCode::from_u16(status).unwrap(),
            [("x-amzn-errortype", kind)],
            "{}",
        )
    };
    let router = Router::new()
        .route("/v2/email/outbound-emails", post(answer))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut access = access();
    access.endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let from = "Blazz <no-reply@example.com>".to_owned();
    let mail = SesMail::new(access, from, World::new().clock).unwrap();
    (mail, seen)
}

#[tokio::test]
async fn a_letter_goes_out_signed_with_both_texts() {
    let (mail, seen) = ses(200, "").await;
    mail.send(letter()).await.unwrap();
    let seen = seen.lock().unwrap();
    let [(headers, body)] = seen.as_slice() else {
        panic!("{} requests", seen.len());
    };
    let signature = headers["authorization"].to_str().unwrap();
    let credential =
        "AWS4-HMAC-SHA256 Credential=AKIASAMPLE/20260101/eu-central-1/ses/aws4_request";
    assert!(signature.starts_with(credential), "{signature}");
    assert_eq!(headers["x-amz-date"], "20260101T000000Z");
    assert_eq!(body["FromEmailAddress"], "Blazz <no-reply@example.com>");
    assert_eq!(
        body["Destination"],
        json!({"ToAddresses": ["sari@example.com"]})
    );
    let simple = &body["Content"]["Simple"];
    assert_eq!(simple["Subject"]["Data"], "Undangan");
    assert_eq!(simple["Body"]["Text"]["Data"], "Halo");
    assert_eq!(simple["Body"]["Html"]["Data"], "<p>Halo</p>");
}

#[tokio::test]
async fn a_refused_letter_is_told_from_a_bad_moment() {
    for (status, kind, refused) in [
        (400, "MessageRejected:http://internal.amazon.com/", true),
        (400, "BadRequestException", true),
        (400, "AccountSuspendedException", false),
        (400, "MailFromDomainNotVerifiedException", false),
        (403, "AccessDeniedException", false),
        (429, "TooManyRequestsException", false),
        (500, "", false),
    ] {
        let (mail, _) = ses(status, kind).await;
        let error = mail.send(letter()).await.unwrap_err();
        assert_eq!(
            matches!(error, NotMailed::Refused(_)),
            refused,
            "{kind}: {error}"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_a_bad_moment() {
    let mut access = access();
    access.endpoint = Some("http://127.0.0.1:9".to_owned());
    let mail = SesMail::new(access, "a@example.com".to_owned(), World::new().clock).unwrap();
    let error = mail.send(letter()).await.unwrap_err();
    assert!(matches!(error, NotMailed::Unavailable(_)), "{error}");
}
