use app::{App, webhook};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent};
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt;

use crate::testing::{World, event};

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.verify_token")]
    token: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

async fn handshake(State(app): State<App>, Query(asked): Query<Handshake>) -> impl IntoResponse {
    match webhook::handshake(&app, &asked.mode, &asked.token, &asked.challenge) {
        Ok(answer) => (StatusCode::OK, answer.to_owned()),
        Err(error) => (StatusCode::FORBIDDEN, error.to_string()),
    }
}

async fn ingest(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["x-hub-signature-256"].to_str().unwrap();
    match webhook::ingest(&app, &body, Some(signature)).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

/// Answers with what arrived.
async fn echo(method: Method, uri: Uri, headers: HeaderMap) -> impl IntoResponse {
    let sent = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("-")
    };
    let body = serde_json::json!({
        "request": format!("{method} {}", uri.path_and_query().unwrap()),
        "authorization": sent(header::AUTHORIZATION),
        "cookie": sent(header::COOKIE),
        "address": headers["x-forwarded-for"].to_str().unwrap(),
    });
    (
        [(header::CONTENT_TYPE, "application/problem+json")],
        AppendHeaders([
            (header::SET_COOKIE, "a=1; Secure"),
            (header::SET_COOKIE, "b=2; Secure"),
        ]),
        body.to_string(),
    )
}

async fn answer(world: &World, name: &str) -> Value {
    answer_to(world, event(name)).await
}

/// What Lambda gets back for an event, through the same adapter that runs in Lambda.
async fn answer_to(world: &World, request: LambdaRequest) -> Value {
    let router = Router::new()
        .route("/webhooks/whatsapp", get(handshake).post(ingest))
        .fallback(echo)
        .with_state(world.app.clone());
    let event = LambdaEvent::new(request, Context::default());
    let response = Adapter::from(router).oneshot(event).await.unwrap();
    serde_json::to_value(response).unwrap()
}

#[tokio::test]
async fn a_session_cookie_reaches_the_function_and_new_cookies_reach_the_gateway() {
    insta::assert_json_snapshot!(answer(&World::new(), "api-workspace").await, @r#"
    {
      "body": "{\"address\":\"203.0.113.7\",\"authorization\":\"-\",\"cookie\":\"__Host-session=c2FtcGxl; theme=dark\",\"request\":\"GET /v1/me\"}",
      "cookies": [
        "a=1; Secure",
        "b=2; Secure"
      ],
      "headers": {
        "content-length": "115",
        "content-type": "application/problem+json"
      },
      "isBase64Encoded": false,
      "multiValueHeaders": {},
      "statusCode": 200
    }
    "#);
}

#[tokio::test]
async fn the_query_reaches_the_function_as_it_was_sent() {
    let answer = answer(&World::new(), "api-contacts").await;
    insta::assert_snapshot!(answer["body"].as_str().unwrap(), @r#"{"address":"203.0.113.7","authorization":"Bearer sk_live_sample","cookie":"-","request":"GET /v1/contacts?phone=%2B6281234567890&limit=20"}"#);
}

#[tokio::test]
async fn a_path_below_a_proxy_route_reaches_the_function_whole() {
    let answer = answer(&World::new(), "api-campaigns").await;
    insta::assert_snapshot!(answer["body"].as_str().unwrap(), @r#"{"address":"203.0.113.7","authorization":"Bearer sk_live_sample","cookie":"-","request":"GET /v1/campaigns/cp_0198c0de000070008000000000000002"}"#);
}

#[tokio::test]
async fn the_handshake_is_answered_in_plain_text() {
    insta::assert_json_snapshot!(answer(&World::new(), "webhook-ingest-handshake").await, @r#"
    {
      "body": "1158201444",
      "cookies": [],
      "headers": {
        "content-length": "10",
        "content-type": "text/plain; charset=utf-8"
      },
      "isBase64Encoded": false,
      "multiValueHeaders": {},
      "statusCode": 200
    }
    "#);
}

#[tokio::test]
async fn a_signed_webhook_is_verified_over_the_bytes_the_gateway_passes_on() {
    let world = World::new();
    assert_eq!(
        answer(&world, "webhook-ingest-post").await["statusCode"],
        200
    );
    assert_eq!(world.sent.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_the_gateway_encodes_is_verified_over_the_bytes_it_stands_for() {
    let world = World::new();
    assert_eq!(
        answer(&world, "webhook-ingest-base64").await["statusCode"],
        200
    );
    assert_eq!(world.sent.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_was_changed_on_its_way_is_refused() {
    let world = World::new();
    let mut changed: Value = event("webhook-ingest-post");
    let body = changed["body"]
        .as_str()
        .unwrap()
        .replace("delivered", "read");
    changed["body"] = body.into();
    let changed = serde_json::from_str(&changed.to_string()).unwrap();
    assert_eq!(answer_to(&world, changed).await["statusCode"], 401);
    assert!(world.sent.0.lock().unwrap().is_empty());
}
