//! An API server as the tunnel meets it.

use std::net::SocketAddr;
use std::sync::Arc;

use pki::Pair;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Tunnel, client_pair};

pub type Stream = TlsStream<TcpStream>;

/// Opens a stream to `address` as the API server of a tenant; else the status line.
pub async fn connect(tunnel: &Tunnel, uid: &str, address: impl ToString) -> Result<Stream, String> {
    let pair = client_pair(&tunnel.authority, uid);
    let tls = handshake(tunnel, Some(&pair)).await?;
    request(tls, &format!("CONNECT {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", address.to_string())).await
}

/// Sends a request; the stream if the answer is 200, else the status line.
pub async fn request(mut tls: Stream, text: &str) -> Result<Stream, String> {
    tls.write_all(text.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tls.read_u8().await.map_err(|error| format!("no answer: {error}"))?);
    }
    let line = String::from_utf8(head).unwrap().lines().next().unwrap().to_owned();
    if line.starts_with("HTTP/1.1 200 ") { Ok(tls) } else { Err(line) }
}

pub async fn handshake(tunnel: &Tunnel, pair: Option<&Pair>) -> Result<Stream, String> {
    let config = client_config(&tunnel.authority.pair().certificate, pair, &[]);
    tls(tunnel.api_servers, config).await.map_err(|error| error.to_string())
}

pub async fn tls(address: SocketAddr, config: ClientConfig) -> std::io::Result<Stream> {
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::from(address.ip());
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

pub fn client_config(authority: &str, pair: Option<&Pair>, alpn: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match pair {
        Some(pair) => {
            let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(pair.private_key.expose_pem().as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config
}
