//! Connections to the hub on which whatever bytes are sent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::World;

/// No answer takes so long.
const LIMIT: Duration = Duration::from_mins(1);

/// Connects and agrees on a protocol, `http/1.1` or `h2`.
pub(crate) async fn try_connect(world: &World, protocol: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(world.authority.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![protocol.into()];
    let stream = TcpStream::connect(world.url.trim_start_matches("https://")).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(tls)).connect(name, stream).await
}

/// The same, where it must work.
pub(crate) async fn connect(world: &World, protocol: &str) -> TlsStream<TcpStream> {
    try_connect(world, protocol).await.unwrap()
}

/// Sends bytes and answers with the status of the first answer; none if the connection ends without.
pub(crate) async fn status(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> Option<u16> {
    // The hub may have ended it before all was sent.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut head = Vec::new();
    let reading = async {
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
                break;
            }
        }
    };
    tokio::time::timeout(LIMIT, reading).await.unwrap();
    String::from_utf8_lossy(&head).split(' ').nth(1)?.parse().ok()
}

/// Sends bytes on a connection of their own and answers with all that comes until its end.
pub(crate) async fn whole(world: &World, bytes: &[u8]) -> String {
    let mut stream = connect(world, "http/1.1").await;
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    let reading = async { while matches!(stream.read_buf(&mut answer).await, Ok(1..)) {} };
    tokio::time::timeout(LIMIT, reading).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
