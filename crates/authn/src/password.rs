//! Passwords of local users: argon2id, and the few rules that help (NIST SP 800-63B, section 3.1.1).

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::{constant_time, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// Shortest password, in characters.
const SHORTEST: usize = 12;
/// Longest password, in bytes: a longer one only costs time.
const LONGEST: usize = 1024;
/// Memory in KiB, passes and lanes: OWASP's first recommendation, about 25 ms here.
const COST: Cost = Cost { memory: 19 * 1024, passes: 2, lanes: 1 };
/// What is kept may cost this much at most: a text from elsewhere must not exhaust the machine.
const HIGHEST_COST: Cost = Cost { memory: 256 * 1024, passes: 16, lanes: 16 };
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
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
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt).map_err(|_| PasswordError::Library)?;
        let hash = COST.hash(password, &salt)?;
        let [salt, hash] = [&salt[..], hash.as_slice()].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        let Cost { memory, passes, lanes } = COST;
        Ok(Self(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")))
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
        let (cost, salt, kept) = read(&self.0).ok_or(PasswordError::Kept)?;
        let hash = cost.hash(password, &salt)?;
        Ok(constant_time::verify_slices_are_equal(hash.as_slice(), &kept).is_ok())
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

/// What a hash costs: memory in KiB, passes, lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn hash(self, password: &str, salt: &[u8]) -> Result<Zeroizing<[u8; HASH_BYTES]>, PasswordError> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(HASH_BYTES));
        let params = params.map_err(|_| PasswordError::Kept)?;
        let mut blocks = vec![Block::default(); params.block_count()];
        let mut hash = Zeroizing::new([0; HASH_BYTES]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password.as_bytes(), salt, hash.as_mut_slice(), &mut blocks)
            .map_err(|_| PasswordError::Library)?;
        Ok(hash)
    }
}

/// Cost, salt and hash of a PHC string.
fn read(text: &str) -> Option<(Cost, Vec<u8>, Vec<u8>)> {
    let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
    let (cost, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers = cost.split(',');
    let mut number = |name: &str| numbers.next()?.strip_prefix(name)?.strip_prefix('=')?.parse::<u32>().ok();
    let cost = Cost { memory: number("m")?, passes: number("t")?, lanes: number("p")? };
    let is_bearable = cost.memory <= HIGHEST_COST.memory
        && cost.passes <= HIGHEST_COST.passes
        && cost.lanes <= HIGHEST_COST.lanes;
    let decode = |text: &str| STANDARD_NO_PAD.decode(text).ok();
    let (salt, hash) = (decode(salt)?, decode(hash)?);
    (is_bearable && parts.next().is_none() && hash.len() == HASH_BYTES).then_some((cost, salt, hash))
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

    /// Made by the reference implementation: `argon2 somesalt -id -t 2 -m 16 -p 1` of `password`.
    #[test]
    fn hashes_of_other_programs_are_read() {
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(HashedPassword::kept(kept).is("password").unwrap());
        assert!(!HashedPassword::kept(kept).is("passwort").unwrap());
    }

    #[test]
    fn a_kept_text_cannot_exhaust_the_machine() {
        let costly =
            "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(HashedPassword::kept(costly).is("password").is_err());
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
