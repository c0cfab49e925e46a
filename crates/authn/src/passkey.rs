//! Passkeys (Web Authentication, level 3): what a browser answers, checked as a relying party must (7.1, 7.2).
//!
//! Nothing is asked of who made an authenticator, so its statement is not read: the browser gives the public key by
//! itself. The authenticator must have verified its user. Challenges and counts are the caller's: a challenge is good
//! once, a count never goes back.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::LibraryError;

/// Algorithms that are taken, by their number in COSE: ES256, `EdDSA`, RS256.
pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];
/// Longest part of an answer that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;
/// Longest id of a credential, in bytes.
const LONGEST_ID: usize = 1023;
const CHALLENGE_BYTES: usize = 32;

/// Bits of the authenticator's flags.
mod flag {
    pub(super) const PRESENT: u8 = 0x01;
    pub(super) const VERIFIED: u8 = 0x04;
    pub(super) const MAY_BE_COPIED: u8 = 0x08;
    pub(super) const IS_COPIED: u8 = 0x10;
    pub(super) const HAS_CREDENTIAL: u8 = 0x40;
}

/// Why an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyRefusal {
    /// It has not the form of one.
    #[error("the authenticator's answer cannot be read")]
    Unreadable,
    /// It answers something else.
    #[error("the authenticator answered something else than it was asked")]
    Mistaken,
    /// A page of another site asked.
    #[error("the passkey was asked for by another site")]
    Foreign,
    /// Nobody touched it, or it did not verify who did.
    #[error("the authenticator has not verified its user; set a PIN or a fingerprint for it")]
    Unverified,
    /// We do not take its kind of key.
    #[error("the authenticator's kind of key is not taken; use one that makes ES256, EdDSA or RS256 keys")]
    Algorithm,
    /// Somebody else signed.
    #[error("the signature is wrong")]
    Signature,
}

/// A new challenge.
///
/// # Errors
/// If the system has no randomness.
pub fn challenge() -> Result<String, LibraryError> {
    let mut bytes = [0; CHALLENGE_BYTES];
    rand::fill(&mut bytes).map_err(|_| LibraryError)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is asked of an authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// A new passkey.
    Add,
    /// A signature with one that it has.
    SignIn,
}

/// What a browser says of an answer: for which page, and to which challenge.
#[derive(Debug)]
pub struct ClientData<'a> {
    bytes: &'a [u8],
    said: Said,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

impl<'a> ClientData<'a> {
    /// Reads `clientDataJSON`.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PasskeyRefusal> {
        let said = Some(bytes).filter(|bytes| bytes.len() <= LONGEST);
        let said = said.and_then(|bytes| serde_json::from_slice(bytes).ok());
        Ok(Self { bytes, said: said.ok_or(PasskeyRefusal::Unreadable)? })
    }

    /// Which challenge is answered. The caller has to know it, and to forget it then.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.said.challenge
    }
}

/// What an authenticator says beside its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AuthenticatorData<'a> {
    relying_party: &'a [u8],
    flags: u8,
    counter: u32,
    /// Id of the credential that was made.
    credential: Option<&'a [u8]>,
}

impl<'a> AuthenticatorData<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (relying_party, rest) = bytes.split_at_checked(32)?;
        let (flags, rest) = rest.split_first()?;
        let (counter, rest) = rest.split_first_chunk::<4>()?;
        let credential = if flags & flag::HAS_CREDENTIAL == 0 {
            None
        } else {
            // The model of the authenticator is of no interest.
            let (_, rest) = rest.split_at_checked(16)?;
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (id, _) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
            Some(id)
        };
        Some(Self { relying_party, flags: *flags, counter: u32::from_be_bytes(*counter), credential })
    }
}

/// A public key of somebody's authenticator, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Id of the credential, URL-safe base 64.
    pub id: String,
    /// Number of the algorithm in COSE.
    pub algorithm: i64,
    /// `SubjectPublicKeyInfo`, DER.
    pub public_key: Vec<u8>,
}

/// Who asks authenticators: a domain and the origin of its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
}

