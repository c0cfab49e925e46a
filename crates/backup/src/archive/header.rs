//! What stands readable at the beginning of an archive.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::Key;

/// The format that is written.
pub const FORMAT: u32 = 1;
/// First bytes of an archive.
pub(super) const MAGIC: [u8; 16] = *b"flotilla-backup\n";
/// Last bytes of an archive.
pub(super) const END: [u8; 16] = *b"\nend-of-backup\n\0";
/// Bytes of the header's MAC.
pub(super) const MAC_BYTES: usize = 32;
/// Longest header that is read.
pub(super) const LONGEST: usize = 64 << 10;
const SALT_BYTES: usize = 32;

/// What is known of a backup when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Namespace of the control plane.
    pub namespace: String,
    /// Name of the control plane.
    pub name: String,
    /// UID of the control plane.
    pub uid: String,
    /// Version of Kubernetes that wrote the objects.
    pub kubernetes_version: String,
    /// Kind of the store.
    pub driver: String,
    /// The store's revision at the moment that the backup shows.
    pub revision: i64,
    /// When that was.
    pub taken_at: Timestamp,
    /// Version of the program that wrote the archive.
    pub written_by: String,
}

/// What stands at the beginning of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Fingerprint of the key.
    pub key: String,
    /// Makes the archive's own keys, base64.
    salt: String,
    /// What is backed up.
    #[serde(flatten)]
    pub facts: Facts,
}

impl Header {
    pub(super) fn new(facts: Facts, key: &Key) -> Result<Self, Error> {
        let mut salt = [0; SALT_BYTES];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| crate::KeyError::Library)?;
        Ok(Self { format: FORMAT, key: key.fingerprint()?, salt: STANDARD.encode(salt), facts })
    }

    /// Magic, length, text and MAC.
    pub(super) fn write(&self, key: &Key) -> Result<Vec<u8>, Error> {
        let text = serde_json::to_vec(self).map_err(|_| Error::Malformed("the header"))?;
        let length = u32::try_from(text.len()).map_err(|_| Error::TooLarge { bytes: text.len() })?;
        let mut bytes = [MAGIC.as_slice(), &length.to_be_bytes(), &text].concat();
        let mac = hmac::sign(&self.mac_key(key)?, &bytes);
        bytes.extend_from_slice(mac.as_ref());
        Ok(bytes)
    }

    /// Reads the header from the beginning of an archive, and says how long it is with its MAC; none while
    /// bytes are missing.
    pub(super) fn read(bytes: &[u8], key: &Key) -> Result<Option<(Self, usize)>, Error> {
        let known = bytes.len().min(MAGIC.len());
        if bytes.get(..known) != MAGIC.get(..known) {
            return Err(Error::Foreign);
        }
        let Some((prefix, rest)) = bytes.split_at_checked(MAGIC.len() + 4) else { return Ok(None) };
        let length = prefix.last_chunk().map_or(0, |length| u32::from_be_bytes(*length));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(Error::Tampered { part: "the header".to_owned() });
        }
        let Some(text) = rest.get(..length) else { return Ok(None) };
        let Some(mac) = rest.get(length..length + MAC_BYTES) else { return Ok(None) };
        let tampered = || Error::Tampered { part: "the header".to_owned() };
        let format: Format = serde_json::from_slice(text).map_err(|_| tampered())?;
        if format.format > FORMAT {
            return Err(Error::Newer { found: format.format });
        }
        let header: Self = serde_json::from_slice(text).map_err(|_| tampered())?;
        let given = key.fingerprint()?;
        if header.key != given {
            return Err(Error::OtherKey { wanted: header.key, given });
        }
        let signed = bytes.get(..prefix.len() + length).unwrap_or_default();
        hmac::verify(&header.mac_key(key)?, signed, mac).map_err(|_| tampered())?;
        Ok(Some((header, prefix.len() + length + MAC_BYTES)))
    }

    pub(super) fn salt(&self) -> Result<Vec<u8>, Error> {
        STANDARD.decode(&self.salt).map_err(|_| Error::Tampered { part: "the header".to_owned() })
    }

    fn mac_key(&self, key: &Key) -> Result<hmac::Key, Error> {
        let derived = key.derive(&self.salt()?, b"flotilla backup header v1")?;
        Ok(hmac::Key::new(HMAC_SHA256, derived.as_slice()))
    }
}

/// What is read of any format.
#[derive(Deserialize)]
struct Format {
    format: u32,
}
