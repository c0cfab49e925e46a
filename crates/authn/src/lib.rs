//! Who somebody is: passwords, second factors, bearer tokens, and what slows down guessing.
//!
//! Nothing here keeps state or reads the clock: what is known comes in, what is to be kept goes out. Secrets are
//! wiped when they are dropped, compared in constant time, and have no text in `Debug`.

mod guessing;
mod identity;
mod password;
mod token;
mod totp;

pub use guessing::{Attempts, Patience};
pub use identity::{Identity, Issuer, KeyError, Refusal, Verifier};
pub use password::{HashedPassword, PasswordError, WeakPassword, check};
pub use token::{Digest, Kind, Minted, Presented};
pub use totp::{Code, Enrolment};

/// The random source or the hash failed, which a working system never sees.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic library failed")]
pub struct LibraryError;
