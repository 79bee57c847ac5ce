//! HTTP API of identity and of what a workspace is set up with: accounts, members, API keys, channels.

mod account;
mod api_keys;
mod audit;
mod channels;
mod docs;
mod events;
mod invitations;
mod members;
mod password;
mod realtime;
mod sessions;
mod workspace;
mod workspaces;

use app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(account::register))
        .routes(routes!(account::login))
        .routes(routes!(account::logout))
        .routes(routes!(account::me, account::update))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(password::change))
        .routes(routes!(password::forgot))
        .routes(routes!(password::reset))
        .routes(routes!(workspaces::create, workspaces::list))
        .routes(routes!(workspaces::switch))
        .routes(routes!(workspaces::leave))
        .routes(routes!(members::list))
        .routes(routes!(members::update, members::remove))
        .routes(routes!(invitations::create, invitations::list))
        .routes(routes!(invitations::preview))
        .routes(routes!(invitations::accept))
        .routes(routes!(invitations::revoke))
        .routes(routes!(invitations::send_again))
        .routes(routes!(api_keys::create, api_keys::list))
        .routes(routes!(audit::list))
        .routes(routes!(api_keys::rename, api_keys::revoke))
        .routes(routes!(channels::connect, channels::list))
        .routes(routes!(channels::get, channels::update))
        .routes(routes!(channels::refresh))
        .routes(routes!(channels::disconnect))
        .routes(routes!(channels::forget_old_secret))
        .routes(routes!(realtime::ticket))
        .routes(routes!(realtime::events))
        .routes(routes!(workspace::get, workspace::update))
        .merge(docs::router())
}
