//! Ids in the form Meta gives them, derived by hashing, so that the same run has the same ids.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What a message id is made from. The instant is in it, because a ledger that was cleared starts
/// counting again and must not hand out an id twice.
pub(crate) struct Origin<'a> {
    pub(crate) seed: u64,
    pub(crate) phone_number_id: &'a str,
    pub(crate) person: &'a str,
    pub(crate) at_us: i64,
    pub(crate) nth: u64,
}

/// The id of a message to or from `person`: a short binary record with their number and 18
/// hexadecimal digits, in base64.
pub(crate) fn wamid(origin: &Origin<'_>) -> String {
    let mut hash = Sha256::new();
    hash.update(origin.seed.to_be_bytes());
    hash.update(origin.phone_number_id.as_bytes());
    hash.update(origin.person.as_bytes());
    hash.update(origin.at_us.to_be_bytes());
    hash.update(origin.nth.to_be_bytes());
    let digits: String = hash.finalize()[..9]
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let mut record = vec![0x1c, 0x18, origin.person.len() as u8];
    record.extend_from_slice(origin.person.as_bytes());
    record.extend_from_slice(&[0x15, 0x02, 0x00, 0x11, 0x18, 0x12]);
    record.extend_from_slice(digits.as_bytes());
    record.push(0);
    format!("wamid.{}", STANDARD.encode(record))
}

/// Whether this could be the id of a message.
pub(crate) fn is_wamid(id: &str) -> bool {
    id.strip_prefix("wamid.")
        .is_some_and(|record| !record.is_empty())
}

/// The `fbtrace_id` of the `nth` answer: `A` and 22 url-safe characters.
pub(crate) fn trace(seed: u64, nth: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(b"trace");
    hash.update(seed.to_be_bytes());
    hash.update(nth.to_be_bytes());
    let code = URL_SAFE_NO_PAD.encode(&hash.finalize()[..]);
    format!("A{}", &code[..22])
}

/// The seal of a download's address, without which its instant could be changed.
pub(crate) fn address_hash(seed: u64, media: &str, expires: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(b"address");
    hash.update(seed.to_be_bytes());
    hash.update(media.as_bytes());
    hash.update(expires.to_be_bytes());
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..24])
}

/// The business-scoped user id of a person: a country and twenty digits.
pub(crate) fn user_id(seed: u64, number: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"user");
    hash.update(seed.to_be_bytes());
    hash.update(number.as_bytes());
    let digits = hash.finalize()[..20]
        .iter()
        .map(|byte| char::from(b'0' + byte % 10))
        .collect::<String>();
    format!("US.{digits}")
}
