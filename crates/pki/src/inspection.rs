//! What a certificate says: read back to decide whether it still serves.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Name};

use crate::{Error, Pair};

/// The contents of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Common name of the subject, empty if there is none.
    pub common_name: String,
    /// Organisations of the subject.
    pub organizations: BTreeSet<String>,
    /// DNS names among the alternative names.
    pub dns_names: BTreeSet<String>,
    /// IP addresses among the alternative names.
    pub ip_addresses: BTreeSet<IpAddr>,
    /// First moment of validity.
    pub not_before: Timestamp,
    /// Last moment of validity.
    pub not_after: Timestamp,
    der: Vec<u8>,
}

/// Reads the first certificate of a PEM text.
pub fn inspect(certificate: &str) -> Result<Inspection, Error> {
    let pem = first_block(certificate)?;
    let parsed = parsed(&pem)?;
    let (dns_names, ip_addresses) = alternative_names(&parsed);
    Ok(Inspection {
        common_name: parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok()).collect(),
        organizations: organizations(parsed.subject()),
        dns_names,
        ip_addresses,
        not_before: moment(parsed.validity().not_before.timestamp()),
        not_after: moment(parsed.validity().not_after.timestamp()),
        der: pem.contents.clone(),
    })
}

/// The digest of the public key of the first certificate of a PEM text, as kubeadm pins authorities:
/// `sha256:<hex>`.
pub fn public_key_pin(certificate: &str) -> Result<String, Error> {
    let pem = first_block(certificate)?;
    let parsed = parsed(&pem)?;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(parsed.public_key().raw) {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn first_block(certificate: &str) -> Result<Pem, Error> {
    let first = Pem::iter_from_buffer(certificate.as_bytes()).next();
    first.ok_or_else(|| unreadable(&"the text holds no PEM block"))?.map_err(|error| unreadable(&error))
}

fn parsed(pem: &Pem) -> Result<X509Certificate<'_>, Error> {
    pem.parse_x509().map_err(|error| unreadable(&error))
}

fn unreadable(reason: &dyn std::fmt::Display) -> Error {
    Error::ReadCertificate { reason: reason.to_string() }
}

/// The blocks of a PEM text as they stand there, one text each: the certificates of a bundle, the public
/// keys of a file. What stands between them is left out.
#[must_use]
pub fn pem_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block = None::<String>;
    for line in text.lines() {
        if line.starts_with("-----BEGIN ") {
            block = Some(String::new());
        }
        if let Some(open) = &mut block {
            open.push_str(line);
            open.push('\n');
            if line.starts_with("-----END ") {
                blocks.extend(block.take());
            }
        }
    }
    blocks
}

impl Inspection {
    /// Whether the certificate ends within `margin` after `now`, or has ended, or has not begun.
    #[must_use]
    pub fn is_due(&self, now: Timestamp, margin: SignedDuration) -> bool {
        now < self.not_before || self.not_after.duration_since(now) <= margin
    }

    /// Whether the authority whose certificate is `ca` (PEM) signed this one.
    #[must_use]
    pub fn is_signed_by(&self, ca: &str) -> bool {
        let Some(Ok(pem)) = Pem::iter_from_buffer(ca.as_bytes()).next() else { return false };
        let (Ok(authority), Ok((_, own))) = (pem.parse_x509(), X509Certificate::from_der(&self.der)) else {
            return false;
        };
        own.issuer() == authority.subject() && own.verify_signature(Some(authority.public_key())).is_ok()
    }
}

impl Pair {
    /// Whether the private key belongs to the certificate.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let Some(Ok(pem)) = Pem::iter_from_buffer(self.certificate.as_bytes()).next() else { return false };
        let (Ok(certificate), Ok(key)) = (pem.parse_x509(), self.private_key.parse("certificate")) else {
            return false;
        };
        certificate.public_key().subject_public_key.data.as_ref() == key.public_key_raw()
    }
}

fn organizations(subject: &X509Name<'_>) -> BTreeSet<String> {
    subject.iter_organization().filter_map(|name| name.as_str().ok()).map(str::to_owned).collect()
}

fn alternative_names(certificate: &X509Certificate<'_>) -> (BTreeSet<String>, BTreeSet<IpAddr>) {
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    if let Ok(Some(extension)) = certificate.subject_alternative_name() {
        for name in &extension.value.general_names {
            match name {
                GeneralName::DNSName(dns) => {
                    names.insert((*dns).to_owned());
                }
                GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                _ => {}
            }
        }
    }
    (names, addresses)
}

pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}
