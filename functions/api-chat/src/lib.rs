//! HTTP API of chats.

mod chats;
mod messages;

use app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(chats::open))
        .routes(routes!(chats::get))
        .routes(routes!(messages::list, messages::say))
}
