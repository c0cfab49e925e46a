//! Bytes to entries.

use std::io::Write;

use zstd::stream::write::Decoder;

use super::frames::{Frame, read};
use super::header::END;
use super::seal::{Chunks, SEALED};
use super::{Entry, Error, Header, Totals};
use crate::Key;

/// Reads an archive. It does no I/O: bytes go in with [`Reader::push`], and after the last ones with
/// [`Reader::finish`]; entries come out of [`Reader::next_entry`].
///
/// An entry is authentic once it comes out. Whether the archive is whole is known at its end only, so
/// whoever must not act on a part reads it twice.
pub struct Reader {
    key: Key,
    header: Option<Header>,
    chunks: Option<Chunks>,
    raw: Vec<u8>,
    decoder: Decoder<'static, Vec<u8>>,
    consumed: usize,
    seen: u64,
    totals: Totals,
    is_ended: bool,
}

impl Reader {
    /// Begins to read.
    pub fn new(key: Key) -> Result<Self, Error> {
        let decoder = Decoder::new(Vec::new()).map_err(Error::Compression)?;
        Ok(Self {
            key,
            header: None,
            chunks: None,
            raw: Vec::new(),
            decoder,
            consumed: 0,
            seen: 0,
            totals: Totals::default(),
            is_ended: false,
        })
    }

    /// The header, once it was read.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.seen += bytes.len() as u64;
        self.raw.extend_from_slice(bytes);
        if self.header.is_none() {
            let Some((header, length)) = Header::read(&self.raw, &self.key)? else { return Ok(()) };
            self.chunks = Some(Chunks::of(&header, &self.key)?);
            self.header = Some(header);
            self.raw.drain(..length);
        }
        let mut opened = 0;
        // What follows shows that a chunk is not the last one.
        while self.raw.len() - opened > SEALED + END.len() {
            self.open(opened..opened + SEALED, false)?;
            opened += SEALED;
        }
        self.raw.drain(..opened);
        Ok(())
    }

    /// There are no more bytes.
    pub fn finish(&mut self) -> Result<(), Error> {
        let truncated = Error::Truncated { bytes: self.seen };
        if self.header.is_none() || !self.raw.ends_with(&END) {
            return Err(truncated);
        }
        self.open(0..self.raw.len() - END.len(), true)?;
        self.raw.clear();
        Ok(())
    }

    /// The next entry, of what was taken so far.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        let plain = self.decoder.get_mut();
        let rest = plain.get(self.consumed..).unwrap_or_default();
        let Some((frame, length)) = read(rest)? else {
            plain.drain(..self.consumed);
            self.consumed = 0;
            return Ok(None);
        };
        if self.is_ended {
            return Err(Error::Malformed("something follows its end"));
        }
        self.consumed += length;
        match frame {
            Frame::Entry(entry) => {
                self.totals.add(&entry);
                Ok(Some(entry))
            }
            Frame::End(totals) if totals == self.totals => {
                self.is_ended = true;
                Ok(None)
            }
            Frame::End(_) => Err(Error::Malformed("it holds another number of entries than it says")),
        }
    }

    /// What the archive held, once all of it came out.
    pub fn totals(&self) -> Result<Totals, Error> {
        if self.is_ended { Ok(self.totals) } else { Err(Error::Truncated { bytes: self.seen }) }
    }

    fn open(&mut self, range: std::ops::Range<usize>, is_last: bool) -> Result<(), Error> {
        let (Some(chunks), Some(chunk)) = (self.chunks.as_mut(), self.raw.get_mut(range)) else {
            return Err(Error::Malformed("no header"));
        };
        let plain = chunks.open(chunk, is_last)?;
        self.decoder.write_all(plain).map_err(Error::Compression)?;
        self.decoder.flush().map_err(Error::Compression)
    }
}
