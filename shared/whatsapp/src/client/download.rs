//! Fetching a file that a person sent (Meta: media).
//!
//! Meta first tells an address, which lives for five minutes, and then hands the file over there to
//! whoever has the number's token. Both may simply be repeated.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, StatusCode, Url, header};

use super::{AccessToken, Client, chain};
use crate::{error::ApiError, lenient::integer, lenient::text};

/// How long one download may take: the largest file over a line of 12 megabits a second.
pub const DOWNLOAD_AT_MOST: Duration = Duration::from_secs(75);

/// Hosts of Meta's besides that of the API, with everything below them.
const HOSTS: [&str; 3] = ["fbsbx.com", "facebook.com", "whatsapp.net"];

/// Some of the hosts refuse who does not say what they are.
const USER_AGENT: &str = "blazz";

/// Where a file is, for five minutes, and what Meta says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaAddress {
    pub url: String,
    /// In hexadecimal here; webhooks have it in base64.
    pub sha256: Option<String>,
    pub size: Option<u64>,
}

/// Why a file was not handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// The address is too old, or none of Meta's: ask for another.
    #[error("the address of the file cannot be used: {0}")]
    Address(String),
    #[error("the file is larger than was allowed")]
    TooLarge,
    #[error("the file could not be downloaded: {0}")]
    Unreachable(String),
}

impl Client {
    /// Asks for the address of a file that was sent to a number.
    pub async fn media(
        &self,
        token: &AccessToken,
        phone_number_id: &str,
        id: &str,
    ) -> Result<MediaAddress, ApiError> {
        let request = self.request(Method::GET, token, [id, ""]);
        let answer = self
            .read(request.query(&[("phone_number_id", phone_number_id)]))
            .await?;
        let Some(url) = text(&answer, "url") else {
            return Err(ApiError::Unreadable("the file has no address".to_owned()));
        };
        Ok(MediaAddress {
            url,
            sha256: text(&answer, "sha256"),
            size: integer(&answer, "file_size").and_then(|size| size.try_into().ok()),
        })
    }

    /// Downloads a file of at most so many bytes.
    pub async fn download(
        &self,
        token: &AccessToken,
        address: &MediaAddress,
        most: u64,
    ) -> Result<Bytes, DownloadError> {
        let url = self.trusted(&address.url)?;
        let unreachable =
            |error: reqwest::Error| DownloadError::Unreachable(chain(&error.without_url()));
        let _open = self.gauge.open();
        let request = self
            .http
            .get(url)
            .bearer_auth(&token.0)
            .header(header::USER_AGENT, USER_AGENT)
            .timeout(DOWNLOAD_AT_MOST);
        let mut response = request.send().await.map_err(unreachable)?;
        match response.status() {
            status if status.is_success() => {}
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => {
                return Err(DownloadError::Address(format!("HTTP {status}")));
            }
            status => return Err(DownloadError::Unreachable(format!("HTTP {status}"))),
        }
        let too_large = |size: u64| size > most;
        if response.content_length().is_some_and(too_large) {
            return Err(DownloadError::TooLarge);
        }
        let mut bytes = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(unreachable)? {
            bytes.extend_from_slice(&piece);
            if too_large(bytes.len() as u64) {
                return Err(DownloadError::TooLarge);
            }
        }
        Ok(bytes.freeze())
    }

    /// The token goes to nobody but Meta, whatever an answer says.
    fn trusted(&self, address: &str) -> Result<Url, DownloadError> {
        let url = Url::parse(address).map_err(|error| DownloadError::Address(error.to_string()))?;
        let same = url.origin() == self.base.origin();
        let host = url.host_str().unwrap_or_default();
        let meta = url.scheme() == "https"
            && HOSTS
                .iter()
                .any(|known| host == *known || host.ends_with(&format!(".{known}")));
        match same || meta {
            true => Ok(url),
            false => Err(DownloadError::Address(format!("{host} is not Meta's"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_nobody_but_meta() {
        let client = Client::new("https://graph.facebook.com/v26.0", Duration::from_secs(9));
        let client = client.unwrap();
        for good in [
            "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
            "https://graph.facebook.com/x",
            "https://mmg.whatsapp.net/x",
        ] {
            assert!(client.trusted(good).is_ok(), "{good}");
        }
        for bad in [
            "http://lookaside.fbsbx.com/x",
            "https://fbsbx.com.example.com/x",
            "https://evilfbsbx.com/x",
            "https://169.254.169.254/x",
            "https://user@example.com/x",
            "file:///etc/passwd",
            "lookaside.fbsbx.com",
        ] {
            assert!(client.trusted(bad).is_err(), "{bad}");
        }
        let simulated = Client::new("http://127.0.0.1:9/v26.0", Duration::from_secs(9)).unwrap();
        assert!(simulated.trusted("http://127.0.0.1:9/x").is_ok());
        assert!(simulated.trusted("http://127.0.0.1:8/x").is_err());
    }
}
