//! Texts that others keep for the hub and neither read nor change: what a browser carries through a sign-in, refresh
//! tokens in the database. AES-256 in GCM.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::LibraryError;

/// Seals and opens with one key.
pub struct Sealer {
    key: RandomizedNonceKey,
}

impl Sealer {
    /// One with a random key of 256 bits.
    ///
    /// # Errors
    /// If the key has another length.
    pub fn new(key: &[u8]) -> Result<Self, LibraryError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| LibraryError)?;
        Ok(Self { key })
    }

    /// Seals a text. It opens for the same purpose only.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn seal(&self, purpose: &str, text: &str) -> Result<String, LibraryError> {
        let mut bytes = text.as_bytes().to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let nonce = self.key.seal_in_place_append_tag(aad, &mut bytes).map_err(|_| LibraryError)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut bytes);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what was sealed for a purpose; nothing if it was not sealed so, or was changed.
    #[must_use]
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Zeroizing<String>> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let text = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut bytes).ok()?;
        std::str::from_utf8(text).ok().map(|text| Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sealer(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Sealer;

    #[test]
    fn what_was_changed_or_is_for_another_purpose_does_not_open() {
        let key = Sealer::new(&[7; 32]).unwrap();
        let sealed = key.seal("flow", "a text").unwrap();
        assert_eq!(key.open("flow", &sealed).unwrap().as_str(), "a text");
        assert!(key.open("refresh", &sealed).is_none());
        assert!(Sealer::new(&[8; 32]).unwrap().open("flow", &sealed).is_none());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert!(key.open("flow", std::str::from_utf8(&changed).unwrap()).is_none(), "{place}");
        }
        for text in ["", "a", &sealed[..20], "%%%"] {
            assert!(key.open("flow", text).is_none(), "{text}");
        }
        assert!(Sealer::new(&[7; 16]).is_err());
    }

    #[test]
    fn one_text_is_sealed_differently_each_time() {
        let key = Sealer::new(&[7; 32]).unwrap();
        assert_ne!(key.seal("flow", "a").unwrap(), key.seal("flow", "a").unwrap());
    }
}
