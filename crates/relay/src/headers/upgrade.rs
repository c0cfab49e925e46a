//! Which switch of protocols a request asks for.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, Method, Version};

use super::has_token;

/// A protocol that kubectl and browsers speak to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// WebSocket (RFC 6455).
    WebSocket,
    /// SPDY/3.1.
    Spdy,
}

impl Upgrade {
    /// What a request asks for, if it is one of these and asks rightly. Others pass as requests without a wish.
    #[must_use]
    pub fn asked(method: &Method, version: Version, headers: &HeaderMap) -> Option<Self> {
        let may = match *method {
            Method::GET => &[Self::WebSocket, Self::Spdy][..],
            Method::POST => &[Self::Spdy][..],
            _ => return None,
        };
        let asks = version == Version::HTTP_11 && has_token(headers, &CONNECTION, "upgrade");
        Self::named(headers).filter(|upgrade| asks && may.contains(upgrade))
    }

    /// What the header names, if it names one of these and nothing else.
    pub(crate) fn named(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(UPGRADE).into_iter();
        let value = values.next().filter(|_| values.next().is_none())?.as_bytes().trim_ascii();
        [Self::WebSocket, Self::Spdy]
            .into_iter()
            .find(|known| value.eq_ignore_ascii_case(known.token().as_bytes()))
    }

    /// The value of `Upgrade`.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Spdy => "SPDY/3.1",
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Version};

    use super::Upgrade;

    fn asked(method: &Method, version: Version, lines: &[(&'static str, &'static str)]) -> Option<Upgrade> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Upgrade::asked(method, version, &headers)
    }

    #[test]
    fn kubectl_and_browsers_are_understood() {
        let found =
            asked(&Method::POST, Version::HTTP_11, &[("connection", "Upgrade"), ("upgrade", "SPDY/3.1")]);
        assert_eq!(found, Some(Upgrade::Spdy));
        let lines = [("connection", "keep-alive, UPGRADE"), ("upgrade", "WebSocket")];
        assert_eq!(asked(&Method::GET, Version::HTTP_11, &lines), Some(Upgrade::WebSocket));
    }

    #[test]
    fn other_wishes_are_none() {
        let (get, http1) = (Method::GET, Version::HTTP_11);
        let connection = ("connection", "upgrade");
        assert_eq!(asked(&get, http1, &[connection, ("upgrade", "h2c")]), None);
        assert_eq!(asked(&get, http1, &[connection, ("upgrade", "websocket, h2c")]), None);
        assert_eq!(asked(&get, http1, &[connection, ("upgrade", "websocket"), ("upgrade", "h2c")]), None);
        assert_eq!(asked(&get, http1, &[("connection", "close"), ("upgrade", "websocket")]), None);
        assert_eq!(asked(&get, http1, &[connection]), None);
        assert_eq!(asked(&get, Version::HTTP_2, &[connection, ("upgrade", "websocket")]), None);
        assert_eq!(asked(&get, Version::HTTP_10, &[connection, ("upgrade", "websocket")]), None);
        assert_eq!(asked(&Method::POST, http1, &[connection, ("upgrade", "websocket")]), None);
        assert_eq!(asked(&Method::DELETE, http1, &[connection, ("upgrade", "SPDY/3.1")]), None);
    }
}
