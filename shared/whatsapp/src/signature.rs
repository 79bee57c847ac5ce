//! The signature on every webhook: HMAC-SHA256 of the raw body with the app's secret (Meta:
//! webhooks, validating payloads).
//!
//! It covers the bytes as they came. Meta escapes non-ASCII characters before signing, so a body
//! that was parsed and written again no longer matches; verify before anything else touches it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const PREFIX: &str = "sha256=";

/// The value of `X-Hub-Signature-256` for a body.
pub fn sign(secret: &str, raw: &[u8]) -> String {
    let mut header = String::with_capacity(PREFIX.len() + 64);
    header.push_str(PREFIX);
    for byte in mac(secret, raw) {
        for nibble in [byte >> 4, byte & 15] {
            header.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    header
}

/// Whether one of the secrets signed this body. Several are accepted while a secret is rotated.
///
/// Fails closed: no header, no secret, or an empty secret (which anybody could sign with) is a
/// refusal. The time taken does not depend on how much of a signature matches.
pub fn verify(secrets: &[&str], raw: &[u8], header: Option<&str>) -> bool {
    let Some(claimed) = header.and_then(decode) else {
        return false;
    };
    let mut valid = false;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        valid |= bool::from(mac(secret, raw).ct_eq(&claimed));
    }
    valid
}

fn mac(secret: &str, raw: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key is valid");
    mac.update(raw);
    mac.finalize().into_bytes().into()
}

fn decode(header: &str) -> Option<[u8; 32]> {
    let digits = header.trim().strip_prefix(PREFIX)?.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = [nibble(pair[0])?, nibble(pair[1])?];
        *byte = high << 4 | low;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "example-app-secret";
    /// As Meta writes it: ASCII only, an emoji as a surrogate pair, the slash escaped.
    const ESCAPED: &[u8] = br#"{"text":"caf\u00e9 \ud83d\udc4d https:\/\/shop.example"}"#;

    #[test]
    fn a_known_body_has_a_known_signature() {
        // RFC 4231, test case 2.
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn an_escaped_body_is_verified_as_it_came_and_not_as_it_reads() {
        let header = "sha256=529fcd61a213bade025e86802ea1671160505ab8dfca8b75a61c8f1fe06b997b";
        assert_eq!(sign(SECRET, ESCAPED), header);
        assert!(verify(&[SECRET], ESCAPED, Some(header)));
        let unescaped = r#"{"text":"café 👍 https://shop.example"}"#;
        assert!(!verify(&[SECRET], unescaped.as_bytes(), Some(header)));
    }

    #[test]
    fn both_secrets_are_accepted_while_one_is_rotated() {
        let header = sign("new", ESCAPED);
        assert!(verify(&["old", "new"], ESCAPED, Some(&header)));
        assert!(!verify(&["old", "older"], ESCAPED, Some(&header)));
    }

    #[test]
    fn upper_case_digits_are_the_same_signature() {
        let header = sign(SECRET, ESCAPED)
            .to_uppercase()
            .replace("SHA256", "sha256");
        assert!(verify(&[SECRET], ESCAPED, Some(&header)));
    }

    #[test]
    fn one_changed_byte_is_refused() {
        let header = sign(SECRET, ESCAPED);
        let mut body = ESCAPED.to_vec();
        body[3] ^= 1;
        assert!(!verify(&[SECRET], &body, Some(&header)));
    }

    #[test]
    fn whatever_is_missing_is_a_refusal() {
        let header = sign(SECRET, ESCAPED);
        assert!(!verify(&[], ESCAPED, Some(&header)));
        assert!(!verify(&[SECRET], ESCAPED, None));
        assert!(!verify(&[""], ESCAPED, Some(&sign("", ESCAPED))));
        let short = &header[..header.len() - 1];
        let sha1 = header.replace("sha256=", "sha1=");
        let odd = format!("sha256={}", "é".repeat(32));
        for header in ["", "sha256=", short, &sha1, &odd, &header[7..]] {
            assert!(!verify(&[SECRET], ESCAPED, Some(header)), "{header}");
        }
    }
}
