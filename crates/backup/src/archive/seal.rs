//! Chunks: encrypted, authenticated, and fixed in their order (STREAM).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{Error, Header};
use crate::{Key, KeyError};

/// Plain bytes of every chunk but the last one.
pub(super) const CHUNK: usize = 64 << 10;
/// Bytes of a full chunk once it is sealed.
pub(super) const SEALED: usize = CHUNK + 16;

/// Seals or opens the chunks of one archive, one after the other.
pub(super) struct Chunks {
    key: LessSafeKey,
    next: u64,
}

impl Chunks {
    pub(super) fn of(header: &Header, key: &Key) -> Result<Self, Error> {
        let derived = key.derive(&header.salt()?, b"flotilla backup payload v1")?;
        let key = UnboundKey::new(&AES_256_GCM, derived.as_slice()).map_err(|_| KeyError::Library)?;
        Ok(Self { key: LessSafeKey::new(key), next: 0 })
    }

    /// Appends the sealed form of `plain` to `out`.
    pub(super) fn seal(&mut self, plain: &[u8], is_last: bool, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut chunk = plain.to_vec();
        let nonce = self.nonce(is_last);
        let sealed = self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut chunk);
        sealed.map_err(|_| KeyError::Library)?;
        out.extend_from_slice(&chunk);
        Ok(())
    }

    /// Opens the next chunk in place.
    pub(super) fn open<'a>(&mut self, chunk: &'a mut [u8], is_last: bool) -> Result<&'a [u8], Error> {
        let number = self.next;
        let nonce = self.nonce(is_last);
        match self.key.open_in_place(nonce, Aad::empty(), chunk) {
            Ok(plain) => Ok(plain),
            Err(_) => Err(Error::Tampered { part: format!("chunk {number}") }),
        }
    }

    /// The number of the chunk, and a last byte that is 1 for the last one.
    fn nonce(&mut self, is_last: bool) -> Nonce {
        let mut bytes = [0; NONCE_LEN];
        let (number, flag) = bytes.split_at_mut(NONCE_LEN - 1);
        let zeros = number.len() - 8;
        number[zeros..].copy_from_slice(&self.next.to_be_bytes());
        flag[0] = u8::from(is_last);
        self.next += 1;
        Nonce::assume_unique_for_key(bytes)
    }
}
