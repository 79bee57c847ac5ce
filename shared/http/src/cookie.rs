//! The session cookie.

use app::Config;
use axum::http::{HeaderMap, HeaderValue, header};

/// `__Host-` binds the cookie to this origin and to HTTPS. A local installation that is reached over
/// plain HTTP has to do without, by an explicit setting.
fn name(config: &Config) -> &'static str {
    if config.secure_cookies {
        "__Host-session"
    } else {
        "session"
    }
}

/// The session token of a request.
pub fn read<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(key, _)| *key == name(config))
        .map(|(_, token)| token)
}

/// The header that hands out a session, or ends it when there is no token.
pub fn write(config: &Config, token: Option<&str>) -> Option<HeaderValue> {
    let secure = if config.secure_cookies {
        "; Secure"
    } else {
        ""
    };
    let age = if token.is_some() { 30 * 24 * 3600 } else { 0 };
    let token = token.unwrap_or_default();
    let cookie = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}",
        name(config)
    );
    HeaderValue::from_str(&cookie).ok()
}
