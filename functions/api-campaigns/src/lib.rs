//! HTTP API of templates and campaigns.

mod campaigns;
mod export;
mod follow_up;
mod life;
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
        .routes(routes!(campaigns::get, campaigns::delete, life::update))
        .routes(routes!(life::start))
        .routes(routes!(life::schedule, life::unschedule))
        .routes(routes!(life::pause))
        .routes(routes!(life::resume))
        .routes(routes!(life::cancel))
        .routes(routes!(preflight::preflight))
        .routes(routes!(follow_up::retry))
        .routes(routes!(follow_up::follow_up))
        .routes(routes!(export::start, export::get))
        .routes(routes!(recipients::list))
}
