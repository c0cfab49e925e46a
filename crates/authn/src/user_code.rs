//! What a person types to let a device in (RFC 8628, section 6.1): eight consonants, so that no words come out.

use aws_lc_rs::rand;

use crate::LibraryError;

const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
/// Letters before the dash.
const HALF: usize = 4;
/// Random bytes from here on are drawn again, or some letters would come more often.
const EVEN: u8 = 240;

/// A code such as `BCDF-GHJK`: 34 bit, for where guessing is slowed down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new() -> Result<Self, LibraryError> {
        let mut letters = String::with_capacity(LENGTH);
        while letters.len() < LENGTH {
            let mut bytes = [0; LENGTH];
            rand::fill(&mut bytes).map_err(|_| LibraryError)?;
            let drawn = bytes.into_iter().filter(|byte| *byte < EVEN);
            let drawn = drawn.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
            letters.extend(drawn.take(LENGTH - letters.len()));
        }
        Ok(Self::of(&letters))
    }

    /// Reads what somebody typed; case, dashes and spaces do not count.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let letters = text.chars().filter(|letter| *letter != '-' && *letter != ' ').take(LENGTH + 1);
        let letters: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
        let is_code = letters.len() == LENGTH && letters.bytes().all(|letter| LETTERS.contains(&letter));
        is_code.then(|| Self::of(&letters))
    }

    fn of(letters: &str) -> Self {
        let (first, second) = letters.split_at(HALF);
        Self(format!("{first}-{second}"))
    }

    /// As it is shown and kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::UserCode;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for _ in 0..64 {
            let code = UserCode::new().unwrap();
            assert_eq!(UserCode::read(code.as_str()).as_ref(), Some(&code));
            assert_eq!(UserCode::read(&code.as_str().to_lowercase().replace('-', " ")), Some(code));
        }
        assert_ne!(UserCode::new().unwrap(), UserCode::new().unwrap());
    }

    #[test]
    fn what_is_no_code_is_not_read() {
        for text in ["", "BCDF-GHJ", "BCDF-GHJKL", "ABCD-EFGH", "BCDF-GHJ1", "BCDF_GHJK", "ÄÄÄÄ"] {
            assert_eq!(UserCode::read(text), None, "{text}");
        }
    }
}
