//! HTTP CONNECT as API servers speak it: the head of the request and the answers.

use tokio::io::{AsyncRead, AsyncReadExt};

/// A longer head is refused; API servers send about 100 bytes.
const LONGEST_HEAD: usize = 4096;
const HEADERS: usize = 32;
/// What fits into a status line: API servers quote it in their own error.
const LONGEST_REASON: usize = 400;

/// A request for a stream to an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    /// `host:port`.
    pub(crate) address: String,
    /// What came after the head already.
    pub(crate) early: Vec<u8>,
}

impl Connect {
    /// The address without its port and brackets.
    pub(crate) fn host(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

/// Why a request cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the request ended before its head did")]
    Ended,
    #[error("the head of the request is longer than {LONGEST_HEAD} bytes")]
    TooLong,
    #[error("the request is not HTTP/1.1: {0}")]
    Malformed(httparse::Error),
    #[error("only CONNECT is served here: set proxyProtocol HTTPConnect in the egress selector")]
    Method,
    #[error("CONNECT needs an address as host:port")]
    Address,
}

/// Reads the head of a request.
pub(crate) async fn read<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Connect, Error> {
    let mut bytes = Vec::with_capacity(256);
    loop {
        if let Some(request) = parse(&bytes)? {
            return Ok(request);
        }
        if bytes.len() >= LONGEST_HEAD {
            return Err(Error::TooLong);
        }
        let room = LONGEST_HEAD - bytes.len();
        match reader.take(room as u64).read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Err(Error::Ended),
            Ok(_) => {}
        }
    }
}

/// The request, if its head is complete.
fn parse(bytes: &[u8]) -> Result<Option<Connect>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(bytes).map_err(Error::Malformed)? else {
        return Ok(None);
    };
    if request.method != Some("CONNECT") {
        return Err(Error::Method);
    }
    let address = request.path.filter(|path| is_address(path)).ok_or(Error::Address)?;
    Ok(Some(Connect { address: address.to_owned(), early: bytes.get(length..).unwrap_or_default().to_vec() }))
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')),
    };
    is_host && !host.is_empty() && host.len() <= 253 && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The answer to a stream that is open.
pub(crate) const OPEN: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

/// An answer that says why there is no stream, in the status line and again in the body.
pub(crate) fn refusal(code: u16, reason: &str) -> Vec<u8> {
    // A worker's words are in it: they must not add lines.
    let plain = |character: char| if matches!(character, ' '..='~') { character } else { ' ' };
    let reason: String = reason.chars().map(plain).take(LONGEST_REASON).collect();
    let length = reason.len();
    let head = "Content-Type: text/plain\r\nConnection: close\r\nContent-Length:";
    format!("HTTP/1.1 {code} {reason}\r\n{head} {length}\r\n\r\n{reason}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Connect, Error, LONGEST_HEAD, read, refusal};

    async fn ask(text: &str) -> Result<Connect, Error> {
        read(&mut text.as_bytes()).await
    }

    #[tokio::test]
    async fn what_an_api_server_sends_is_understood() {
        let found = ask("CONNECT 10.0.0.7:10250 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nearly").await.unwrap();
        assert_eq!(found.address, "10.0.0.7:10250");
        assert_eq!((found.host(), found.early.as_slice()), ("10.0.0.7", b"early".as_slice()));
        let found = ask("CONNECT [fd00::7]:10250 HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(found.host(), "fd00::7");
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        assert!(matches!(ask("GET / HTTP/1.1\r\n\r\n").await, Err(Error::Method)));
        assert!(matches!(ask("CONNECT a:1 HTTP/1.1\r\nHost:").await, Err(Error::Ended)));
        assert!(matches!(ask("\u{16}\u{3}\u{1}").await, Err(Error::Malformed(_))));
        let endless = format!("CONNECT a:1 HTTP/1.1\r\nHost: {}", "a".repeat(LONGEST_HEAD));
        assert!(matches!(ask(&endless).await, Err(Error::TooLong)));
        for address in ["a", "a:", ":1", "a:0", "a:70000", "a/b:1", "[::1:1", "[x]:1", "a:1:2"] {
            let request = format!("CONNECT {address} HTTP/1.1\r\n\r\n");
            assert!(matches!(ask(&request).await, Err(Error::Address)), "{address}");
        }
    }

    #[test]
    fn a_workers_words_add_no_lines() {
        let answer = String::from_utf8(refusal(502, "a\r\nX: y\r\n\r\n\u{7f}ä")).unwrap();
        assert!(answer.starts_with("HTTP/1.1 502 a  X: y      \r\n"), "{answer:?}");
        assert_eq!(answer.matches("\r\n\r\n").count(), 1);
    }
}
