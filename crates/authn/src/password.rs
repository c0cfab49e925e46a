//! Passwords of local users: argon2id, and the few rules that help (NIST SP 800-63B, section 3.1.1).

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;

/// Shortest password, in characters.
const SHORTEST: usize = 12;
/// Longest password, in bytes: a longer one only costs time.
const LONGEST: usize = 1024;
/// Memory in KiB, passes and lanes: OWASP's first recommendation, about 25 ms here.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Roots of what people choose most; a password that is one of them with a few letters around is refused.
const COMMON: [&str; 12] = [
    "password",
    "passwort",
    "qwertyuiop",
    "1234567890",
    "letmein",
    "welcome",
    "iloveyou",
    "administrator",
    "kubernetes",
    "flotilla",
    "changeme",
    "abcdefgh",
];

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is too short.
    #[error("the password has fewer than {SHORTEST} characters; a sentence of a few words is a good one")]
    Short,
    /// It is too long.
    #[error("the password has more than {LONGEST} bytes")]
    Long,
    /// It is easily guessed.
    #[error(
        "the password is little more than a common word or the user's name; choose a few unrelated words"
    )]
    Common,
}

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// What was kept is no hash.
    #[error("what is kept of the password cannot be read; set a new one")]
    Kept,
    /// The library failed.
    #[error("the password could not be hashed")]
    Library,
}

/// Whether a password is one that we take.
///
/// # Errors
/// What is wrong with it.
pub fn check(password: &str, user: &str) -> Result<(), WeakPassword> {
    if password.chars().count() < SHORTEST {
        return Err(WeakPassword::Short);
    }
    if password.len() > LONGEST {
        return Err(WeakPassword::Long);
    }
    let lower = password.to_lowercase();
    let user = user.to_lowercase();
    let is_mostly = |word: &str| !word.is_empty() && lower.contains(word) && lower.len() < word.len() + 8;
    let repeats = lower.chars().collect::<std::collections::BTreeSet<_>>().len() < 5;
    if repeats || is_mostly(&user) || COMMON.into_iter().any(is_mostly) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// What is kept of a password: a PHC string with its salt and cost.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(String);

impl HashedPassword {
    /// Hashes a password. Takes some 25 ms and 19 MiB: not for a thread that serves others.
    ///
    /// # Errors
    /// If the system has no randomness or memory.
    pub fn new(password: &str) -> Result<Self, PasswordError> {
        let mut salt = [0; 16];
        rand::fill(&mut salt).map_err(|_| PasswordError::Library)?;
        let salt = SaltString::encode_b64(&salt).map_err(|_| PasswordError::Library)?;
        let hash = hasher()?.hash_password(password.as_bytes(), &salt);
        Ok(Self(hash.map_err(|_| PasswordError::Library)?.to_string()))
    }

    /// One that was kept.
    #[must_use]
    pub fn kept(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What is to be kept.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is that of a password. Takes as long as [`Self::new`].
    ///
    /// # Errors
    /// If what was kept is no hash.
    pub fn is(&self, password: &str) -> Result<bool, PasswordError> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let kept = PasswordHash::new(&self.0).map_err(|_| PasswordError::Kept)?;
        match hasher()?.verify_password(password.as_bytes(), &kept) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::Password) => Ok(false),
            Err(_) => Err(PasswordError::Kept),
        }
    }

    /// Takes as long as a look at a real one, for names that nobody has: the answer must not come sooner.
    pub fn pretend(password: &str) {
        let _ = Self::new(&password[..password.floor_char_boundary(LONGEST)]);
    }
}

impl std::fmt::Debug for HashedPassword {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("HashedPassword")
    }
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|_| PasswordError::Library)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::{HashedPassword, WeakPassword, check};

    #[test]
    fn a_password_is_known_by_its_hash_only() {
        let hash = HashedPassword::new("correct horse battery").unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
        let kept = HashedPassword::kept(hash.expose());
        assert!(kept.is("correct horse battery").unwrap());
        assert!(!kept.is("correct horse battery ").unwrap());
        assert_ne!(hash, HashedPassword::new("correct horse battery").unwrap());
        assert!(HashedPassword::kept("plain").is("plain").is_err());
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        for (password, weakness) in [
            ("short", WeakPassword::Short),
            ("Password1234", WeakPassword::Common),
            ("aaaabbbbaaaabbbb", WeakPassword::Common),
            ("olga.smith-2026", WeakPassword::Common),
            (&"long ".repeat(300), WeakPassword::Long),
        ] {
            assert_eq!(check(password, "olga.smith"), Err(weakness), "{password}");
        }
        assert_eq!(check("correct horse battery", "olga.smith"), Ok(()));
    }
}
