//! Bearer tokens: `flotilla_<kind>_<id>_<secret>`. The hub keeps the id and a digest, never the token.

use std::fmt;

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::LibraryError;

/// Random bytes of a secret: 256 bit, beyond guessing, so that one fast hash suffices.
const SECRET_BYTES: usize = 32;
/// Random bytes of an id.
const ID_BYTES: usize = 9;
const PREFIX: &str = "flotilla";

/// What a token is for. A token of one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A person in a browser.
    Session,
    /// A key for programs.
    ApiKey,
    /// Imports one cluster, once.
    Import,
    /// An agent that was let in.
    Agent,
    /// A CLI that waits for a person to let it in.
    Device,
    /// Shows that a page of ours sent a request, beside the cookie of a session.
    Csrf,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Session, Self::ApiKey, Self::Import, Self::Agent, Self::Device, Self::Csrf];

    const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::ApiKey => "key",
            Self::Import => "import",
            Self::Agent => "agent",
            Self::Device => "device",
            Self::Csrf => "csrf",
        }
    }
}

/// What is kept of a token's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    fn of(kind: Kind, secret: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(kind.word().as_bytes());
        context.update(b"\0");
        context.update(secret.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }
}

/// A new token. Its text is shown once.
pub struct Minted {
    /// By which it is known.
    pub id: String,
    /// What is kept.
    pub digest: Digest,
    /// The whole token.
    pub text: Zeroizing<String>,
}

impl Minted {
    /// Makes one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(kind: Kind) -> Result<Self, LibraryError> {
        let id = random::<ID_BYTES>()?;
        let secret = random::<SECRET_BYTES>()?;
        let text = Zeroizing::new(format!("{PREFIX}_{}_{}_{}", kind.word(), id.as_str(), secret.as_str()));
        Ok(Self { id: id.to_string(), digest: Digest::of(kind, &secret), text })
    }
}

impl fmt::Debug for Minted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Minted").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Letters of the URL-safe alphabet but its underscore, which parts a token.
pub(crate) fn random<const BYTES: usize>() -> Result<Zeroizing<String>, LibraryError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rand::fill(bytes.as_mut_slice()).map_err(|_| LibraryError)?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()).replace('_', ".")))
}

/// A token that somebody shows.
pub struct Presented<'a> {
    /// What it is for.
    pub kind: Kind,
    /// By which it is known.
    pub id: &'a str,
    secret: &'a str,
}

impl<'a> Presented<'a> {
    /// Reads a token; nothing if it has not the form of one.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split('_');
        let (prefix, word, id, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
        let is_whole = prefix == PREFIX
            && parts.next().is_none()
            && id.len() == ID_BYTES.div_ceil(3) * 4
            && secret.len() == (SECRET_BYTES * 4).div_ceil(3);
        is_whole.then_some(Self { kind, id, secret })
    }

    /// Whether it is the token of which `kept` was kept. Takes the same time for every answer.
    #[must_use]
    pub fn is(&self, kept: &Digest) -> bool {
        constant_time::verify_slices_are_equal(&Digest::of(self.kind, self.secret).0, &kept.0).is_ok()
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Presented")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Minted, Presented};

    #[test]
    fn a_token_is_known_by_its_id_and_digest() {
        for _ in 0..64 {
            let minted = Minted::new(Kind::ApiKey).unwrap();
            let shown = Presented::read(&minted.text).unwrap();
            assert_eq!((shown.kind, shown.id), (Kind::ApiKey, minted.id.as_str()));
            assert!(shown.is(&minted.digest));
            assert!(!shown.is(&Minted::new(Kind::ApiKey).unwrap().digest));
        }
    }

    #[test]
    fn a_token_of_one_kind_is_none_of_another() {
        let minted = Minted::new(Kind::Import).unwrap();
        let other = minted.text.replace("_import_", "_session_");
        assert!(!Presented::read(&other).unwrap().is(&minted.digest));
    }

    #[test]
    fn what_has_not_the_form_is_no_token() {
        let minted = Minted::new(Kind::Agent).unwrap();
        for text in
            ["", "flotilla", "flotilla_agent__", "a_b_c_d", &minted.text[1..], &format!("{}_x", *minted.text)]
        {
            assert!(Presented::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_secret_is_in_debug_output() {
        let minted = Minted::new(Kind::Agent).unwrap();
        let secret = minted.text.rsplit('_').next().unwrap();
        let shown = Presented::read(&minted.text).unwrap();
        assert!(!format!("{minted:?} {shown:?}").contains(secret));
    }
}
