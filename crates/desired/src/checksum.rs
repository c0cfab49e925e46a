//! Checksums as Kamaji computes them, so that taking over its objects changes none.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use md5::{Digest, Md5};

/// MD5, in hex, of the values in the order of their keys; the keys do not count.
#[must_use]
pub fn checksum(data: &BTreeMap<String, ByteString>) -> String {
    hex(data.values().map(|value| value.0.as_slice()))
}

/// Checksum of a Secret's data.
pub(crate) fn of_secret(secret: &Secret) -> String {
    secret.data.as_ref().map(checksum).unwrap_or_default()
}

/// Checksum of a ConfigMap's data.
pub(crate) fn of_texts(data: &BTreeMap<String, String>) -> String {
    hex(data.values().map(String::as_bytes))
}

/// MD5, in hex, of flags with a NUL after each.
pub(crate) fn of_flags(flags: &[String]) -> String {
    hex(flags.iter().flat_map(|flag| [flag.as_bytes(), b"\0"]))
}

/// MD5, in hex, of a text.
pub(crate) fn of_text(text: &str) -> String {
    hex(std::iter::once(text.as_bytes()))
}

fn hex<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut digest = Md5::new();
    parts.for_each(|part| digest.update(part));
    digest.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
