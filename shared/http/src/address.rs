//! Where a request comes from, for the limits of those who are nobody yet.

use std::net::{IpAddr, SocketAddr};

use app::App;
use app::limit::Address;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::Failure;

/// The header in which each proxy notes whom it was asked by.
const FORWARDED: &str = "x-forwarded-for";

/// The address of the caller: whoever spoke to the gateway, or to the outermost of our own proxies.
pub struct ClientAddress(pub Address);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let address = caller(app, parts);
        Ok(Self(address.map_or_else(Address::unknown, Address::of)))
    }
}

/// Who spoke to the outermost of our own proxies, when that is known.
pub(crate) fn caller(app: &App, parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip());
    behind(app.config.proxies, &parts.headers, peer)
}

/// The caller behind so many proxies. Everything before their own notes is the caller's invention.
fn behind(proxies: usize, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    let noted = headers
        .get_all(FORWARDED)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|address| address.trim().parse::<IpAddr>().ok());
    let mut chain: Vec<_> = noted.collect();
    // API Gateway notes its own peer as well.
    if chain.last().copied() != peer {
        chain.extend(peer);
    }
    let place = chain.len().checked_sub(proxies + 1)?;
    chain.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(proxies: usize, noted: &str, peer: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if !noted.is_empty() {
            headers.insert(FORWARDED, noted.parse().unwrap());
        }
        let caller = behind(proxies, &headers, peer.parse().ok());
        caller.map(|address| address.to_string())
    }

    #[test]
    fn what_a_caller_says_of_itself_counts_for_nothing() {
        let peer = || Some("192.0.2.7".to_owned());
        assert_eq!(caller(0, "", "192.0.2.7"), peer());
        assert_eq!(caller(0, "203.0.113.9", "192.0.2.7"), peer());
        assert_eq!(caller(0, "203.0.113.9, 192.0.2.7", "192.0.2.7"), peer());
    }

    #[test]
    fn behind_a_proxy_its_last_note_is_the_caller() {
        let person = || Some("198.51.100.4".to_owned());
        assert_eq!(caller(1, "198.51.100.4", "192.0.2.7"), person());
        assert_eq!(caller(1, "1.1.1.1, 198.51.100.4", "192.0.2.7"), person());
        assert_eq!(caller(1, "198.51.100.4, 192.0.2.7", "192.0.2.7"), person());
    }

    #[test]
    fn a_request_that_passed_no_proxy_has_no_known_caller() {
        assert_eq!(caller(1, "", "192.0.2.7"), None);
    }
}
