//! The shell of the functions behind API Gateway: payload format 2.0 in and out, axum in between.

use std::net::{IpAddr, SocketAddr};

use app::App;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use lambda_http::request::RequestContext;

use crate::{Error, start};

#[cfg(test)]
mod tests;

/// Runs a function that answers HTTP requests. Returns only when it cannot start.
///
/// # Errors
/// The environment is incomplete.
pub async fn http(router: Router<App>) -> Result<(), Error> {
    start::logs();
    let (app, _) = start::checked(start::app())?;
    let router = http_api::with_app(router, app).layer(map_request(peer));
    lambda_http::run(router).await
}

/// Tells who spoke to the gateway, as a server tells who spoke to it.
async fn peer(mut request: Request) -> Request {
    let address = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        Some(_) | None => None,
    };
    let address = address.and_then(|address| address.parse::<IpAddr>().ok());
    if let Some(address) = address {
        let peer = ConnectInfo(SocketAddr::new(address, 0));
        request.extensions_mut().insert(peer);
    }
    request
}
