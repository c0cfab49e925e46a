//! Entries to bytes.

use std::io::Write;

use zstd::stream::write::Encoder;

use super::frames::{write_end, write_entry};
use super::header::END;
use super::seal::{CHUNK, Chunks};
use super::{Entry, Error, Facts, Header, Totals};
use crate::Key;

/// zstd's own default: fast, and about a fifth of the size for Kubernetes objects.
const LEVEL: i32 = 3;

/// Makes an archive of entries that come in the order of their keys. It does no I/O: what is ready is
/// taken with [`Writer::take`].
pub struct Writer {
    encoder: Encoder<'static, Vec<u8>>,
    chunks: Chunks,
    ready: Vec<u8>,
    totals: Totals,
    last_key: Option<Vec<u8>>,
}

impl Writer {
    /// Begins an archive.
    pub fn new(facts: Facts, key: &Key) -> Result<Self, Error> {
        let header = Header::new(facts, key)?;
        Ok(Self {
            encoder: Encoder::new(Vec::new(), LEVEL).map_err(Error::Compression)?,
            chunks: Chunks::of(&header, key)?,
            ready: header.write(key)?,
            totals: Totals::default(),
            last_key: None,
        })
    }

    /// Adds an entry, whose key comes behind all earlier ones.
    pub fn push(&mut self, entry: &Entry) -> Result<(), Error> {
        if self.last_key.as_ref().is_some_and(|last| *last >= entry.key) {
            return Err(Error::Malformed("keys out of order"));
        }
        self.last_key = Some(entry.key.clone());
        self.totals.add(entry);
        self.encoder.write_all(&write_entry(entry)?).map_err(Error::Compression)?;
        self.seal_full_chunks()
    }

    /// Takes the bytes that are ready.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// What was added so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Ends the archive; returns its last bytes and what it holds.
    pub fn finish(mut self) -> Result<(Vec<u8>, Totals), Error> {
        self.encoder.write_all(&write_end(self.totals)).map_err(Error::Compression)?;
        self.encoder.do_finish().map_err(Error::Compression)?;
        self.seal_full_chunks()?;
        let rest = std::mem::take(self.encoder.get_mut());
        self.chunks.seal(&rest, true, &mut self.ready)?;
        self.ready.extend_from_slice(&END);
        Ok((self.ready, self.totals))
    }

    /// The last chunk is sealed as such, so at least one byte stays behind.
    fn seal_full_chunks(&mut self) -> Result<(), Error> {
        let compressed = self.encoder.get_mut();
        let full = compressed.len().saturating_sub(1) / CHUNK;
        for chunk in compressed.chunks_exact(CHUNK).take(full) {
            self.chunks.seal(chunk, false, &mut self.ready)?;
        }
        compressed.drain(..full * CHUNK);
        Ok(())
    }
}
