//! What archives are encrypted with.

use std::fmt::Write as _;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 8;

/// A text that is no key. The text itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither 32 bytes nor base64 of 32 bytes.
    #[error(
        "a backup key is 32 bytes in base64, 44 characters; make one with `openssl rand -base64 32` \
         (this one has {length})"
    )]
    Malformed {
        /// Characters that it has.
        length: usize,
    },
    /// The system gave no random bytes, or the cryptography library refused.
    #[error("no key could be made: the system's random source or the cryptography library failed")]
    Library,
}

/// A key of 256 bits. The `Debug` form shows its fingerprint only.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    /// A new random key.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| KeyError::Library)?;
        Ok(Self(bytes))
    }

    /// Reads a key as it stands in a Secret: 32 bytes, or their base64 with or without a line end.
    pub fn read(text: &[u8]) -> Result<Self, KeyError> {
        if let Ok(bytes) = <[u8; KEY_BYTES]>::try_from(text) {
            return Ok(Self(Zeroizing::new(bytes)));
        }
        let malformed = KeyError::Malformed { length: text.len() };
        let decoded =
            STANDARD.decode(text.trim_ascii()).map(Zeroizing::new).map_err(|_| malformed.clone())?;
        decoded.as_slice().try_into().map(|bytes| Self(Zeroizing::new(bytes))).map_err(|_| malformed)
    }

    /// The key as base64.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Names the key without telling anything of it: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> Result<String, KeyError> {
        let derived = self.derive(&[], b"flotilla backup key fingerprint v1")?;
        Ok(derived.iter().take(FINGERPRINT_BYTES).fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }

    /// A key for one purpose (HKDF-SHA256).
    pub(crate) fn derive(&self, salt: &[u8], purpose: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyError> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        let extracted = Salt::new(HKDF_SHA256, salt).extract(self.0.as_slice());
        let purposes = [purpose];
        let expanded = extracted.expand(&purposes, HKDF_SHA256).map_err(|_| KeyError::Library)?;
        expanded.fill(derived.as_mut_slice()).map_err(|_| KeyError::Library)?;
        Ok(derived)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Key({})", self.fingerprint().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn a_key_is_read_back_from_its_text_with_a_line_end() {
        let key = Key::generate().unwrap();
        let text = format!("{}\n", *key.expose_text());
        assert_eq!(Key::read(text.as_bytes()).unwrap(), key);
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for text in ["", "secret", "c2VjcmV0"] {
            let error = Key::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("openssl rand"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn the_debug_form_hides_the_key() {
        let key = Key::generate().unwrap();
        assert!(!format!("{key:?}").contains(key.expose_text().as_str()));
    }
}
