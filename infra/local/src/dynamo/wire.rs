//! The database for clients in other processes: DynamoDB's protocol over HTTP.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Call, Dynamo, Next};

impl Dynamo {
    /// What an SDK's client asks of its endpoint, answered by this database. No signature is looked at: it
    /// is for this machine, and for tests.
    pub fn router(&self) -> Router {
        let next = Next {
            engine: self.engine.clone(),
            counts: self.counts.clone(),
        };
        Router::new().fallback(answer).with_state(next)
    }
}

async fn answer(State(next): State<Next>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next());
    let Some(operation) = operation.map(str::to_owned) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let answer = next.run(Call { operation, body }).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, kind, Body::from(answer.body)).into_response()
}
