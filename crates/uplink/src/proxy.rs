//! The HTTP proxy on the way to the hub, from `HTTPS_PROXY` and `NO_PROXY` as curl and Go read them.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use zeroize::Zeroizing;

const DEFAULT_PORT: u16 = 80;

/// Why a proxy's address cannot be used. Says nothing of what is in it: there may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It is no URL.
    #[error("HTTPS_PROXY is no URL; write it as http://user:password@host:port")]
    Malformed,
    /// It is not reached by plain HTTP.
    #[error("HTTPS_PROXY has a scheme other than http, which is not supported")]
    Scheme,
}

/// A proxy that takes CONNECT.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Value of `Proxy-Authorization`.
    pub(crate) authorization: Option<Zeroizing<String>>,
}

impl Proxy {
    fn parse(text: &str) -> Result<Self, ProxyError> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return Err(ProxyError::Scheme),
            None => text,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let address: http::uri::Authority = address.parse().map_err(|_| ProxyError::Malformed)?;
        let host = address.host();
        let port = match address.as_str().strip_prefix(host) {
            Some("") => DEFAULT_PORT,
            Some(rest) => rest.trim_start_matches(':').parse().map_err(|_| ProxyError::Malformed)?,
            None => return Err(ProxyError::Malformed),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(ProxyError::Malformed);
        }
        let authorization = user.map(basic).transpose()?;
        Ok(Self { host: host.to_owned(), port, authorization })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Proxy")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn basic(user: &str) -> Result<Zeroizing<String>, ProxyError> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut plain = Zeroizing::new(decoded(name).ok_or(ProxyError::Malformed)?);
    plain.push(b':');
    plain.extend_from_slice(&Zeroizing::new(decoded(password).ok_or(ProxyError::Malformed)?));
    Ok(Zeroizing::new(format!("Basic {}", STANDARD.encode(plain.as_slice()))))
}

/// Takes `%40` for `@`.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(digits[0])? * 16 + digit(digits[1])?);
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

/// Which hosts are reached by a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    proxy: Option<Proxy>,
    exceptions: Vec<Exception>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Exception {
    All,
    Network(IpNet),
    /// A domain, with what is below it, at one port or all.
    Domain(String, Option<u16>),
}

impl Proxies {
    /// Reads variables of the environment, of which `variable` gives the value. Small letters come first, as in curl.
    ///
    /// # Errors
    /// [`ProxyError`] if the proxy's address cannot be used.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let read = |small: &str, large: &str| {
            variable(small)
                .or_else(|| variable(large))
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let proxy = read("https_proxy", "HTTPS_PROXY").map(Zeroizing::new);
        let proxy = proxy.map(|text| Proxy::parse(&text)).transpose()?;
        let exceptions = read("no_proxy", "NO_PROXY").unwrap_or_default();
        Ok(Self { proxy, exceptions: exceptions.split(',').filter_map(exception).collect() })
    }

    /// The proxy by which a host is reached, if any.
    #[must_use]
    pub fn proxy(&self, host: &str, port: u16) -> Option<&Proxy> {
        let host = host.to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let is_excepted = self.exceptions.iter().any(|exception| match exception {
            Exception::All => true,
            Exception::Network(network) => address.is_some_and(|address| network.contains(&address)),
            Exception::Domain(domain, only) => {
                let is_below = host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                is_below && only.is_none_or(|only| only == port)
            }
        });
        self.proxy.as_ref().filter(|_| !is_excepted)
    }
}

fn exception(text: &str) -> Option<Exception> {
    let text = text.trim().to_ascii_lowercase();
    if text == "*" {
        return Some(Exception::All);
    }
    if let Some(network) = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    {
        return Some(Exception::Network(network));
    }
    let (domain, port) = match text.split_once(':') {
        Some((domain, port)) => (domain, Some(port.parse().ok()?)),
        None => (text.as_str(), None),
    };
    let domain = domain.trim_start_matches('*').trim_start_matches('.');
    (!domain.is_empty()).then(|| Exception::Domain(domain.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::{Proxies, ProxyError};

    fn read(proxy: &str, exceptions: &str) -> Result<Proxies, ProxyError> {
        Proxies::from_environment(|name| match name {
            "HTTPS_PROXY" => Some(proxy.to_owned()),
            "NO_PROXY" => Some(exceptions.to_owned()),
            _ => None,
        })
    }

    #[test]
    fn a_proxys_address_is_read_with_its_password() {
        let proxies = read("http://olga:p%40ss%3aword@proxy.example:3128/", "").unwrap();
        let proxy = proxies.proxy("hub.example.com", 443).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.example", 3128));
        // `olga:p@ss:word`
        assert_eq!(proxy.authorization.as_ref().unwrap().as_str(), "Basic b2xnYTpwQHNzOndvcmQ=");
        assert!(!format!("{proxies:?}").contains("b2xnYT"));
        let proxies = read("[fd00::1]:8080", "").unwrap();
        let proxy = proxies.proxy("hub", 443).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port, proxy.authorization.is_none()), ("fd00::1", 8080, true));
        assert_eq!(read("proxy", "").unwrap().proxy("hub", 443).unwrap().port, 80);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(read("https://proxy:3128", ""), Err(ProxyError::Scheme));
        assert_eq!(read("socks5://proxy:3128", ""), Err(ProxyError::Scheme));
        for text in
            ["http://", "http://:3128", "http://a b", "http://o%4:x@proxy", "http://o%zz@proxy", "proxy:port"]
        {
            assert_eq!(read(text, ""), Err(ProxyError::Malformed), "{text}");
        }
        assert_eq!(read(" ", "").unwrap(), Proxies::default());
    }

    #[test]
    fn exceptions_are_domains_networks_and_all() {
        let exceptions = "localhost, .svc,example.com ,10.0.0.0/8,192.0.2.7,only.example.net:8443,*.wild.net";
        let proxies = read("http://proxy:3128", exceptions).unwrap();
        for host in
            ["localhost", "a.svc", "example.com", "HUB.Example.com", "10.1.2.3", "192.0.2.7", "a.wild.net"]
        {
            assert!(proxies.proxy(host, 443).is_none(), "{host}");
        }
        for host in ["badexample.com", "example.com.evil.net", "11.0.0.1", "only.example.net", "svcs"] {
            assert!(proxies.proxy(host, 443).is_some(), "{host}");
        }
        assert!(proxies.proxy("only.example.net", 8443).is_none());
        assert!(read("http://proxy:3128", "*").unwrap().proxy("hub", 443).is_none());
    }
}
