//! Codes for whoever has lost the second factor: random, each good once, kept as digests.

use aws_lc_rs::{constant_time, digest, rand};
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::{Digest, LibraryError};

/// Random bytes of a code: 80 bit, so that one fast hash suffices.
const BYTES: usize = 10;
/// Letters between dashes.
const GROUP: usize = 4;

/// A code for when the second factor is lost. Its text is shown once.
pub struct RecoveryCode {
    /// What is kept.
    pub digest: Digest,
    /// Sixteen letters and digits in groups of four.
    pub text: Zeroizing<String>,
}

impl RecoveryCode {
    /// Makes one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new() -> Result<Self, LibraryError> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| LibraryError)?;
        let plain = Zeroizing::new(BASE32_NOPAD.encode(bytes.as_slice()).to_lowercase());
        let mut text = Zeroizing::new(String::with_capacity(BYTES * 2));
        for (place, letter) in plain.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        Ok(Self { digest: digest_of(&plain), text })
    }

    /// Which of the codes that were kept somebody shows. Case, dashes and spaces do not count; every one is looked at,
    /// whatever the answer.
    #[must_use]
    pub fn find(shown: &str, kept: &[Digest]) -> Option<usize> {
        let plain: Zeroizing<String> = Zeroizing::new(
            shown
                .chars()
                .filter(|letter| *letter != '-' && *letter != ' ')
                .map(|letter| letter.to_ascii_lowercase())
                .take(BYTES * 2)
                .collect(),
        );
        let digest = digest_of(&plain);
        let is = |kept: &Digest| constant_time::verify_slices_are_equal(&kept.0, &digest.0).is_ok();
        kept.iter().enumerate().fold(None, |found, (place, kept)| if is(kept) { Some(place) } else { found })
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RecoveryCode")
    }
}

fn digest_of(plain: &str) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"recovery\0");
    context.update(plain.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    Digest(bytes)
}

#[cfg(test)]
mod tests {
    use super::RecoveryCode;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        let codes: Vec<RecoveryCode> = (0..10).map(|_| RecoveryCode::new().unwrap()).collect();
        let kept: Vec<_> = codes.iter().map(|code| code.digest).collect();
        for (place, code) in codes.iter().enumerate() {
            assert_eq!(code.text.len(), 19, "{}", *code.text);
            assert_eq!(RecoveryCode::find(&code.text, &kept), Some(place));
            assert_eq!(RecoveryCode::find(&code.text.to_uppercase().replace('-', " "), &kept), Some(place));
        }
    }

    #[test]
    fn what_is_no_code_is_not_found() {
        let code = RecoveryCode::new().unwrap();
        let longer = format!("{}aaaaaaaa", *code.text);
        for wrong in ["", "123456", "aaaa-aaaa-aaaa-aaaa", &code.text[1..], &longer] {
            assert_eq!(RecoveryCode::find(wrong, &[code.digest]), None, "{wrong}");
        }
        assert_eq!(RecoveryCode::find(&code.text, &[]), None);
    }
}
