//! Certificate authorities: made, or adopted from what another program left.

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::plan::{Pair, subject, validity};
use crate::{Error, KeyAlgorithm, PrivateKey};

/// A certificate authority with its private key.
#[derive(Debug)]
pub struct CertificateAuthority {
    pair: Pair,
    issuer: Issuer<'static, KeyPair>,
    algorithm: KeyAlgorithm,
}

impl CertificateAuthority {
    /// Makes a self-signed authority with an ECDSA P-256 key, valid for `validity` from `now`.
    pub fn generate(common_name: &str, validity: SignedDuration, now: Timestamp) -> Result<Self, Error> {
        Self::generate_with(KeyAlgorithm::default(), common_name, validity, now)
    }

    /// Makes a self-signed authority with the given kind of key. Like kubeadm's, it carries its
    /// common name as DNS name too.
    pub fn generate_with(
        algorithm: KeyAlgorithm,
        common_name: &str,
        lifetime: SignedDuration,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let make = |source| Error::Make { subject: common_name.to_owned(), source };
        let (private_key, key) = PrivateKey::generate(algorithm, common_name)?;
        let mut params = CertificateParams::new([common_name.to_owned()]).map_err(make)?;
        params.distinguished_name = subject(common_name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyCertSign,
        ];
        (params.not_before, params.not_after) = validity(now, lifetime);
        let certificate = params.self_signed(&key).map_err(make)?.pem();
        Ok(Self { pair: Pair { certificate, private_key }, issuer: Issuer::new(params, key), algorithm })
    }

    /// Reads an authority that exists already; the key may be RSA or ECDSA, in PKCS#8, PKCS#1 or SEC1.
    pub fn from_pair(pair: Pair) -> Result<Self, Error> {
        let key = pair.private_key.parse("certificate authority")?;
        let algorithm = if key.is_compatible(&rcgen::PKCS_ECDSA_P256_SHA256) {
            KeyAlgorithm::EcdsaP256
        } else {
            KeyAlgorithm::Rsa2048
        };
        let issuer = Issuer::from_ca_cert_pem(&pair.certificate, key)
            .map_err(|error| Error::ReadCertificate { reason: error.to_string() })?;
        Ok(Self { pair, issuer, algorithm })
    }

    /// Certificate and key as PEM.
    #[must_use]
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The kind of the authority's key.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    pub(crate) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}
