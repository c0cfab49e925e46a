//! What the stream inside an archive holds: entries, then how many there were.

use std::time::Duration;

use super::Error;

/// Largest key or value that is read; stores take less.
const LARGEST: usize = 256 << 20;
const ENTRY: u8 = 1;
const END: u8 = 0;
/// Stands for an entry that does not end by itself.
const ENDLESS: u64 = u64::MAX;

/// One key of a tenant and what stands under it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, below the tenant's root.
    pub key: Vec<u8>,
    /// As the API server wrote it.
    pub value: Vec<u8>,
    /// What was left of its time, if it ends by itself.
    pub ends_in: Option<Duration>,
}

impl std::fmt::Debug for Entry {
    /// Values may hold Secrets and are not shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Entry")
            .field("key", &String::from_utf8_lossy(&self.key))
            .field("bytes", &self.value.len())
            .field("ends_in", &self.ends_in)
            .finish()
    }
}

/// How much an archive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Entries.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl Totals {
    pub(super) fn add(&mut self, entry: &Entry) {
        self.entries += 1;
        self.bytes += (entry.key.len() + entry.value.len()) as u64;
    }
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Entry(Entry),
    End(Totals),
}

pub(super) fn write_entry(entry: &Entry) -> Result<Vec<u8>, Error> {
    let length = |bytes: &[u8]| match u32::try_from(bytes.len()) {
        Ok(length) if bytes.len() <= LARGEST => Ok(length.to_be_bytes()),
        _ => Err(Error::TooLarge { bytes: bytes.len() }),
    };
    let millis = |left: Duration| u64::try_from(left.as_millis()).unwrap_or(ENDLESS - 1);
    let ends_in = entry.ends_in.map_or(ENDLESS, millis);
    let mut frame = vec![ENTRY];
    frame.extend(length(&entry.key)?);
    frame.extend(length(&entry.value)?);
    frame.extend(ends_in.to_be_bytes());
    frame.extend(&entry.key);
    frame.extend(&entry.value);
    Ok(frame)
}

pub(super) fn write_end(totals: Totals) -> Vec<u8> {
    [[END].as_slice(), &totals.entries.to_be_bytes(), &totals.bytes.to_be_bytes()].concat()
}

/// Reads the first frame of `bytes` and says how long it is; none while bytes are missing.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Frame, usize)>, Error> {
    let mut cursor = Cursor { bytes, at: 0 };
    let frame = match cursor.take(1) {
        None => return Ok(None),
        Some([END]) => cursor.end(),
        Some([ENTRY]) => cursor.entry()?,
        Some(_) => return Err(Error::Malformed("an unknown frame")),
    };
    Ok(frame.map(|frame| (frame, cursor.at)))
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        let length = self.take(4)?.try_into().ok().map(u32::from_be_bytes)?;
        usize::try_from(length).ok()
    }

    fn end(&mut self) -> Option<Frame> {
        Some(Frame::End(Totals { entries: self.number()?, bytes: self.number()? }))
    }

    fn entry(&mut self) -> Result<Option<Frame>, Error> {
        let (Some(key), Some(value), Some(ends_in)) = (self.length(), self.length(), self.number()) else {
            return Ok(None);
        };
        if key.max(value) > LARGEST {
            return Err(Error::TooLarge { bytes: key.max(value) });
        }
        let (Some(key), Some(value)) = (self.take(key), self.take(value)) else { return Ok(None) };
        let ends_in = Some(ends_in).filter(|millis| *millis != ENDLESS).map(Duration::from_millis);
        Ok(Some(Frame::Entry(Entry { key: key.to_vec(), value: value.to_vec(), ends_in })))
    }
}
