//! What a URL allows, signed.

use domain::media::MediaType;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The one thing that a URL allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grant {
    /// To write exactly so many bytes.
    Put { size: u64 },
    /// To read under a name, as a type.
    Get {
        name: String,
        mime_type: Option<MediaType>,
    },
}

pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(super) fn new(secret: &[u8]) -> Self {
        // A key of one block, which is what HMAC makes of every key: so it cannot be refused.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(secret));
        Self(Hmac::new(&block.into()))
    }

    /// The signature in hexadecimal.
    pub(super) fn sign(&self, key: &str, grant: &Grant, until: i64) -> String {
        let bytes = self.mac(key, grant, until).finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compares in constant time.
    pub(super) fn verify(&self, key: &str, grant: &Grant, until: i64, signature: &str) -> bool {
        let Some(signature) = unhex(signature) else {
            return false;
        };
        self.mac(key, grant, until).verify_slice(&signature).is_ok()
    }

    /// Every part but the last is free of line breaks, so no two grants read the same.
    fn mac(&self, key: &str, grant: &Grant, until: i64) -> Hmac<Sha256> {
        let text = match grant {
            Grant::Put { size } => format!("PUT\n{key}\n{until}\n{size}"),
            Grant::Get { name, mime_type } => {
                let mime_type = mime_type.map_or("", MediaType::as_str);
                format!("GET\n{key}\n{until}\n{mime_type}\n{name}")
            }
        };
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        mac
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}
