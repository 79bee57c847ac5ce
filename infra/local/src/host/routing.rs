//! The gateway: from a method and a path to a function, by the rules of API Gateway's HTTP APIs.
//!
//! It chooses the function and nothing else; what is below the prefix is the function's own router's
//! business. Only what the template routes is reachable, as on AWS.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_api::Failure;
use tower::ServiceExt;

use super::meter::Meter;
use crate::gauge::Gauge;
use crate::template::{Function, Route};

/// The routes of all functions, the most specific first.
pub(super) struct Routes {
    targets: Vec<Target>,
    open: Gauge,
    meter: Meter,
}

struct Target {
    route: Route,
    function: String,
    timeout: Duration,
    router: Router,
}

impl Routes {
    pub(super) fn new(open: Gauge, meter: Meter) -> Self {
        Self {
            targets: Vec::new(),
            open,
            meter,
        }
    }

    pub(super) fn add(&mut self, function: &Function, route: &Route, router: Router) {
        self.targets.push(Target {
            route: route.clone(),
            function: function.name.clone(),
            timeout: function.timeout,
            router,
        });
        // A whole path before a prefix, a longer prefix before a shorter, a method before any.
        self.targets.sort_by_key(|target| {
            let Route {
                method,
                path,
                prefix,
            } = &target.route;
            (*prefix, std::cmp::Reverse(path.len()), method.is_none())
        });
    }

    fn find(&self, method: &str, path: &str) -> Option<&Target> {
        self.targets
            .iter()
            .find(|target| matches(&target.route, method, path))
    }
}

pub(super) fn router(routes: Arc<Routes>) -> Router {
    Router::new().fallback(invoke).with_state(routes)
}

async fn invoke(State(routes): State<Arc<Routes>>, request: Request) -> Response {
    let path = request.uri().path();
    let Some(target) = routes.find(request.method().as_str(), path) else {
        let detail = format!("there is nothing at {path}");
        return Failure::unreadable(StatusCode::NOT_FOUND, "not_found", detail).into_response();
    };
    let answer = tokio::time::timeout(target.timeout, target.router.clone().oneshot(request));
    let open = (
        routes.open.enter(),
        routes.meter.begin_http(&target.function),
    );
    // In a task of its own: an invocation is not undone when its caller hangs up, and a panic is an
    // answer like any other.
    let invocation = tokio::spawn(async move {
        let _open = open;
        answer.await
    });
    match invocation.await {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(_)) => {
            tracing::error!(function = target.function, "an invocation took too long");
            let detail = "this took too long; try again";
            Failure::unreadable(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).into_response()
        }
        Ok(Ok(Err(never))) => match never {},
        Err(error) => {
            tracing::error!(function = target.function, %error, "an invocation panicked");
            let detail = "something failed on our side";
            Failure::unreadable(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
                .into_response()
        }
    }
}

fn matches(route: &Route, method: &str, path: &str) -> bool {
    if route.method.as_deref().is_some_and(|only| only != method) {
        return false;
    }
    match path.strip_prefix(route.path.as_str()) {
        Some("") => !route.prefix,
        Some(rest) => route.prefix && rest.starts_with('/') && rest.len() > 1,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Option<&str>, path: &str, prefix: bool) -> Route {
        Route {
            method: method.map(str::to_owned),
            path: path.to_owned(),
            prefix,
        }
    }

    #[test]
    fn a_whole_path_is_only_itself_and_a_prefix_only_what_is_below() {
        let whole = route(None, "/v1/contacts", false);
        assert!(matches(&whole, "GET", "/v1/contacts"));
        assert!(!matches(&whole, "GET", "/v1/contacts/1"));
        assert!(!matches(&whole, "GET", "/v1/contacts-old"));
        let below = route(None, "/v1/contacts", true);
        assert!(matches(&below, "GET", "/v1/contacts/1/notes"));
        assert!(!matches(&below, "GET", "/v1/contacts"));
        assert!(!matches(&below, "GET", "/v1/contacts/"));
        assert!(!matches(&below, "GET", "/v1/contacts-old/1"));
    }

    #[test]
    fn a_route_with_a_method_takes_no_other() {
        let only = route(Some("POST"), "/webhooks", true);
        assert!(matches(&only, "POST", "/webhooks/whatsapp"));
        assert!(!matches(&only, "PUT", "/webhooks/whatsapp"));
    }
}
