//! HTTP manners: who is asking, how bodies are read, how errors and pages are answered, and the
//! OpenAPI document. It knows axum and nothing of Lambda; handlers that use it write no status code
//! for an error.

pub mod address;
pub mod auth;
pub mod cookie;
pub mod device;
pub mod document;
pub mod extract;
pub mod idempotency;
pub mod page;
pub mod problem;

use app::App;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;

pub use address::ClientAddress;
pub use auth::{Authenticated, Person};
pub use extract::{Id, Ids, Json, Query, Segment};
pub use idempotency::{IdempotencyKey, Once};
pub use page::{PageOut, PageQuery};
pub use problem::{Failure, Problem};

/// The largest body of an API request, in bytes. Files go to presigned URLs instead.
pub(crate) const BODY_MAX: usize = 1024 * 1024;

/// A function's routes as a plain router, with what every answer of the API has in common.
pub fn plain(router: OpenApiRouter<App>) -> Router<App> {
    let (router, document) = router.split_for_parts();
    let paths = idempotency::paths(&document);
    with_manners(router.layer(from_fn_with_state(paths, idempotency::layer)))
}

/// The router over the application, which what stands before the handlers needs as well.
pub fn with_app(router: Router<App>, app: App) -> Router {
    router.layer(Extension(app.clone())).with_state(app)
}

/// Adds what every answer of the API has in common.
pub fn with_manners(router: Router<App>) -> Router<App> {
    router
        .fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::unknown_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(map_response(harden))
}

/// Answers belong to one caller: nothing in between may keep them or guess their type.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    response
}
