//! How the next webhooks are signed when they are not signed as they should be.

use serde::Deserialize;

use super::signature;
use crate::settings::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignedAs {
    /// With a key nobody knows.
    Wrong,
    /// Without the header.
    Missing,
    /// With the secret before the present one.
    Old,
}

/// How many webhooks are still to be signed in another way.
#[derive(Default)]
pub(crate) struct Signing(Option<(SignedAs, u64)>);

impl Signing {
    pub(crate) fn next(&mut self, count: u64, signed_as: SignedAs) {
        self.0 = (count > 0).then_some((signed_as, count));
    }

    /// How one call is signed; it uses up one of them.
    pub(crate) fn take(&mut self) -> Option<SignedAs> {
        let (signed_as, left) = self.0?;
        self.next(left - 1, signed_as);
        Some(signed_as)
    }
}

/// The value of the header for a body, which this secret usually signs; `None` leaves the header out.
pub(super) fn header(
    settings: &Settings,
    secret: &str,
    signed_as: Option<SignedAs>,
    body: &[u8],
) -> Option<String> {
    match signed_as {
        None => Some(signature(secret, body)),
        Some(SignedAs::Wrong) => Some(signature("a key nobody knows", body)),
        Some(SignedAs::Missing) => None,
        Some(SignedAs::Old) => Some(signature(&settings.old_app_secret, body)),
    }
}
