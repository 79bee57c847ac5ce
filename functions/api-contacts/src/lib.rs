//! HTTP API of contacts, groups and imports.

mod contacts;
mod groups;
mod imports;

use app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(contacts::create, contacts::list))
        .routes(routes!(contacts::get, contacts::update, contacts::delete))
        .routes(routes!(groups::create, groups::list))
        .routes(routes!(groups::get, groups::rename, groups::delete))
        .routes(routes!(imports::create, imports::list))
        .routes(routes!(imports::get))
        .routes(routes!(imports::start))
        .routes(routes!(imports::failed_rows))
}
