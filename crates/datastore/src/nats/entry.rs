//! What kine keeps under a key: JSON, compressed, with the value in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::s2;
use crate::{Cause, Error};

/// One version of a key, by kine's names of its fields.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    #[serde(rename = "KV")]
    entry: Option<Entry>,
    prev_revision: i64,
    create: bool,
    delete: bool,
}

/// Revisions of 0 are those of the message that holds the entry.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    value: Option<String>,
    version: i64,
    create_revision: i64,
    mod_revision: i64,
    lease: i64,
}

/// A value and how long it lasts from when it was written, in seconds; 0 for ever.
pub(super) struct Kept {
    pub(super) value: Vec<u8>,
    pub(super) lease: u64,
}

/// What stands under `key`, as kine would write it when it is made.
pub(super) fn made(key: &str, kept: &Kept) -> Result<Vec<u8>, Error> {
    let lease = kept.lease.try_into().unwrap_or(i64::MAX);
    encode(key, Some(STANDARD.encode(&kept.value)), lease, false)
}

/// What stands under `key`, as kine would write it before it marks the key as deleted.
pub(super) fn removed(key: &str) -> Result<Vec<u8>, Error> {
    encode(key, None, 0, true)
}

fn encode(key: &str, value: Option<String>, lease: i64, delete: bool) -> Result<Vec<u8>, Error> {
    let entry = Entry { key: key.to_owned(), value, lease, ..Entry::default() };
    let version = Version { entry: Some(entry), prev_revision: 0, create: !delete, delete };
    let written = serde_json::to_vec(&version).map_err(std::io::Error::from);
    written.and_then(|json| s2::compress(&json)).map_err(|error| unreadable(key, &error.to_string()))
}

/// What a message of kine says of its key; none if the key is gone.
pub(super) fn decode(key: &str, message: &[u8]) -> Result<Option<Kept>, Error> {
    let json = s2::decompress(message).ok_or_else(|| unreadable(key, "its compression is damaged"))?;
    let version: Version =
        serde_json::from_slice(&json).map_err(|error| unreadable(key, &error.to_string()))?;
    let Some(entry) = version.entry.filter(|_| !version.delete) else { return Ok(None) };
    let value = STANDARD.decode(entry.value.unwrap_or_default());
    let value = value.map_err(|error| unreadable(key, &error.to_string()))?;
    Ok(Some(Kept { value, lease: entry.lease.try_into().unwrap_or(0) }))
}

fn unreadable(key: &str, reason: &str) -> Error {
    let message = format!("the entry `{key}` is not as kine writes it: {reason}");
    Error::Refused { action: "read the tenant's bucket", source: Cause::new(&message, None) }
}

#[cfg(test)]
mod tests {
    use super::{Kept, decode, made, removed};
    use crate::nats::s2;

    #[test]
    fn an_entry_has_the_fields_that_kine_reads() {
        let written = made("/registry/a", &Kept { value: b"value".into(), lease: 60 }).unwrap();
        let json = String::from_utf8(s2::decompress(&written).unwrap()).unwrap();
        assert_eq!(
            json,
            r#"{"KV":{"Key":"/registry/a","Value":"dmFsdWU=","Version":0,"CreateRevision":0,"ModRevision":0,"Lease":60},"PrevRevision":0,"Create":true,"Delete":false}"#
        );
        let read = decode("a", &written).unwrap().unwrap();
        assert_eq!((read.value.as_slice(), read.lease), (b"value".as_slice(), 60));
    }

    #[test]
    fn a_key_that_was_deleted_holds_nothing() {
        assert!(decode("a", &removed("/registry/a").unwrap()).unwrap().is_none());
    }

    #[test]
    fn what_is_not_of_kine_is_named() {
        let error = decode("pods/a", b"plain").err().map(|error| format!("{error:?}")).unwrap_or_default();
        assert!(error.contains("pods/a"), "{error}");
    }
}
