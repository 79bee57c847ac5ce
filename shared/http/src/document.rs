//! The OpenAPI document, gathered from the routes themselves.

use app::App;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;

/// The document of all these functions together.
pub fn document(routers: impl IntoIterator<Item = OpenApiRouter<App>>) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Blazz")
        .version("1")
        .description(Some(
            "The API of a workspace. Send `Authorization: Bearer sk_live_…`, or a session cookie with \
             `X-CSRF-Token` on requests that change something. The workspace is the key's, or for a \
             session the one in `X-Workspace`.",
        ))
        .build();
    let key = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-session")));
    let components = ComponentsBuilder::new()
        .security_scheme("api_key", key)
        .security_scheme("session", session)
        .build();
    let mut document = OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .build();
    for router in routers {
        document.merge(router.into_openapi());
    }
    document
}
