//! Certificate authorities: made, or adopted from what another program left.

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::OffsetDateTime;

use crate::plan::{Pair, subject, validity};
use crate::{Error, Inspection, KeyAlgorithm, PrivateKey, inspect};

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
        let params = params(common_name, validity(now, lifetime)).map_err(make)?;
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

    /// Signs the key of the authority that comes after this one. Presented beside what the successor
    /// signs, the certificate (PEM) makes it trusted by all who trust this authority; it ends with the
    /// first of the two.
    pub fn vouch_for(&self, successor: &Self) -> Result<String, Error> {
        let (own, other) = (inspect(&self.pair.certificate)?, inspect(&successor.pair.certificate)?);
        let make = |source| Error::Make { subject: other.common_name.clone(), source };
        let key = successor.issuer.key();
        let mut params = params(&other.common_name, common_validity(&own, &other)).map_err(make)?;
        params.use_authority_key_identifier_extension = true;
        // Some clients refuse a serial number that they have seen under the same issuer's name, and both
        // authorities may have the same name. The successor's own is another digest of its key.
        params.serial_number =
            Some(params.key_identifier(key).into_iter().take(16).collect::<Vec<u8>>().into());
        Ok(params.signed_by(key, &self.issuer).map_err(make)?.pem())
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

/// What stands in the certificate of an authority; like kubeadm's, its common name as DNS name too.
fn params(
    common_name: &str,
    (not_before, not_after): (OffsetDateTime, OffsetDateTime),
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new([common_name.to_owned()])?;
    params.distinguished_name = subject(common_name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    params.not_before = not_before;
    params.not_after = not_after;
    Ok(params)
}

/// From the later start to the earlier end.
fn common_validity(one: &Inspection, other: &Inspection) -> (OffsetDateTime, OffsetDateTime) {
    let moment = |time: Timestamp| {
        OffsetDateTime::from_unix_timestamp(time.as_second()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    (moment(one.not_before.max(other.not_before)), moment(one.not_after.min(other.not_after)))
}
