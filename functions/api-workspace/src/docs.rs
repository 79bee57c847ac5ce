//! `/v1/openapi.json` and the page that renders it, `/v1/docs`.
//!
//! The page is Swagger UI, whose files are part of the program, so no other host is asked for anything;
//! its content security policy would not let it.

use app::App;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http_api::Problem;
use swagger_ui_dist::{ApiDefinition, OpenApiSource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The document of the whole installation, which a test keeps up to date.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");
const STYLE: &str = include_str!("docs/style.css");

/// Swagger UI sets styles of elements and shows pictures that are part of its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(document))
        .routes(routes!(page))
        .merge(OpenApiRouter::from(parts_of_the_page()))
        .layer(map_response(guard))
}

/// What the page is made of, which is no part of the API: its own script and style sheet, and Swagger UI's.
fn parts_of_the_page() -> Router<App> {
    let library = swagger_ui_dist::generate_routes(ApiDefinition {
        uri_prefix: "/v1/docs/assets",
        api_definition: OpenApiSource::Uri("/v1/openapi.json"),
        title: Some("Blazz"),
    });
    Router::new()
        .route(
            "/v1/docs/start.js",
            get(async || file("text/javascript", START)),
        )
        .route("/v1/docs/style.css", get(async || file("text/css", STYLE)))
        .merge(library.with_state(()))
}

/// The same for everybody until the next release, and never more than it needs to be.
async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}

/// Reads this document.
#[utoipa::path(get, path = "/v1/openapi.json", operation_id = "get_openapi", tag = "documentation", security(()),
    responses((status = 200, body = serde_json::Value), (status = "default", body = Problem)))]
async fn document() -> Response {
    file("application/json", DOCUMENT)
}

/// Shows this document as a page.
#[utoipa::path(get, path = "/v1/docs", operation_id = "get_docs", tag = "documentation", security(()),
    responses((status = 200, body = String, content_type = "text/html"), (status = "default", body = Problem)))]
async fn page() -> Html<&'static str> {
    Html(PAGE)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
