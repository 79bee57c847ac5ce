//! The OpenAPI document, gathered from the routes themselves.
//!
//! A route says what is its own: its success, its refusals (`409`, `502`), its fields and their examples.
//! What follows from a route's shape is added here: the failures that every route of that shape has
//! ([`failures`]), and examples of whole bodies ([`example`]).

mod example;
mod failures;
mod words;

use app::App;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Response,
};
use utoipa_axum::router::OpenApiRouter;

use example::{Examples, Side};

/// Stands in an example where nobody said what the field looks like; a test refuses it.
pub const NO_EXAMPLE: &str = "no example";

/// The document of all these functions together.
pub fn document(routers: impl IntoIterator<Item = OpenApiRouter<App>>) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Blazz")
        .version("1")
        .description(Some(
            "The API of a workspace. Send `Authorization: Bearer sk_live_…`, or a session cookie with \
             `X-CSRF-Token` on requests that change something. The workspace is the key's, or for a \
             session the one in `X-Workspace`. Every failure is a problem document (RFC 9457) with a \
             stable `code`.",
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
    complete(&mut document);
    document
}

fn complete(document: &mut OpenApi) {
    let examples = Examples::of(document.components.as_ref());
    for item in document.paths.paths.values_mut() {
        for (unsafe_method, operation) in operations(item) {
            failures::complete(operation, unsafe_method);
            illustrate(operation, &examples);
            describe(operation);
        }
    }
}

/// The operations of a path, and whether each may change something.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem {
        get,
        post,
        put,
        patch,
        delete,
        ..
    } = item;
    let unsafe_ones = [post, put, patch, delete].into_iter().flatten();
    get.iter_mut()
        .map(|operation| (false, operation))
        .chain(unsafe_ones.map(|operation| (true, operation)))
}

/// Gives every JSON body an example.
fn illustrate(operation: &mut Operation, examples: &Examples) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for (kind, content) in &mut body.content {
            if let RefOr::T(content) = content {
                fill(kind, content, examples, Side::Request);
            }
        }
    }
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(Response { content, .. }) = response else {
            continue;
        };
        for (kind, content) in content {
            if let RefOr::T(content) = content {
                fill(kind, content, examples, Side::Response);
            }
        }
    }
}

fn fill(kind: &str, content: &mut Content, examples: &Examples, side: Side) {
    if kind == "application/json"
        && content.example.is_none()
        && let Some(schema) = &content.schema
    {
        content.example = examples.body(schema, side);
    }
}

/// Path parameters are ids; each says of what.
fn describe(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.description.is_none()
        {
            let noun = parameter.name.replace('_', " ");
            parameter.description = Some(format!("The id of the {noun}."));
        }
    }
}
