//! Who somebody is: passwords, second factors, passkeys, identity providers, bearer tokens, and what slows down
//! guessing.
//!
//! Nothing here keeps state or reads the clock: what is known comes in, what is to be kept goes out. Only
//! [`OidcProvider`] and [`LdapDirectory`] ask somebody else. Secrets are
//! wiped when they are dropped, compared in constant time, and have no text in `Debug`.

mod freshness;
mod guessing;
mod identity;
mod ldap;
mod oidc;
mod passkey;
mod password;
mod provider;
mod recovery;
mod sealed;
mod token;
mod totp;
mod user_code;

pub use freshness::Freshness;
pub use guessing::{Attempts, Patience};
pub use identity::{Identity, Issuer, KeyError, Refusal, Verifier};
pub use ldap::{LdapDirectory, LdapSettings};
pub use oidc::{OidcFlow, OidcProvider, OidcSettings, SignedIn};
pub use passkey::{ALGORITHMS, Ceremony, ClientData, Passkey, PasskeyRefusal, RelyingParty, challenge};
pub use password::{HashedPassword, PasswordError, WeakPassword, check};
pub use provider::{ProviderError, Vouched};
pub use recovery::RecoveryCode;
pub use sealed::Sealer;
pub use token::{Digest, Kind, Minted, Presented};
pub use totp::{Code, Enrolment};
pub use user_code::UserCode;

/// The random source or the hash failed, which a working system never sees.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic library failed")]
pub struct LibraryError;
