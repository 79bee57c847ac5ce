//! HTTP manners: who is asking, how bodies are read, how errors and pages are answered, and the
//! OpenAPI document. It knows axum and nothing of Lambda; handlers that use it write no status code
//! for an error.

pub mod auth;
pub mod cookie;
pub mod device;
pub mod document;
pub mod extract;
pub mod page;
pub mod problem;

use app::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

pub use auth::{Authenticated, Person};
pub use extract::{Id, Json, Query};
pub use page::{PageOut, PageQuery};
pub use problem::{Failure, Problem};

/// The largest body of an API request, in bytes. Files go to presigned URLs instead.
const BODY_MAX: usize = 1024 * 1024;

/// A function's routes as a plain router, with what every answer of the API has in common.
pub fn plain(router: OpenApiRouter<App>) -> Router<App> {
    let (router, _) = router.split_for_parts();
    with_manners(router)
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
