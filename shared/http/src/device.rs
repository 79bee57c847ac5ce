//! What a person signs in with: how their sessions are told apart.

use std::convert::Infallible;

use app::App;
use app::session::Device;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::language::Language;

use crate::address;

/// The browser and the address of a request.
pub struct Using(pub Device);

impl FromRequestParts<App> for Using {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(Device {
            user_agent: text(&parts.headers, header::USER_AGENT).map(str::to_owned),
            address: address::caller(app, parts).map(|address| address.to_string()),
        }))
    }
}

/// The first language of a request that is spoken here.
pub struct Speaks(pub Option<Language>);

impl<S: Send + Sync> FromRequestParts<S> for Speaks {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = text(&parts.headers, header::ACCEPT_LANGUAGE);
        Ok(Self(header.and_then(Language::accepted)))
    }
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
