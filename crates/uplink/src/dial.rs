//! A TCP connection to the hub, through a proxy if there is one.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Proxy;

const LONGEST_HEAD: usize = 8 << 10;
const HEADERS: usize = 64;

/// Why the hub was not reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Nobody answers.
    #[error("failed to connect to {address}")]
    Connect {
        /// Of the hub, or of the proxy.
        address: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The proxy wants a password, or another one.
    #[error("the proxy refuses the agent's name and password; set them in HTTPS_PROXY")]
    ProxyAuthorization,
    /// The proxy does not lead there.
    #[error("the proxy answers {0} to CONNECT; see whether it allows the hub's address")]
    ProxyRefused(u16),
    /// What answers is no proxy.
    #[error("the proxy does not speak HTTP: {0}")]
    ProxyMalformed(&'static str),
}

/// Connects to `host:port`.
pub(crate) async fn dial(host: &str, port: u16, proxy: Option<&Proxy>) -> Result<TcpStream, DialError> {
    let (to, at) = proxy.map_or((host, port), |proxy| (proxy.host.as_str(), proxy.port));
    let connect = TcpStream::connect((to, at)).await;
    let failed = |source| DialError::Connect { address: format!("{to}:{at}"), source };
    let mut stream = connect.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    if let Some(proxy) = proxy {
        stream.write_all(connect_request(host, port, proxy).as_bytes()).await.map_err(failed)?;
        match read_status(&mut stream).await? {
            200..=299 => {}
            407 => return Err(DialError::ProxyAuthorization),
            other => return Err(DialError::ProxyRefused(other)),
        }
    }
    Ok(stream)
}

fn connect_request(host: &str, port: u16, proxy: &Proxy) -> zeroize::Zeroizing<String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let authorization = proxy.authorization.as_ref().map_or("", |value| value.as_str());
    let (name, end) = if authorization.is_empty() { ("", "") } else { ("Proxy-Authorization: ", "\r\n") };
    zeroize::Zeroizing::new(format!(
        "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{name}{authorization}{end}\r\n"
    ))
}

/// The status of an answer to CONNECT. Nothing may follow the head: in TLS the client speaks first.
async fn read_status(stream: &mut TcpStream) -> Result<u16, DialError> {
    let mut head = Vec::with_capacity(256);
    loop {
        let room = LONGEST_HEAD.saturating_sub(head.len());
        if room == 0 {
            return Err(DialError::ProxyMalformed("the head of its answer is too long"));
        }
        let room = u64::try_from(room).unwrap_or(u64::MAX);
        match (&mut *stream).take(room).read_buf(&mut head).await {
            Ok(0) | Err(_) => return Err(DialError::ProxyMalformed("it ended the connection")),
            Ok(_) => {}
        }
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        match answer.parse(&head) {
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(length)) => {
                let code = answer.code.unwrap_or_default();
                if code == 200 && length < head.len() {
                    return Err(DialError::ProxyMalformed("it says more than was asked"));
                }
                return Ok(code);
            }
            Err(_) => return Err(DialError::ProxyMalformed("the head of its answer cannot be read")),
        }
    }
}
