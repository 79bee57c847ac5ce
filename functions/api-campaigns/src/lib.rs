//! HTTP API of templates, media and campaigns.

mod campaigns;
mod export;
mod follow_up;
mod life;
mod media;
mod preflight;
mod recipients;
mod templates;
mod tests;

use app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(templates::list))
        .routes(routes!(templates::sync))
        .routes(routes!(templates::get))
        .routes(routes!(media::create))
        .routes(routes!(media::get, media::delete))
        .routes(routes!(campaigns::create, campaigns::list))
        .routes(routes!(campaigns::get, campaigns::delete, life::update))
        .routes(routes!(life::start))
        .routes(routes!(life::schedule, life::unschedule))
        .routes(routes!(life::pause))
        .routes(routes!(life::resume))
        .routes(routes!(life::cancel))
        .routes(routes!(preflight::preflight))
        .routes(routes!(tests::create))
        .routes(routes!(tests::list))
        .routes(routes!(follow_up::clone))
        .routes(routes!(follow_up::retry))
        .routes(routes!(follow_up::follow_up))
        .routes(routes!(export::start, export::get))
        .routes(routes!(recipients::list))
}
