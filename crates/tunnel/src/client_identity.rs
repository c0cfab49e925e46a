//! Who an API server is: the tenant's uid in the subject of its certificate.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Organisation in the subject of API servers' certificates. The tunnel's own certificate, which the
/// same authority signed, has it not and so is no tenant's.
pub const ORGANIZATION: &str = "flotilla:tunnel-client";

/// The uid that a certificate names, if it is one of an API server. The chain has been verified before.
pub(crate) fn tenant_uid(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let subject = certificate.subject();
    let mut organizations = subject.iter_organization();
    let (organization, more) = (organizations.next()?.as_str().ok()?, organizations.next());
    let mut names = subject.iter_common_name();
    let (name, others) = (names.next()?.as_str().ok()?, names.next());
    let is_client = organization == ORGANIZATION && more.is_none() && others.is_none();
    (is_client && !name.is_empty()).then(|| name.to_owned())
}
