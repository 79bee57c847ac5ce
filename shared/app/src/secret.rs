//! Secrets: random tokens and what is stored of them, passwords, and the encryption of access tokens.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::Error;

/// 256 random bits in URL-safe text.
#[must_use]
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of a random token. A token has the entropy that a password lacks, so one fast
/// hash is enough.
#[must_use]
pub fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// Hashes a password with Argon2id, off the async threads: it is slow on purpose.
///
/// # Errors
/// The worker thread failed.
pub async fn hash_password(password: String) -> Result<String, Error> {
    tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
    })
    .await
    .map_err(|error| Error::internal("the password thread failed", error))?
    .map_err(|error| Error::internal("a password cannot be hashed", error.to_string()))
}

/// Checks a password. Without a stored hash it still does the work, so that the time taken does not
/// tell whether an account exists.
///
/// # Errors
/// The worker thread failed.
pub async fn check_password(password: String, stored: Option<String>) -> Result<bool, Error> {
    let Some(stored) = stored else {
        hash_password(password).await?;
        return Ok(false);
    };
    tokio::task::spawn_blocking(move || {
        PasswordHash::new(&stored).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
    })
    .await
    .map_err(|error| Error::internal("the password thread failed", error))
}

/// The key that encrypts access tokens at rest.
#[derive(Clone)]
pub struct MasterKey(Key);

#[derive(Debug, thiserror::Error)]
#[error("a master key is 32 bytes in base64")]
pub struct InvalidMasterKey;

impl MasterKey {
    /// # Errors
    /// The text is not 32 bytes in base64.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| InvalidMasterKey)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| InvalidMasterKey)?;
        Ok(Self(bytes.into()))
    }

    /// A new key as text.
    #[must_use]
    pub fn generate() -> String {
        STANDARD.encode(rand::random::<[u8; 32]>())
    }

    /// Encrypts a text. The context (the owner's ids) is bound to it, so that a ciphertext moved to
    /// another row does not decrypt there.
    ///
    /// # Errors
    /// Only when the cipher itself fails.
    pub fn seal(&self, context: &str, text: &str) -> Result<String, Error> {
        let nonce: [u8; 24] = rand::random();
        let payload = chacha20poly1305::aead::Payload {
            msg: text.as_bytes(),
            aad: context.as_bytes(),
        };
        let sealed = XChaCha20Poly1305::new(&self.0)
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::broken("a secret cannot be encrypted"))?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// # Errors
    /// The text was not sealed with this key and context.
    pub fn open(&self, context: &str, sealed: &str) -> Result<String, Error> {
        let broken = || Error::broken("a stored secret cannot be decrypted");
        let bytes = STANDARD.decode(sealed).map_err(|_| broken())?;
        let (nonce, body) = bytes.split_at_checked(24).ok_or_else(broken)?;
        let nonce: [u8; 24] = nonce.try_into().map_err(|_| broken())?;
        let payload = chacha20poly1305::aead::Payload {
            msg: body,
            aad: context.as_bytes(),
        };
        let text = XChaCha20Poly1305::new(&self.0)
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| broken())?;
        String::from_utf8(text).map_err(|_| broken())
    }
}

impl MasterKey {
    /// A tag that only a holder of the key can make. The context keeps tags for one purpose from being
    /// used for another.
    #[must_use]
    pub fn tag(&self, context: &str, message: &[u8]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key is valid");
        mac.update(&(context.len() as u64).to_be_bytes());
        mac.update(context.as_bytes());
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_token_opens_only_in_its_own_context() {
        let key = MasterKey::parse(&MasterKey::generate()).unwrap();
        let sealed = key.seal("ws_1/ch_1", "EAAG-secret").unwrap();
        assert!(!sealed.contains("EAAG"));
        assert_eq!(key.open("ws_1/ch_1", &sealed).unwrap(), "EAAG-secret");
        assert!(key.open("ws_2/ch_1", &sealed).is_err());
        assert!(key.open("ws_1/ch_1", "AAAA").is_err());
    }
}
