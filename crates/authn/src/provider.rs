//! What identity providers have in common: what they say of somebody, how they fail, whom the hub trusts to be one.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// More groups than these are not heeded.
const MOST_GROUPS: usize = 2000;
/// A group with a longer name is not heeded.
const LONGEST_GROUP: usize = 256;

/// What a provider says of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Who they are at the provider, for ever.
    pub subject: String,
    /// What they call themselves there.
    pub user_name: String,
    /// Their groups, in order, each once.
    pub groups: Vec<String>,
}

/// Why a provider did not vouch. Says nothing of passwords or tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or with what no provider answers.
    #[error("the provider does not answer as it should: {0}")]
    Unreachable(String),
    /// Its settings in the hub are wrong.
    #[error("the provider's settings are wrong: {0}")]
    Settings(String),
    /// It answers, and what it says is not to be believed, or is no.
    #[error("{0}")]
    Refused(&'static str),
    /// Whoever it was vouched for is not there any more.
    #[error("the provider does not know the user any more")]
    Gone,
}

/// Groups as they are kept.
pub(crate) fn kept_groups(groups: impl IntoIterator<Item = String>) -> Vec<String> {
    let fits = |group: &String| !group.is_empty() && group.len() <= LONGEST_GROUP;
    let mut groups: Vec<String> = groups.into_iter().filter(fits).take(MOST_GROUPS).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// TLS with the authorities of a bundle (PEM), or those of the system.
pub(crate) fn tls(ca_bundle: Option<&str>) -> Result<ClientConfig, ProviderError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ProviderError::Settings(error.to_string()))?;
    Ok(builder.with_root_certificates(roots(ca_bundle)?).with_no_client_auth())
}

fn roots(ca_bundle: Option<&str>) -> Result<RootCertStore, ProviderError> {
    let mut roots = RootCertStore::empty();
    let Some(bundle) = ca_bundle else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let wrong = |reason: String| ProviderError::Settings(format!("caBundle: {reason}"));
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it; write it as PEM".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::{kept_groups, tls};

    #[test]
    fn groups_are_kept_once_and_in_order() {
        let groups = ["b", "a", "", "b", &"x".repeat(257)].map(str::to_owned);
        assert_eq!(kept_groups(groups), ["a", "b"]);
    }

    #[test]
    fn a_bundle_without_a_certificate_trusts_nobody() {
        assert!(tls(Some("")).is_err());
        assert!(tls(Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).is_err());
        assert!(tls(None).is_ok());
    }
}
