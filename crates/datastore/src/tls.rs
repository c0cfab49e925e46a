//! TLS of clients that take rustls settings.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::{Cause, Error, Tls};

/// Settings that trust only the store's authority, check the name of the server, and show the client's
/// certificate if there is one.
///
/// # Errors
/// [`Error::Certificates`] if one of the texts is no PEM of its kind, or the key is not the certificate's.
pub(crate) fn client_config(tls: &Tls) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("certificate authority", &tls.certificate_authority)? {
        roots.add(certificate).map_err(|error| wrong("certificate authority", &error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("TLS settings", &error))?
        .with_root_certificates(roots);
    let Some(client) = &tls.client else { return Ok(settings.with_no_client_auth()) };
    let chain = certificates("client certificate", &client.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(client.private_key.expose_pem().as_bytes())
        .map_err(|error| wrong("client key", &error))?;
    settings.with_client_auth_cert(chain, key).map_err(|error| wrong("client certificate", &error))
}

fn certificates(what: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| wrong(what, &error))?;
    if found.is_empty() {
        return Err(Error::Certificates { what, source: Cause::new("it holds no certificate in PEM", None) });
    }
    Ok(found)
}

fn wrong(what: &'static str, error: &dyn std::error::Error) -> Error {
    Error::Certificates { what, source: Cause::new(&error.to_string(), error.source()) }
}
