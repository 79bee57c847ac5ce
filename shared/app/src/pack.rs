//! Bytes made smaller, for what is large and written often.

use std::io::{Error, Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// # Errors
/// None in practice: a vector takes every write.
pub(crate) fn deflate(raw: &[u8]) -> Result<Vec<u8>, Error> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(raw)?;
    encoder.finish()
}

/// Reads no more than `most` bytes. Only what this product made smaller gets here, yet a limit costs
/// nothing.
///
/// # Errors
/// The bytes were not made by [`deflate`].
pub(crate) fn inflate(packed: &[u8], most: usize) -> Result<Vec<u8>, Error> {
    let mut raw = Vec::new();
    DeflateDecoder::new(packed)
        .take(most as u64)
        .read_to_end(&mut raw)?;
    Ok(raw)
}
