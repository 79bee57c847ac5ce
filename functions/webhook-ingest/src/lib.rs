//! Meta's webhooks at the door: verify, queue, answer. No table is written here. The installation's own
//! Meta app has one address; each number under a customer's app has its own.

use app::{App, webhook};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use http_api::{Failure, Problem, Query, Segment};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Meta's name for the signature.
const SIGNATURE: &str = "x-hub-signature-256";

/// The routes of this function.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handshake, ingest))
        .routes(routes!(handshake_at, ingest_at))
        .layer(DefaultBodyLimit::max(webhook::BODY_MAX))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.verify_token")]
    verify_token: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

/// Answers Meta's verification of the address.
#[utoipa::path(get, path = "/webhooks/whatsapp", operation_id = "verify_webhook", tag = "webhooks", security(()),
    params(Handshake),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403), (status = "default", body = Problem)))]
async fn handshake(
    State(app): State<App>,
    Query(asked): Query<Handshake>,
) -> Result<String, Failure> {
    let answer = webhook::handshake(&app, &asked.mode, &asked.verify_token, &asked.challenge)?;
    Ok(answer.to_owned())
}

/// Takes in a webhook. The signature is over the raw bytes, so the body is not parsed here.
#[utoipa::path(post, path = "/webhooks/whatsapp", operation_id = "receive_webhook", tag = "webhooks", security(()),
    request_body(content = String, content_type = "application/json"),
    responses((status = 200), (status = 400), (status = 401), (status = 413), (status = "default", body = Problem)))]
async fn ingest(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(), Failure> {
    Ok(webhook::ingest(&app, &whole(body)?, signature(&headers)).await?)
}

/// Answers Meta's verification of the address of a number under its own app.
#[utoipa::path(get, path = "/webhooks/whatsapp/{address}", operation_id = "verify_webhook_at", tag = "webhooks", security(()),
    params(("address" = String, Path), Handshake),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403), (status = "default", body = Problem)))]
async fn handshake_at(
    State(app): State<App>,
    Segment(address): Segment,
    Query(asked): Query<Handshake>,
) -> Result<String, Failure> {
    let Handshake {
        mode,
        verify_token,
        challenge,
    } = asked;
    let answer = webhook::handshake_at(&app, &address, &mode, &verify_token, &challenge).await?;
    Ok(answer.to_owned())
}

/// Takes in a webhook of a number under its own app.
#[utoipa::path(post, path = "/webhooks/whatsapp/{address}", operation_id = "receive_webhook_at", tag = "webhooks", security(()),
    params(("address" = String, Path)), request_body(content = String, content_type = "application/json"),
    responses((status = 200), (status = 400), (status = 401), (status = 413), (status = "default", body = Problem)))]
async fn ingest_at(
    State(app): State<App>,
    Segment(address): Segment,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(), Failure> {
    Ok(webhook::ingest_at(&app, &address, &whole(body)?, signature(&headers)).await?)
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Failure> {
    body.map_err(|error| Failure::unreadable(error.status(), "unreadable", error.body_text()))
}

fn signature(headers: &HeaderMap) -> Option<&str> {
    headers.get(SIGNATURE)?.to_str().ok()
}
