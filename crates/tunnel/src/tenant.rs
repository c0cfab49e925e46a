//! What the tunnel knows of a tenant, read from its Secret.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use crate::token::{KeyError, TokenVerifier};

/// Prefix of the names of tenants' Secrets; the uid follows.
pub(crate) const SECRET_PREFIX: &str = "tunnel-";
/// Annotation that names the control plane, as `namespace/name`.
pub(crate) const NAME: &str = "flotilla.dev/control-plane";

/// Why a Secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key is missing or is no text.
    #[error("Secret {secret} has no text under {key}; the operator writes it, see its log")]
    Missing {
        /// Name of the Secret.
        secret: String,
        /// Key in it.
        key: &'static str,
    },
    /// The certificate or its key cannot be used.
    #[error("Secret {secret} holds no certificate that can be served; the operator writes it, see its log")]
    Certificate {
        /// Name of the Secret.
        secret: String,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The keys of tokens cannot be used.
    #[error(
        "Secret {secret} holds no key that tokens can be verified with; the operator writes it, see its log"
    )]
    Keys {
        /// Name of the Secret.
        secret: String,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A tenant as agents meet it.
#[derive(Debug)]
pub struct Tenant {
    /// Unique identifier of the control plane; its Secret and its agents' ALPN bear it.
    pub uid: String,
    /// `namespace/name`, for people.
    pub name: String,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) tokens: TokenVerifier,
}

/// The tunnel's own certificate, and the authority of API servers' certificates.
#[derive(Debug, Clone)]
pub struct ServerPair(pub(crate) Arc<ServerConfig>);

impl Tenant {
    /// Reads a tenant's Secret: `tls.crt`, `tls.key`, `sa.pub` and `issuer`.
    pub fn read(secret: &Secret) -> Result<Self, Error> {
        let named = secret.metadata.name.clone().unwrap_or_default();
        let uid = named.strip_prefix(SECRET_PREFIX).unwrap_or_default().to_owned();
        let annotations = secret.metadata.annotations.as_ref();
        let name = annotations.and_then(|all| all.get(NAME)).cloned().unwrap_or_else(|| uid.clone());
        let (chain, key) = pair(secret)?;
        let tls = builder()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|source| Error::Certificate { secret: named.clone(), source: source.into() })?;
        let issuer = text(secret, "issuer")?;
        let tokens = TokenVerifier::new(text(secret, "sa.pub")?, issuer.trim())
            .map_err(|source: KeyError| Error::Keys { secret: named, source: source.into() })?;
        Ok(Self { uid, name, tls: Arc::new(lean(tls, b"h2")), tokens })
    }
}

impl ServerPair {
    /// Reads the tunnel's own Secret: `tls.crt`, `tls.key` and `ca.crt`.
    pub fn read(secret: &Secret) -> Result<Self, Error> {
        let named = secret.metadata.name.clone().unwrap_or_default();
        let (chain, key) = pair(secret)?;
        let authority = text(secret, "ca.crt")?.to_owned();
        serving(chain, key, &authority)
            .map(|config| Self(Arc::new(lean(config, b"http/1.1"))))
            .map_err(|source| Error::Certificate { secret: named, source })
    }
}

type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn serving(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authority: &str,
) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
    Ok(builder()?.with_client_cert_verifier(verifier).with_single_cert(chain, key)?)
}

fn builder() -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()
}

/// Without memory of sessions: it costs memory per tenant, and a resumed session would outlive a change
/// of the certificates.
fn lean(mut config: ServerConfig, protocol: &[u8]) -> ServerConfig {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![protocol.to_vec()];
    config
}

fn pair(secret: &Secret) -> Result<Chain, Error> {
    let named = secret.metadata.name.clone().unwrap_or_default();
    let failed = |source: rustls::pki_types::pem::Error| Error::Certificate {
        secret: named.clone(),
        source: source.into(),
    };
    let chain = CertificateDer::pem_slice_iter(text(secret, "tls.crt")?.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(&failed)?;
    let key = PrivateKeyDer::from_pem_slice(text(secret, "tls.key")?.as_bytes()).map_err(&failed)?;
    Ok((chain, key))
}

fn text<'a>(secret: &'a Secret, key: &'static str) -> Result<&'a str, Error> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(key));
    bytes
        .and_then(|bytes| std::str::from_utf8(&bytes.0).ok())
        .ok_or_else(|| Error::Missing { secret: secret.metadata.name.clone().unwrap_or_default(), key })
}
