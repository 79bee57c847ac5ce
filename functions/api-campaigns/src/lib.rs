//! HTTP API of templates and campaigns.

mod campaigns;
mod follow_up;
mod preflight;
mod recipients;
mod templates;

use app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(templates::list))
        .routes(routes!(templates::sync))
        .routes(routes!(templates::get))
        .routes(routes!(campaigns::create, campaigns::list))
        .routes(routes!(campaigns::get, campaigns::delete))
        .routes(routes!(campaigns::start))
        .routes(routes!(preflight::preflight))
        .routes(routes!(follow_up::retry))
        .routes(routes!(follow_up::follow_up))
        .routes(routes!(recipients::list))
}
