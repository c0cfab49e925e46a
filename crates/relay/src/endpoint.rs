//! API servers that are reached over TLS.

use std::fmt;
use std::io;
use std::sync::Arc;

use http::uri::Authority;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where an API server is and how it is known.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `host:port`; the host may be a name.
    pub address: String,
    /// The name or address that its certificate must have.
    pub server_name: String,
    /// Certificates of the authorities that may have signed it, PEM. No others are trusted.
    pub authority: String,
    /// What we show, if it shall know us by a certificate.
    pub client: Option<ClientCertificate>,
}

/// A client's certificate with its key. Has no text in `Debug`.
#[derive(Clone)]
pub struct ClientCertificate {
    /// Certificate and those between it and the authority, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub private_key: zeroize::Zeroizing<String>,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address is none.
    #[error("`{address}` is not `host:port`; write it so")]
    Address {
        /// The address.
        address: String,
    },
    /// The server's name is neither a DNS name nor an IP address.
    #[error(
        "`{name}` is neither a DNS name nor an IP address; write the name that is in the server's certificate"
    )]
    ServerName {
        /// The name.
        name: String,
    },
    /// A certificate or key cannot be read or used.
    #[error("the {what} cannot be used: {reason}; give it in PEM")]
    Certificate {
        /// Which one.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

/// Opens connections to an endpoint.
pub(crate) struct Connector {
    address: String,
    server_name: ServerName<'static>,
    http1: TlsConnector,
    http2: TlsConnector,
}

impl Connector {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let wrong_name = |_| EndpointError::ServerName { name: endpoint.server_name.clone() };
        let config = client_config(endpoint)?;
        let speaking = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            TlsConnector::from(Arc::new(config))
        };
        Ok(Self {
            address: endpoint.address.clone(),
            server_name: ServerName::try_from(endpoint.server_name.clone()).map_err(wrong_name)?,
            http1: speaking(b"http/1.1"),
            http2: speaking(b"h2"),
        })
    }

    /// A connection for one request with HTTP/1.1.
    pub(crate) async fn http1(&self) -> io::Result<TlsStream<TcpStream>> {
        self.open(&self.http1).await
    }

    /// A connection for many requests with HTTP/2.
    pub(crate) async fn http2(&self) -> io::Result<TlsStream<TcpStream>> {
        let stream = self.open(&self.http2).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(stream)
        } else {
            Err(io::Error::other("it does not speak HTTP/2"))
        }
    }

    async fn open(&self, tls: &TlsConnector) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        tls.connect(self.server_name.clone(), stream).await
    }
}

/// What stands in `Host`.
pub(crate) fn authority(address: &str) -> Result<Authority, EndpointError> {
    let wrong = || EndpointError::Address { address: address.to_owned() };
    let authority = Authority::try_from(address).map_err(|_| wrong())?;
    let is_plain = authority.port_u16().is_some() && !authority.host().is_empty() && !address.contains('@');
    if is_plain { Ok(authority) } else { Err(wrong()) }
}

fn client_config(endpoint: &Endpoint) -> Result<ClientConfig, EndpointError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("certificate authority", &endpoint.authority)? {
        roots.add(certificate).map_err(wrong("certificate authority"))?;
    }
    let settings =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(wrong("TLS provider"))?
            .with_root_certificates(roots);
    let Some(client) = &endpoint.client else { return Ok(settings.with_no_client_auth()) };
    let chain = certificates("client certificate", &client.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(client.private_key.as_bytes()).map_err(wrong("client key"))?;
    settings.with_client_auth_cert(chain, key).map_err(wrong("client certificate"))
}

fn certificates(what: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, EndpointError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(wrong(what))?;
    if found.is_empty() { Err(wrong(what)("it holds no certificate")) } else { Ok(found) }
}

fn wrong<E: ToString>(what: &'static str) -> impl Fn(E) -> EndpointError {
    move |error| EndpointError::Certificate { what, reason: error.to_string() }
}
