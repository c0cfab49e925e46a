//! Private keys: made once, shown to nobody.

use std::fmt;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};

use crate::Error;

/// What kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyAlgorithm {
    /// ECDSA over P-256: made in under a millisecond.
    #[default]
    EcdsaP256,
    /// RSA with 2048 bits, for clients that know nothing else: made in a few hundred milliseconds.
    Rsa2048,
}

/// A private key as PEM text. Its `Debug` form shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(String);

impl PrivateKey {
    /// Takes PEM text as it is; whether it is a key shows when it is used.
    #[must_use]
    pub fn from_pem(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The PEM text, to be written where only its owner reads.
    #[must_use]
    pub fn expose_pem(&self) -> &str {
        &self.0
    }

    pub(crate) fn generate(algorithm: KeyAlgorithm, subject: &str) -> Result<(Self, KeyPair), Error> {
        let pair = match algorithm {
            KeyAlgorithm::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            KeyAlgorithm::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        }
        .map_err(|source| Error::Make { subject: subject.to_owned(), source })?;
        Ok((Self(pair.serialize_pem()), pair))
    }

    pub(crate) fn parse(&self, subject: &str) -> Result<KeyPair, Error> {
        KeyPair::from_pem(&self.0).map_err(|source| Error::ReadKey { subject: subject.to_owned(), source })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey(..)")
    }
}

/// The key pair by which an API server signs service-account tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountPair {
    /// Public half, PEM (`sa.pub`).
    pub public_key: String,
    /// Private half (`sa.key`).
    pub private_key: PrivateKey,
}

impl ServiceAccountPair {
    /// Makes a new pair.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, Error> {
        let (private_key, pair) = PrivateKey::generate(algorithm, "service-account key")?;
        Ok(Self { public_key: pair.public_key_pem(), private_key })
    }

    /// Whether the public half belongs to the private half.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.private_key
            .parse("service-account key")
            .is_ok_and(|pair| same_pem(&pair.public_key_pem(), &self.public_key))
    }
}

/// Compares PEM texts without regard to line ends and padding.
fn same_pem(left: &str, right: &str) -> bool {
    left.split_whitespace().eq(right.split_whitespace())
}
