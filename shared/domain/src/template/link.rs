//! The address of a file that WhatsApp is to fetch.
//!
//! Nothing of ours ever fetches it. It is checked all the same, so that a campaign is not planned
//! around an address that WhatsApp cannot reach, and so that whoever shows it later shows a link to
//! the open internet.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The longest link (Meta: size limits).
const LENGTH_MAX: usize = 2000;

/// Ends of names that no public server has (RFC 2606, RFC 6762, RFC 9476).
const NOT_PUBLIC: [&str; 6] = ["local", "localhost", "internal", "invalid", "test", "alt"];

/// An https address of a public host, written the one way that every reader takes for the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaLink(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    #[error("this is not a link; write it in full, like https://shop.example/menu.jpg")]
    Unreadable,
    #[error("a link begins with https://, because WhatsApp fetches nothing else")]
    NotHttps,
    #[error("a link holds no user name and no password, because everybody could read them")]
    Credentials,
    #[error(
        "name a public host, such as shop.example, and not an address or a name of your own network"
    )]
    NotPublic,
    #[error("a link has at most {LENGTH_MAX} characters")]
    TooLong,
}

impl MediaLink {
    /// # Errors
    /// Says what is wrong with the link.
    pub fn parse(text: &str) -> Result<Self, BadLink> {
        let url = Url::parse(text.trim()).map_err(|_| BadLink::Unreadable)?;
        if url.scheme() != "https" {
            return Err(BadLink::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadLink::Credentials);
        }
        match url.host() {
            Some(Host::Domain(name)) if is_public(name) => {}
            _ => return Err(BadLink::NotPublic),
        }
        if url.as_str().len() > LENGTH_MAX {
            return Err(BadLink::TooLong);
        }
        Ok(Self(url.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name with a dot that is not one of the endings above. Addresses in numbers are no names: the
/// certificates that WhatsApp asks for are given to names.
fn is_public(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| !NOT_PUBLIC.contains(&last))
}

impl fmt::Display for MediaLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MediaLink {
    type Error = BadLink;

    fn try_from(text: String) -> Result<Self, BadLink> {
        Self::parse(&text)
    }
}

impl From<MediaLink> for String {
    fn from(link: MediaLink) -> String {
        link.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_public_host_is_taken_and_written_in_one_way() {
        for (given, written) in [
            ("https://shop.example/a.jpg", "https://shop.example/a.jpg"),
            (
                " HTTPS://Shop.Example:443/a b.jpg ",
                "https://shop.example/a%20b.jpg",
            ),
            (
                "https://cdn.shop.example/a/../b.jpg?v=1",
                "https://cdn.shop.example/b.jpg?v=1",
            ),
            (
                "https://münchen.example/ä.png",
                "https://xn--mnchen-3ya.example/%C3%A4.png",
            ),
        ] {
            assert_eq!(
                MediaLink::parse(given).unwrap().as_str(),
                written,
                "{given}"
            );
        }
    }

    #[test]
    fn a_link_that_leads_into_a_network_or_carries_a_secret_is_refused() {
        use BadLink::*;
        let long = format!("https://shop.example/{}", "a".repeat(LENGTH_MAX));
        for (given, fault) in [
            ("", Unreadable),
            ("shop.example/a.jpg", Unreadable),
            ("https://", Unreadable),
            ("https://256.1.1.1/a", Unreadable),
            ("http://shop.example/a.jpg", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("javascript:alert(1)", NotHttps),
            ("https://user@shop.example/a", Credentials),
            ("https://user:secret@shop.example/a", Credentials),
            ("https://127.0.0.1/a", NotPublic),
            ("https://10.0.0.8/a", NotPublic),
            ("https://0x7f.1/a", NotPublic),
            ("https://2130706433/a", NotPublic),
            ("https://169.254.169.254/latest", NotPublic),
            ("https://8.8.8.8/a", NotPublic),
            ("https://[::1]/a", NotPublic),
            ("https://[::ffff:10.0.0.1]/a", NotPublic),
            ("https://localhost/a", NotPublic),
            ("https://intranet/a", NotPublic),
            ("https://printer.local./a", NotPublic),
            ("https://db.prod.internal/a", NotPublic),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(MediaLink::parse(given), Err(fault), "{given}");
        }
    }
}
