//! Reading a contact file as a stream: encodings, delimiters, rows with their byte offsets.
//!
//! Nothing here knows contacts. Memory stays flat whatever the file: a row longer than [`ROW_MAX`],
//! which in practice is a quote that is never closed, ends the reading with an error.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::ByteRecord;
use encoding_rs::{CoderResult, Decoder};
use serde::{Deserialize, Serialize};

/// The longest row, in bytes.
pub(crate) const ROW_MAX: usize = 1 << 20;

const BUFFER: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// The encoding that the first bytes announce, and the length of the mark. Without a mark it is
    /// UTF-8, and a row that is not is refused by itself.
    pub(crate) fn sniff(head: &[u8]) -> (Self, usize) {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => (Self::Utf8, 3),
            [0xFF, 0xFE, ..] => (Self::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Self::Utf16Be, 2),
            _ => (Self::Utf8, 0),
        }
    }
}

/// The delimiter that occurs most often in the header row, outside quotes: comma, semicolon or tab.
pub(crate) fn delimiter(head: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in head.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                for (delimiter, count) in &mut counts {
                    *count += usize::from(byte == *delimiter);
                }
            }
        }
    }
    // On a tie the first of the list wins.
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(delimiter, _)| delimiter)
}

/// One row and the byte after it. For UTF-16 the offsets count the text as UTF-8.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) fields: ByteRecord,
    pub(crate) end: u64,
}

/// The rows of a file from an offset on.
pub(crate) struct Rows<R> {
    reader: csv::Reader<Guard<Text<R>>>,
    unread: Arc<AtomicUsize>,
    start: u64,
}

impl<R: Read> Rows<R> {
    /// `reader` stands at `offset` of a UTF-8 file, and at the beginning of any other: UTF-16 has no
    /// fixed length for a character, so the text before the offset is decoded again and skipped.
    pub(crate) fn new(
        reader: R,
        encoding: Encoding,
        delimiter: u8,
        offset: u64,
    ) -> io::Result<Self> {
        let unread = Arc::new(AtomicUsize::new(0));
        let mut text = Text::new(reader, encoding);
        if encoding != Encoding::Utf8 {
            io::copy(&mut (&mut text).take(offset), &mut io::sink())?;
        }
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Guard {
                inner: text,
                unread: Arc::clone(&unread),
            });
        Ok(Self {
            reader,
            unread,
            start: offset,
        })
    }

    /// The next row, or `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Row>> {
        let mut fields = ByteRecord::new();
        if !self
            .reader
            .read_byte_record(&mut fields)
            .map_err(unwrapped)?
        {
            return Ok(None);
        }
        self.unread.store(0, Ordering::Relaxed);
        Ok(Some(Row {
            fields,
            end: self.start + self.reader.position().byte(),
        }))
    }
}

/// An error of the reader below as it was, so that its kind still says whose fault it is.
fn unwrapped(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
    }
}

/// Fails when more than a row's worth was read without completing a row.
struct Guard<R> {
    inner: R,
    unread: Arc<AtomicUsize>,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if self.unread.fetch_add(count, Ordering::Relaxed) > ROW_MAX + BUFFER {
            let reason = format!(
                "a row is longer than {} MB; is a quotation mark not closed?",
                ROW_MAX >> 20
            );
            // Of this kind because it is the file's fault; any other error is the reading's.
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(count)
    }
}

/// Bytes as UTF-8. UTF-8 passes through untouched, broken bytes included: each row judges its own.
struct Text<R> {
    inner: R,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<R: Read> Text<R> {
    fn new(inner: R, encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 => None,
            Encoding::Utf16Le => Some(encoding_rs::UTF_16LE.new_decoder_with_bom_removal()),
            Encoding::Utf16Be => Some(encoding_rs::UTF_16BE.new_decoder_with_bom_removal()),
        };
        Self {
            inner,
            decoder,
            raw: Vec::new(),
            ready: Vec::new(),
            taken: 0,
            ended: false,
        }
    }

    fn fill(&mut self, decoder_input: usize) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        self.raw.resize(decoder_input, 0);
        let count = self.inner.read(&mut self.raw)?;
        self.ended = count == 0;
        let space = decoder
            .max_utf8_buffer_length(count)
            .unwrap_or(decoder_input * 3);
        self.ready.resize(space, 0);
        let (result, _, written, _) =
            decoder.decode_to_utf8(&self.raw[..count], &mut self.ready, self.ended);
        debug_assert_eq!(
            result,
            CoderResult::InputEmpty,
            "the buffer was sized for the whole input"
        );
        self.ready.truncate(written);
        self.taken = 0;
        Ok(())
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.decoder.is_none() {
            return self.inner.read(buffer);
        }
        while self.taken == self.ready.len() && !self.ended {
            self.fill(BUFFER)?;
        }
        let count = (self.ready.len() - self.taken).min(buffer.len());
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(
        bytes: &[u8],
        encoding: Encoding,
        delimiter: u8,
        offset: u64,
    ) -> Vec<(Vec<String>, u64)> {
        let mut rows = Rows::new(bytes, encoding, delimiter, offset).unwrap();
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let fields = row
                .fields
                .iter()
                .map(|field| String::from_utf8_lossy(field).into_owned());
            all.push((fields.collect(), row.end));
        }
        all
    }

    #[test]
    fn every_row_ends_where_the_next_reading_may_begin() {
        let text = "name,phone\r\n\"Rana, \"\"M\"\"\",1\r\n\"two\nlines\",2\r\nlast,3";
        let all = rows(text.as_bytes(), Encoding::Utf8, b',', 0);
        assert_eq!(all.len(), 4);
        for (place, (_, end)) in all.iter().enumerate() {
            let rest = rows(
                &text.as_bytes()[*end as usize..],
                Encoding::Utf8,
                b',',
                *end,
            );
            assert_eq!(rest, all[place + 1..], "after row {place}");
        }
    }

    #[test]
    fn utf_16_reads_like_utf_8_and_continues_at_an_offset() {
        let text = "name;phone\nZoë 🎉;1\n山田;2\n";
        let mut wide = vec![0xFF, 0xFE];
        wide.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let (encoding, mark) = Encoding::sniff(&wide);
        assert_eq!((encoding, mark), (Encoding::Utf16Le, 2));
        let all = rows(&wide, encoding, b';', 0);
        assert_eq!(all, rows(text.as_bytes(), Encoding::Utf8, b';', 0));
        assert_eq!(rows(&wide, encoding, b';', all[1].1), all[2..]);
    }

    #[test]
    fn the_delimiter_is_the_one_the_header_uses() {
        assert_eq!(delimiter("name,phone\na;b;c;d"), b',');
        assert_eq!(delimiter("name;phone;\"a,b,c,d\""), b';');
        assert_eq!(delimiter("name\tphone\r\n"), b'\t');
        assert_eq!(delimiter("phone\n+62"), b',');
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let text = format!("name,phone\n\"open,{}", "x\n".repeat(ROW_MAX));
        let mut rows = Rows::new(text.as_bytes(), Encoding::Utf8, b',', 0).unwrap();
        rows.next().unwrap();
        assert!(
            rows.next()
                .unwrap_err()
                .to_string()
                .contains("quotation mark")
        );
    }

    /// Gives a little and then breaks off, as a lost connection does.
    struct Broken<'a>(&'a [u8]);

    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn a_connection_that_breaks_is_not_taken_for_a_broken_file() {
        let mut rows = Rows::new(Broken(b"phone\n1\n2"), Encoding::Utf8, b',', 0).unwrap();
        rows.next().unwrap();
        rows.next().unwrap();
        let error = rows.next().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
