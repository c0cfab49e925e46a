//! Leaf certificates: what shall stand in one, and how it is issued.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use rcgen::string::Ia5String;
use rcgen::{
    Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

use crate::subject::replaced;
use crate::{CertificateAuthority, Error, KeyAlgorithm, ONE_YEAR, PrivateKey};

/// A certificate and its private key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its private key.
    pub private_key: PrivateKey,
}

/// What a leaf certificate says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatePlan {
    /// Common name: the user name for client certificates.
    pub common_name: String,
    /// Organisations: the groups for client certificates.
    pub organizations: Vec<String>,
    /// DNS names, with wildcards allowed.
    pub dns_names: Vec<String>,
    /// IP addresses.
    pub ip_addresses: Vec<IpAddr>,
    /// May authenticate a client.
    pub client: bool,
    /// May authenticate a server.
    pub server: bool,
    /// How long it is valid from the moment of issue.
    pub validity: SignedDuration,
    /// The kind of key to make for it.
    pub algorithm: KeyAlgorithm,
}

impl CertificatePlan {
    /// A client certificate for one user in some groups, valid for a year.
    pub fn client<S: Into<String>>(
        common_name: impl Into<String>,
        organizations: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            common_name: common_name.into(),
            organizations: organizations.into_iter().map(Into::into).collect(),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            client: true,
            server: false,
            validity: ONE_YEAR,
            algorithm: KeyAlgorithm::default(),
        }
    }

    /// A server certificate for names and addresses, valid for a year.
    pub fn server(common_name: impl Into<String>, dns_names: Vec<String>, ip_addresses: Vec<IpAddr>) -> Self {
        let groups: [String; 0] = [];
        Self { dns_names, ip_addresses, client: false, server: true, ..Self::client(common_name, groups) }
    }

    /// Makes a key and has `ca` sign a certificate for it, valid from `now`.
    pub fn issue(&self, ca: &CertificateAuthority, now: Timestamp) -> Result<Pair, Error> {
        let (private_key, key) = PrivateKey::generate(self.algorithm, &self.common_name)?;
        let certificate = self
            .params(now)
            .and_then(|params| params.signed_by(&key, ca.issuer()))
            .and_then(|certificate| self.with_all_organizations(&certificate, ca))
            .map_err(|source| Error::Make { subject: self.common_name.clone(), source })?;
        Ok(Pair { certificate, private_key })
    }

    /// The certificate as PEM, with those organizations too that rcgen dropped.
    fn with_all_organizations(
        &self,
        certificate: &Certificate,
        ca: &CertificateAuthority,
    ) -> Result<String, rcgen::Error> {
        if self.organizations.len() < 2 {
            return Ok(certificate.pem());
        }
        let der = replaced(certificate.der(), &self.common_name, &self.organizations, ca.issuer().key())?;
        Ok(pem::encode_config(
            &pem::Pem::new("CERTIFICATE", der),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        ))
    }

    fn params(&self, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(&self.common_name, &self.organizations);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        if self.client {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        }
        if self.server {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        for name in &self.dns_names {
            params.subject_alt_names.push(SanType::DnsName(Ia5String::try_from(name.as_str())?));
        }
        params.subject_alt_names.extend(self.ip_addresses.iter().copied().map(SanType::IpAddress));
        (params.not_before, params.not_after) = validity(now, self.validity);
        Ok(params)
    }
}

pub(crate) fn subject(common_name: &str, organizations: &[String]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for organization in organizations {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    name
}

/// Start and end of the validity. The start lies five minutes back, so that a reader whose clock is
/// a little behind does not refuse a new certificate.
pub(crate) fn validity(now: Timestamp, lifetime: SignedDuration) -> (OffsetDateTime, OffsetDateTime) {
    const BACKDATE_SECONDS: i64 = 300;
    let moment =
        |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let start = now.as_second();
    (moment(start - BACKDATE_SECONDS), moment(start.saturating_add(lifetime.as_secs())))
}
