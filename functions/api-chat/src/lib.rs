//! HTTP API of chats.

mod answers;
mod assignment;
mod canned_replies;
mod chats;
mod counts;
mod hours;
mod labels;
mod media;
mod messages;
mod notes;
mod opt_out;
mod presence;
mod search;

use app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(chats::list, chats::open))
        .routes(routes!(counts::get))
        .routes(routes!(chats::get, chats::update))
        .routes(routes!(chats::read))
        .routes(routes!(chats::typing))
        .routes(routes!(chats::answering))
        .routes(routes!(messages::list, messages::say))
        .routes(routes!(messages::retry))
        .routes(routes!(search::messages))
        .routes(routes!(notes::write))
        .routes(routes!(presence::get))
        .routes(routes!(labels::list, labels::create))
        .routes(routes!(labels::update, labels::delete))
        .routes(routes!(canned_replies::list, canned_replies::create))
        .routes(routes!(
            canned_replies::get,
            canned_replies::update,
            canned_replies::delete
        ))
        .routes(routes!(canned_replies::render))
        .routes(routes!(opt_out::get, opt_out::set))
        .routes(routes!(hours::get, hours::set))
        .routes(routes!(assignment::get, assignment::set))
        .routes(routes!(answers::list, answers::create))
        .routes(routes!(answers::get, answers::update, answers::delete))
        .routes(routes!(media::whole))
        .routes(routes!(media::thumbnail))
}