impl RelyingParty {
    /// The one of an origin `https://host[:port]`; nothing if its host is no domain name, for which browsers make no
    /// passkeys.
    #[must_use]
    pub fn new(origin: &str) -> Option<Self> {
        let authority = origin.strip_prefix("https://")?;
        let host = authority.split_once(':').map_or(authority, |(host, _)| host);
        let is_domain = !host.is_empty()
            && host.parse::<std::net::Ipv4Addr>().is_err()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        is_domain.then(|| Self { id: host.to_ascii_lowercase(), origin: origin.to_owned() })
    }

    /// The domain.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What an authenticator keeps instead of a user's name, URL-safe base 64. The same for the same name.
    #[must_use]
    pub fn handle(&self, user: &str) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [self.id.as_bytes(), b"\0", user.as_bytes()] {
            context.update(part);
        }
        URL_SAFE_NO_PAD.encode(context.finish())
    }

    /// Takes a new passkey, with the count of its signatures. `public_key` is what the browser read from the answer.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn add(
        &self,
        client: &ClientData<'_>,
        authenticator: &[u8],
        algorithm: i64,
        public_key: &[u8],
    ) -> Result<(Passkey, u32), PasskeyRefusal> {
        let data = self.check(Ceremony::Add, client, authenticator)?;
        let id = data.credential.filter(|id| (1..=LONGEST_ID).contains(&id.len()));
        let id = URL_SAFE_NO_PAD.encode(id.ok_or(PasskeyRefusal::Unreadable)?);
        let passkey = Passkey { id, algorithm, public_key: public_key.to_owned() };
        passkey.key()?;
        Ok((passkey, data.counter))
    }

    /// Verifies what a passkey signed, and answers the count of its signatures.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn verify(
        &self,
        passkey: &Passkey,
        client: &ClientData<'_>,
        authenticator: &[u8],
        signature: &[u8],
    ) -> Result<u32, PasskeyRefusal> {
        let data = self.check(Ceremony::SignIn, client, authenticator)?;
        let hash = digest::digest(&digest::SHA256, client.bytes);
        let signed = [authenticator, hash.as_ref()].concat();
        passkey.key()?.verify_sig(&signed, signature).map_err(|_| PasskeyRefusal::Signature)?;
        Ok(data.counter)
    }

    /// What both ceremonies have in common.
    fn check<'b>(
        &self,
        ceremony: Ceremony,
        client: &ClientData<'_>,
        authenticator: &'b [u8],
    ) -> Result<AuthenticatorData<'b>, PasskeyRefusal> {
        let expected = match ceremony {
            Ceremony::Add => "webauthn.create",
            Ceremony::SignIn => "webauthn.get",
        };
        if client.said.r#type != expected {
            return Err(PasskeyRefusal::Mistaken);
        }
        if client.said.origin != self.origin || client.said.cross_origin {
            return Err(PasskeyRefusal::Foreign);
        }
        let data = Some(authenticator).filter(|bytes| bytes.len() <= LONGEST);
        let data = data.and_then(AuthenticatorData::read).ok_or(PasskeyRefusal::Unreadable)?;
        let own = digest::digest(&digest::SHA256, self.id.as_bytes());
        if constant_time::verify_slices_are_equal(data.relying_party, own.as_ref()).is_err() {
            return Err(PasskeyRefusal::Foreign);
        }
        let has = |bit| data.flags & bit != 0;
        if !has(flag::PRESENT) || !has(flag::VERIFIED) {
            return Err(PasskeyRefusal::Unverified);
        }
        if has(flag::IS_COPIED) && !has(flag::MAY_BE_COPIED) {
            return Err(PasskeyRefusal::Unreadable);
        }
        Ok(data)
    }
}

impl Passkey {
    fn key(&self) -> Result<ParsedPublicKey, PasskeyRefusal> {
        let algorithm: &'static dyn VerificationAlgorithm = match self.algorithm {
            -7 => &ECDSA_P256_SHA256_ASN1,
            -8 => &ED25519,
            -257 => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(PasskeyRefusal::Algorithm),
        };
        ParsedPublicKey::new(algorithm, &self.public_key).map_err(|_| PasskeyRefusal::Unreadable)
    }
}

impl fmt::Display for Ceremony {
    /// What a challenge is kept for.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Add => "passkey-add",
            Self::SignIn => "passkey-sign-in",
        })
    }
}

#[cfg(test)]
mod tests;
