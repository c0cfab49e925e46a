//! The format of an archive.

mod frames;
mod header;
mod reader;
mod seal;
mod writer;

pub use frames::{Entry, Totals};
pub use header::{FORMAT, Facts, Header};
pub use reader::Reader;
pub use writer::Writer;

use crate::KeyError;

/// Why an archive cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It begins otherwise.
    #[error("this is no backup of Flotilla")]
    Foreign,
    /// A later program wrote it.
    #[error("the backup has format {found}, and this version reads up to {FORMAT}; use a newer version")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// It was encrypted with another key.
    #[error("the backup is encrypted with key {wanted}, and the key that was given is {given}")]
    OtherKey {
        /// Fingerprint of its key.
        wanted: String,
        /// Fingerprint of the key at hand.
        given: String,
    },
    /// Its end is missing.
    #[error("the backup is truncated: it ends after {bytes} bytes without its end mark")]
    Truncated {
        /// Bytes that there are.
        bytes: u64,
    },
    /// Something in it is not what was written.
    #[error("the backup was changed after it was written: {part} does not match its seal")]
    Tampered {
        /// Which part.
        part: String,
    },
    /// Authentic, but not what the format says: a fault of the program that wrote it.
    #[error("the backup is malformed: {0}")]
    Malformed(&'static str),
    /// An entry that is larger than the format takes.
    #[error("a key or value of {bytes} bytes is too large for a backup")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The compression library failed.
    #[error("failed to compress or decompress")]
    Compression(#[source] std::io::Error),
    /// The cryptography library failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}
