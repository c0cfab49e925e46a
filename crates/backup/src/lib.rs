//! Backups of tenants: the format of an archive, and where archives are kept.
//!
//! - [`Key`]: what an archive is encrypted with;
//! - [`Writer`] and [`Reader`]: entries to bytes and back, without any I/O;
//! - [`Target`]: a directory or an S3 bucket.
//!
//! # The format
//!
//! ```text
//! magic 16 │ length 4 │ header (JSON, readable) │ MAC of all before 32 │ chunk … chunk │ end mark 16
//! ```
//!
//! The header's MAC and the chunks have keys of their own, derived (HKDF-SHA256) from the user's key and
//! the archive's salt. Chunks are 64 KiB of a zstd stream, sealed with AES-256-GCM; a chunk's nonce is its
//! number and whether it is the last one (the STREAM construction), so that none can be left out,
//! exchanged or repeated. The stream holds the entries in the order of their keys, then how many there are.
//!
//! Knows neither stores nor custom resources.

mod archive;
mod key;
mod target;

pub use archive::{Entry, Error, FORMAT, Facts, Header, Reader, Totals, Writer};
pub use key::{Key, KeyError};
pub use target::{Download, S3Settings, Target, TargetError, Upload};
